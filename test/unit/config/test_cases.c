/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each cases/NAME.yaml is loaded; what is printed must be NAME.err and what is loaded, as text, must
 * be NAME.ok (no such file: nothing). ROOST_REWRITE=1 writes both instead, to be read before they
 * are committed.
 */
#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "config/config.h"
#include "dump.h"

#define CASES_MAX 300

static char *cases[CASES_MAX];
static int n_cases;

static int is_case(const struct dirent *entry)
{
	const size_t length = strlen(entry->d_name);

	return length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

static void find_cases(void)
{
	struct dirent **entries;
	const int n = scandir(CASES_DIR, &entries, is_case, alphasort);

	ASSERT(n > 0 && n <= CASES_MAX);
	for (int i = 0; i < n; i++) {
		entries[i]->d_name[strlen(entries[i]->d_name) - 5] = '\0';
		cases[n_cases++] = strdup(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/* The file's bytes, ended by NUL; "" if there is no such file. */
static char *read_text(
	const char *directory, const char *name, const char *ending, size_t *ret_size)
{
	char path[512];
	char *text = calloc(1, 1u << 20);
	FILE *file;

	snprintf(path, sizeof path, "%s/%s%s", directory, name, ending);
	file = fopen(path, "r");
	*ret_size = file ? fread(text, 1, (1u << 20) - 1, file) : 0;
	if (file)
		fclose(file);
	return text;
}

static void write_text(const char *name, const char *ending, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof path, CASES_DIR "/%s%s", name, ending);
	unlink(path);
	if (text[0] == '\0')
		return;
	file = fopen(path, "w");
	fputs(text, file);
	fclose(file);
}

static void compare(const char *name, const char *ending, const char *got)
{
	size_t size;
	char *wanted = read_text(CASES_DIR, name, ending, &size);

	if (getenv("ROOST_REWRITE"))
		write_text(name, ending, got);
	else if (strcmp(got, wanted) != 0)
		ck_abort_msg("%s%s differs.\n--- wanted\n%s--- got\n%s", name, ending, wanted, got);
	free(wanted);
}

static struct addr ip(const char *text)
{
	struct addr a;

	ck_assert(addr_parse(text, &a));
	return a;
}

/* Cases named here-* are loaded on this machine. */
static struct config *load_here(
	const struct config_text *text, FILE *out, struct config_report *report)
{
	const struct config_subnet subnets[] = {
		{"lo", {ip("127.0.0.1"), 96 + 8}},
		{"eth0", {ip("10.1.1.2"), 96 + 24}},
		{"eth0", {ip("10.3.0.7"), 96 + 31}},
		{"eth0", {ip("10.9.9.9"), 96 + 32}}, /* such as a VIP that is held */
		{"eth0", {ip("2001:db8::2"), 64}},
		{"eth0", {ip("fe80::1"), 64}},
		{"eth1", {ip("10.1.2.2"), 96 + 24}},
		{"eth1", {ip("10.1.3.2"), 96 + 20}},
	};
	const struct config_machine machine = {subnets, ARRAY_SIZE(subnets)};

	return config_load_text(text, &machine, out, report);
}

START_TEST(every_case_is_judged_as_expected)
{
	const char *const name = cases[_i];
	char title[256];
	struct config_text text = {.name = title};
	struct config_report report;
	struct config *c;
	char *yaml = read_text(CASES_DIR, name, ".yaml", &text.size);
	char *dump = NULL;
	char *diagnostics = NULL;
	size_t size;
	FILE *out = open_memstream(&diagnostics, &size);

	text.text = yaml;
	snprintf(title, sizeof title, "%s.yaml", name);
	if (strncmp(name, "here-", 5) == 0)
		c = load_here(&text, out, &report);
	else
		c = config_load_text(&text, NULL, out, &report);
	fclose(out);
	ck_assert_int_eq(c != NULL, report.n_errors == 0);
	ck_assert_int_eq(diagnostics[0] != '\0', report.n_errors + report.n_warnings > 0);
	compare(name, ".err", diagnostics);

	out = open_memstream(&dump, &size);
	if (c)
		dump_config(c, out);
	fclose(out);
	compare(name, ".ok", dump);
	config_free(c);
	free(dump);
	free(diagnostics);
	free(yaml);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config cases");
	TCase *all = tcase_create("cases");
	SRunner *runner;
	int failed;

	find_cases();
	tcase_add_loop_test(all, every_case_is_judged_as_expected, 0, n_cases);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (int i = 0; i < n_cases; i++)
		free(cases[i]);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
