/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the cases can't say: limits, defaults, and that manual, examples and tables agree. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "config/config.h"
#include "config/index.h"
#include "config/schema.h"
#include "dump.h"
#include "suite.h"

static const char minimal[] = "interface: eth0\n"
			      "nodes: {www1: 10.1.1.2, www2: 10.1.1.3}\n"
			      "services: {www: [10.1.1.201]}\n";

/* A file that a test writes, and what came of it. */
struct file {
	char *text, *diagnostics;
	size_t size, diagnostics_size;
	FILE *out;
	struct config_report report;
	struct config *config;
};

static void file_open(struct file *f)
{
	*f = (struct file){0};
	f->out = open_memstream(&f->text, &f->size);
}

__attribute__((format(printf, 2, 3))) static void file_print(
	struct file *f, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(f->out, format, arguments);
	va_end(arguments);
}

static void file_load(struct file *f)
{
	FILE *out = open_memstream(&f->diagnostics, &f->diagnostics_size);
	struct config_text text;

	fclose(f->out);
	text = (struct config_text){.name = "test.yaml", .text = f->text, .size = f->size};
	f->config = config_load_text(&text, NULL, out, &f->report);
	fclose(out);
}

static void file_close(struct file *f)
{
	config_free(f->config);
	free(f->diagnostics);
	free(f->text);
}

static char *dump(const struct config *c)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	dump_config(c, out);
	fclose(out);
	return text;
}

/* @n nodes and a service with @n_vips VIPs. */
static void print_cluster(struct file *f, uint32_t n, uint32_t n_vips)
{
	file_print(f, "interface: eth0\nnodes:\n");
	for (uint32_t i = 0; i < n; i++)
		file_print(f, "  node%u: 10.0.0.%u\n", i, i + 1);
	file_print(f, "services:\n  www:\n");
	for (uint32_t i = 0; i < n_vips; i++)
		file_print(f, "    - 10.1.%u.%u\n", i / 250, i % 250 + 1);
}

START_TEST(the_largest_cluster_loads)
{
	struct file f;

	file_open(&f);
	print_cluster(&f, CONFIG_NODES_MAX, CONFIG_VIPS_MAX);
	file_load(&f);
	ck_assert_str_eq(f.diagnostics, "");
	ck_assert_ptr_nonnull(f.config);
	ck_assert_uint_eq(f.config->n_nodes, CONFIG_NODES_MAX);
	ck_assert_uint_eq(f.config->n_vips, CONFIG_VIPS_MAX);
	ck_assert_uint_eq(f.config->n_bundles, CONFIG_VIPS_MAX);
	file_close(&f);
}
END_TEST

START_TEST(one_node_or_vip_more_is_refused_once)
{
	struct file f;

	file_open(&f);
	print_cluster(&f, CONFIG_NODES_MAX + 2, 1);
	file_load(&f);
	ck_assert_ptr_null(f.config);
	ck_assert_uint_eq(f.report.n_errors, 1);
	ck_assert_ptr_nonnull(strstr(f.diagnostics, "test.yaml:67:3: error: more than 64 nodes"));
	file_close(&f);

	file_open(&f);
	print_cluster(&f, 2, CONFIG_VIPS_MAX + 2);
	file_load(&f);
	ck_assert_ptr_null(f.config);
	ck_assert_uint_eq(f.report.n_errors, 1);
	ck_assert_ptr_nonnull(strstr(f.diagnostics, "error: more than 10000 VIPs"));
	file_close(&f);
}
END_TEST

START_TEST(too_many_services_and_interfaces_are_refused)
{
	struct file f;

	file_open(&f);
	file_print(&f, "nodes: {www1: 10.0.0.1, www2: 10.0.0.2}\nservices:\n");
	for (uint32_t i = 0; i < CONFIG_SERVICES_MAX + 2; i++)
		file_print(&f, "  www%u: {vips: 10.1.%u.%u, interface: eth%u}\n", i, i / 250,
			i % 250 + 1, i < CONFIG_INTERFACES_MAX + 2 ? i : i % CONFIG_INTERFACES_MAX);
	file_load(&f);
	ck_assert_ptr_null(f.config);
	ck_assert_uint_eq(f.report.n_errors, 3);
	ck_assert_ptr_nonnull(strstr(f.diagnostics, ":19:39: error: more than 16 interfaces"));
	ck_assert_ptr_nonnull(strstr(f.diagnostics, ":20:39: error: more than 16 interfaces"));
	ck_assert_ptr_nonnull(strstr(f.diagnostics, ":1003:3: error: more than 1000 services"));
	file_close(&f);
}
END_TEST

START_TEST(too_many_peers_are_refused_once)
{
	struct file f;

	file_open(&f);
	file_print(&f, "%svrrp:\n  peers:\n", minimal);
	for (uint32_t i = 0; i < CONFIG_PEERS_MAX + 2; i++)
		file_print(&f, "    - 10.2.0.%u\n", i + 1);
	file_load(&f);
	ck_assert_uint_eq(f.report.n_errors, 1);
	ck_assert_ptr_nonnull(strstr(f.diagnostics, ":70:7: error: more than 64 peers"));
	file_close(&f);
}
END_TEST

START_TEST(a_foreign_virtual_router_has_255_vips_at_most)
{
	for (uint32_t n = 255; n <= 256; n++) {
		struct file f;

		file_open(&f);
		file_print(&f, "interface: eth0\nnodes: {a: 10.0.0.1, b: 10.0.0.2}\n"
			       "services: {www: {vrid: 1, priority: 9, vips: [");
		for (uint32_t i = 0; i < n; i++)
			file_print(&f, "10.1.%u.1, ", i);
		file_print(&f, "]}}\n");
		file_load(&f);
		ck_assert_uint_eq(f.report.n_errors, n == 256);
		file_close(&f);
	}
}
END_TEST

START_TEST(a_hostile_number_of_mistakes_is_counted_but_not_listed)
{
	struct file f;
	uint32_t lines = 0;

	file_open(&f);
	for (uint32_t i = 0; i < 5000; i++)
		file_print(&f, "%u:\n", i);
	file_load(&f);
	ck_assert_uint_eq(f.report.n_errors, 5000);
	for (const char *at = f.diagnostics; *at != '\0'; at++)
		lines += *at == '\n';
	ck_assert_uint_eq(lines, 3 * 1000 + 1);
	ck_assert_ptr_nonnull(strstr(f.diagnostics, "test.yaml: and 4000 more\n"));
	file_close(&f);
}
END_TEST

START_TEST(a_file_with_too_many_values_is_refused)
{
	struct file f;

	file_open(&f);
	file_print(&f, "nodes: [");
	for (uint32_t i = 0; i < 300000; i++)
		file_print(&f, "a,");
	file_print(&f, "]\n");
	file_load(&f);
	ck_assert_uint_eq(f.report.n_errors, 1);
	ck_assert_ptr_nonnull(strstr(f.diagnostics, "too many values"));
	file_close(&f);
}
END_TEST

START_TEST(what_cannot_be_read_is_said)
{
	struct config_report report;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_null(config_load("/nonexistent/roost.yaml", out, &report));
	ck_assert_uint_eq(report.n_errors, 1);
	ck_assert_ptr_null(config_load("/", out, &report));
	ck_assert_uint_eq(report.n_errors, 1);
	fclose(out);
	ck_assert_str_eq(text, "/nonexistent/roost.yaml: error: can't be read: "
			       "No such file or directory\n"
			       "/: error: can't be read: Is a directory\n");
	free(text);
	ck_assert_ptr_null(config_load("/nonexistent/roost.yaml", NULL, &report));
}
END_TEST

START_TEST(a_giant_file_is_refused)
{
	char path[] = "/tmp/test-config-XXXXXX";
	const int fd = mkstemp(path);
	struct config_report report;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 1 << 30), 0);
	ck_assert_ptr_null(config_load(path, NULL, &report));
	ck_assert_uint_eq(report.n_errors, 1);
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(nodes_and_vips_are_found_by_address)
{
	struct addr www1, www2, vip;
	struct config_index index;
	struct file f;

	file_open(&f);
	file_print(&f, "%s", minimal);
	file_load(&f);
	ck_assert(addr_parse("10.1.1.2", &www1) && addr_parse("10.1.1.3", &www2) &&
		  addr_parse("10.1.1.201", &vip));
	ck_assert_int_eq(config_find_node(f.config, &www1), 0);
	ck_assert_int_eq(config_find_node(f.config, &www2), 1);
	ck_assert_int_eq(config_find_node(f.config, &vip), CONFIG_NO_NODE);
	ck_assert(config_index_init(&index, f.config));
	ck_assert_int_eq(config_index_vip(&index, &vip), 0);
	ck_assert_int_eq(config_index_vip(&index, &www1), -1);
	config_index_fini(&index);
	file_close(&f);
}
END_TEST

START_TEST(clusters_with_different_names_begin_at_different_vrids)
{
	bool used[256] = {false};
	uint32_t different = 0;

	for (uint32_t i = 0; i < 64; i++) {
		struct file f;

		file_open(&f);
		file_print(&f, "cluster: shop%u\n%s", i, minimal);
		file_load(&f);
		different += !used[f.config->interfaces[0].vrid_first];
		used[f.config->interfaces[0].vrid_first] = true;
		ck_assert_uint_eq(f.config->interfaces[0].vrid_count, 255);
		file_close(&f);
	}
	ck_assert(!used[0]);
	ck_assert_uint_gt(different, 48); /* of 64 thrown into 255, 56 on average */
}
END_TEST

START_TEST(the_nearest_word_is_one_that_could_be_meant)
{
	static const char *const words[] = {"interval", "linger", "version", "preempt"};

	ck_assert_str_eq(schema_nearest("intervall", words, 4), "interval");
	ck_assert_str_eq(schema_nearest("intreval", words, 4), "interval");
	ck_assert_str_eq(schema_nearest("lingr", words, 4), "linger");
	ck_assert_str_eq(schema_nearest("pre-empt", words, 4), "preempt");
	ck_assert_ptr_null(schema_nearest("advert_int", words, 4));
	ck_assert_ptr_null(schema_nearest("", words, 4));
	ck_assert_ptr_null(schema_nearest("interval", words, 0));
}
END_TEST

/* The tables say what the defaults are; a file that spells them all out must mean the same. */
START_TEST(a_file_that_spells_out_the_defaults_changes_nothing)
{
	static const struct {
		const char *key, *name;
	} sections[] = {{"vrrp", "\"vrrp\""}, {"announce", "\"announce\""}, {"auth", "\"auth\""}};
	struct file plain, spelt;
	char *wanted, *got;

	file_open(&plain);
	file_print(&plain, "%s", minimal);
	file_load(&plain);
	file_open(&spelt);
	file_print(&spelt, "%scluster: %s\n", minimal, config_schemas[0]->keys[0].initial);
	for (uint32_t i = 0; i < ARRAY_SIZE(sections); i++) {
		file_print(&spelt, "%s:\n", sections[i].key);
		for (const struct schema *const *s = config_schemas; *s; s++)
			for (uint32_t j = 0; j < (*s)->n_keys; j++)
				if (strcmp((*s)->name, sections[i].name) == 0 &&
					(*s)->keys[j].initial)
					file_print(&spelt, "  %s: %s\n", (*s)->keys[j].name,
						(*s)->keys[j].initial);
	}
	file_load(&spelt);
	ck_assert_str_eq(spelt.diagnostics, "");
	wanted = dump(plain.config);
	got = dump(spelt.config);
	ck_assert_str_eq(got, wanted);
	free(wanted);
	free(got);
	file_close(&plain);
	file_close(&spelt);
}
END_TEST

static void check_example(const char *path)
{
	struct config_report report;
	struct config *c = config_load(path, stderr, &report);

	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(report.n_warnings, 0);
	config_free(c);
}

START_TEST(the_shipped_examples_load_without_a_warning)
{
	check_example(SOURCE_ROOT "/doc/examples/minimal.yaml");
	check_example(SOURCE_ROOT "/doc/examples/complete.yaml");
}
END_TEST

static char *read_source(const char *path)
{
	char *text = calloc(1, 1 << 20);
	FILE *file = fopen(path, "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
	fclose(file);
	return text;
}

START_TEST(the_complete_example_has_every_option)
{
	char *text = read_source(SOURCE_ROOT "/doc/examples/complete.yaml");

	for (const struct schema *const *s = config_schemas; *s; s++) {
		for (uint32_t i = 0; i < (*s)->n_keys; i++) {
			char key[64];

			snprintf(key, sizeof key, "%s:", (*s)->keys[i].name);
			ck_assert_msg(strstr(text, key), "%s is not in complete.yaml", key);
		}
	}
	free(text);
}
END_TEST

/* The manual's section of each table, in the order of config_schemas. */
static const char *const manual_sections[] = {"THE FILE", "A NODE", "A SERVICE", "A VIP", "VRRP",
	"ANNOUNCE", "AUTH", "CONTROL", "DNS", "TSIG"};

/* A section's text, cut off at the next one; to be freed. */
static char *manual_section(const char *manual, const char *name)
{
	char heading[64];
	const char *start, *end;

	snprintf(heading, sizeof heading, ".Sh %s\n", name);
	start = strstr(manual, heading);
	ck_assert_msg(start, "the manual has no section %s", name);
	start += strlen(heading);
	end = strstr(start, "\n.Sh ");
	return strndup(start, (size_t)(end + 1 - start));
}

/* The entry of @key: present, once, with its default. */
static void check_manual_entry(const char *section, const struct schema_key *key)
{
	char heading[64], initial[128];
	const char *entry, *end, *found;

	snprintf(heading, sizeof heading, ".It Ic %s\n", key->name);
	entry = strstr(section, heading);
	ck_assert_msg(entry, "\"%s\" is not in the manual", key->name);
	ck_assert_msg(!strstr(entry + 1, heading), "\"%s\" is in the manual twice", key->name);
	if (!key->initial)
		return;
	end = strstr(entry + 1, ".It Ic");
	snprintf(initial, sizeof initial, "Default:\n.Ql %s", key->initial);
	found = strstr(entry, initial);
	ck_assert_msg(found && (!end || found < end), "the manual should say of \"%s\": %s",
		key->name, initial);
}

START_TEST(the_manual_describes_exactly_the_keys_that_there_are)
{
	char *manual = read_source(SOURCE_ROOT "/man/roost.yaml.5");

	for (uint32_t i = 0; i < ARRAY_SIZE(manual_sections); i++) {
		const struct schema *const schema = config_schemas[i];
		char *section = manual_section(manual, manual_sections[i]);
		uint32_t n = 0;

		ck_assert_ptr_nonnull(schema);
		for (uint32_t j = 0; j < schema->n_keys; j++)
			check_manual_entry(section, &schema->keys[j]);
		for (const char *at = strstr(section, ".It Ic "); at;
			at = strstr(at + 1, ".It Ic "))
			n++;
		ck_assert_uint_eq(n, schema->n_keys);
		free(section);
	}
	ck_assert_ptr_null(config_schemas[ARRAY_SIZE(manual_sections)]);
	free(manual);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_largest_cluster_loads,
		one_node_or_vip_more_is_refused_once,
		too_many_services_and_interfaces_are_refused,
		too_many_peers_are_refused_once,
		a_foreign_virtual_router_has_255_vips_at_most,
		a_hostile_number_of_mistakes_is_counted_but_not_listed,
		a_file_with_too_many_values_is_refused,
		what_cannot_be_read_is_said,
		a_giant_file_is_refused,
		nodes_and_vips_are_found_by_address,
		clusters_with_different_names_begin_at_different_vrids,
		the_nearest_word_is_one_that_could_be_meant,
		a_file_that_spells_out_the_defaults_changes_nothing,
		the_shipped_examples_load_without_a_warning,
		the_complete_example_has_every_option,
		the_manual_describes_exactly_the_keys_that_there_are,
	};

	return run_suite("config", tests, ARRAY_SIZE(tests));
}
