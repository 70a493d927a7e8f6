/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/journal.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

/* Less than PIPE_BUF: a pipe that polls as writable takes the whole line. */
#define LINE_SIZE 1024

#define LATE_QUIET tick_s(1)

struct journal {
	const struct config *config;
	uint32_t self;
	uint64_t dropped;
	struct {
		tick said_at;
		uint32_t n, worst_ms; /* since then */
	} late;
};

struct journal *journal_new(const struct config *config, uint32_t self)
{
	struct journal *j = calloc(1, sizeof *j);

	ASSERT(self < config->n_nodes);
	if (j) {
		j->config = config;
		j->self = self;
	}
	return j;
}

void journal_free(struct journal *j)
{
	free(j);
}

static bool write_line(enum journal_level level, const char *name, const char *text)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[LINE_SIZE], prefix[8] = "";
	int n;

	if (poll(&fd, 1, 0) != 1 || !(fd.revents & POLLOUT))
		return false;
	if (getenv("JOURNAL_STREAM"))
		(void)snprintf(prefix, sizeof prefix, "<%d>", (int)level);
	n = snprintf(line, sizeof line, "%s%s%s%s\n", prefix, name, name[0] ? ": " : "", text);
	if (n >= (int)sizeof line)
		line[sizeof line - 2] = '\n';
	return write(STDERR_FILENO, line, strlen(line)) > 0;
}

static void say(struct journal *j, enum journal_level level, const char *text)
{
	const char *name = j ? j->config->nodes[j->self].name : "roostd";
	char lost[64];

	if (j && j->dropped) {
		(void)snprintf(lost, sizeof lost, "journal: %llu lines were not taken",
			(unsigned long long)j->dropped);
		if (write_line(JOURNAL_WARNING, name, lost))
			j->dropped = 0;
	}
	if (!write_line(level, name, text) && j)
		j->dropped++;
}

void journal_line(struct journal *j, enum journal_level level, const char *format, ...)
{
	char text[LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	say(j, level, text);
}

void journal_line_as(const char *program, enum journal_level level, const char *format, ...)
{
	char text[LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	(void)write_line(level, program, text);
}

struct config *journal_load_config(const char *path, char *problem)
{
	struct config_report report = {0};
	char first[JOURNAL_PROBLEM_SIZE] = "", *text = NULL, *rest, *line;
	size_t size = 0;
	FILE *findings = open_memstream(&text, &size);
	struct config *config = findings ? config_load(path, findings, &report) : NULL;

	if (!findings || fclose(findings) != 0) {
		(void)snprintf(first, sizeof first, "%s: no memory to read it", path);
		journal_line(NULL, JOURNAL_ERROR, "%s", first);
		config_free(config);
		config = NULL;
	}
	rest = text;
	while ((line = strsep(&rest, "\n")) && rest) {
		if (!first[0] && strstr(line, ": error: "))
			(void)snprintf(first, sizeof first, "%s", line);
		(void)write_line(config ? JOURNAL_WARNING : JOURNAL_ERROR, "", line);
	}
	free(text);
	if (!config && problem)
		memcpy(problem, first, sizeof first);
	return config;
}

/* "www2" if @address is a configured node's, else the address. */
static const char *name_of(
	const struct config *config, const struct addr *address, char buffer[static ADDR_STRLEN])
{
	const int32_t node = config_find_node(config, address);

	return node == CONFIG_NO_NODE ? addr_format(address, buffer) : config->nodes[node].name;
}

static enum journal_level render_move(
	const struct config *config, const struct node_record *r, char *text, size_t size)
{
	char vip[ADDR_STRLEN], peer[ADDR_STRLEN];
	const char *why = vrrp_reason_text(r->why);

	addr_format(&config->vips[r->vip].address, vip);
	if (r->kind == NODE_RECORD_SERVING)
		(void)snprintf(text, size, "serving %s (%s)", vip, why);
	else if (r->why == VRRP_WHY_BETTER && !addr_is_none(&r->peer))
		(void)snprintf(text, size, "no longer serving %s (%s: %s)", vip, why,
			name_of(config, &r->peer, peer));
	else
		(void)snprintf(text, size, "no longer serving %s (%s)", vip, why);
	return JOURNAL_NOTICE;
}

static enum journal_level render_ill(const struct node_record *r, char *text, size_t size)
{
	const bool drained = r->number == NODE_ILL_DRAINED;

	(void)snprintf(text, size, "offers itself as a last resort only: %s",
		drained ? "drained" : "the kernel does not carry out what is wanted");
	return drained ? JOURNAL_NOTICE : JOURNAL_WARNING;
}

/* Until `enforce` there is time to mend it. */
static enum journal_level render_untrusted(
	const struct config *config, const struct node_record *r, char *text, size_t size)
{
	static const char *const why[AUTH_VERDICTS] = {
		[AUTH_UNSIGNED] = "does not sign",
		[AUTH_MALFORMED] = "signs in a form that is not known here",
		[AUTH_UNKNOWN_KEY] = "signs with a key id that is not in this node's file of keys",
		[AUTH_BAD_HMAC] = "signs with another key by the same id, or somebody tampers",
		[AUTH_REPLAYED] = "repeats itself, or somebody replays what it said",
		[AUTH_OUTSIDE] =
			"has another time than this node, or somebody replays what it said",
		[AUTH_TABLE_FULL] = "is one speaker too many",
	};
	const bool enforced = config->auth.mode == CONFIG_AUTH_ENFORCE;
	char peer[ADDR_STRLEN];

	ASSERT(r->number < AUTH_VERDICTS && why[r->number] && r->node < config->n_nodes);
	(void)snprintf(text, size, "key mismatch: %s (%s on %s) %s; %s",
		config->nodes[r->node].name, addr_format(&r->peer, peer),
		config->interfaces[r->interface].name, why[r->number],
		enforced ? "its advertisements do not count"
			 : "with \"mode: enforce\" its advertisements would not count");
	return enforced ? JOURNAL_ERROR : JOURNAL_WARNING;
}

enum journal_level journal_render(
	const struct config *config, const struct node_record *r, char *text, size_t size)
{
	const char *interface = config->interfaces[r->interface].name;
	char vip[ADDR_STRLEN], peer[ADDR_STRLEN];

	switch (r->kind) {
	case NODE_RECORD_SERVING:
	case NODE_RECORD_NOT_SERVING: return render_move(config, r, text, size);
	case NODE_RECORD_CONFLICT:
		(void)snprintf(text, size,
			"conflict: %s advertises %s too and loses; announcing it again",
			name_of(config, &r->peer, peer),
			addr_format(&config->vips[r->vip].address, vip));
		return JOURNAL_WARNING;
	case NODE_RECORD_STRANGER:
		(void)snprintf(text, size,
			"stranger: %s uses VRID %u on %s for addresses that are not ours",
			addr_format(&r->peer, peer), r->number, interface);
		return JOURNAL_WARNING;
	case NODE_RECORD_UNKNOWN_PEER:
		(void)snprintf(text, size,
			"stranger: %s advertises %s on %s and is neither a node nor one of its "
			"peers: "
			"ignored",
			addr_format(&r->peer, peer),
			addr_format(&config->vips[r->vip].address, vip), interface);
		return JOURNAL_WARNING;
	case NODE_RECORD_LINK_UP: (void)snprintf(text, size, "link: %s is up", interface); break;
	case NODE_RECORD_LINK_DOWN:
		(void)snprintf(text, size, "link: %s is down", interface);
		return JOURNAL_WARNING;
	case NODE_RECORD_REDUNDANCY:
		(void)snprintf(text, size, "redundancy: %u per interval", r->number);
		break;
	case NODE_RECORD_LATE:
		(void)snprintf(text, size, "late: woke %u ms late", r->number);
		return JOURNAL_WARNING;
	case NODE_RECORD_LAPSED:
		(void)snprintf(text, size,
			"lapsed: was away until %u ms after its time, longer than a lease; listens "
			"first",
			r->number);
		return JOURNAL_WARNING;
	case NODE_RECORD_ILL: return render_ill(r, text, size);
	case NODE_RECORD_WELL:
		(void)snprintf(text, size, "takes part as usual again");
		return JOURNAL_NOTICE;
	case NODE_RECORD_UNTRUSTED: return render_untrusted(config, r, text, size);
	case NODE_RECORD_KINDS: ASSERT(false);
	}
	return JOURNAL_INFO;
}

/* Lateness comes in bursts, on a machine that is too busy already. */
static bool gather_lateness(struct journal *j, const struct node_record *r)
{
	if (j->late.said_at && tick_since(r->at, j->late.said_at) < LATE_QUIET) {
		j->late.n++;
		if (r->number > j->late.worst_ms)
			j->late.worst_ms = r->number;
		return true;
	}
	if (j->late.n)
		journal_line(j, JOURNAL_WARNING, "late: %u times more since, by %u ms at worst",
			j->late.n, j->late.worst_ms);
	j->late.said_at = r->at;
	j->late.n = j->late.worst_ms = 0;
	return false;
}

void journal_record(struct journal *j, const struct node_record *record)
{
	char text[LINE_SIZE];
	enum journal_level level;

	if (record->kind == NODE_RECORD_LATE && gather_lateness(j, record))
		return;
	level = journal_render(j->config, record, text, sizeof text);
	say(j, level, text);
}
