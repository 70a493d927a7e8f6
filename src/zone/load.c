/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libzscanner/scanner.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "zone/prepass.h"
#include "zone/rdata.h"

#define CLASS_IN 1

/* What libzscanner is told to be the TTL before any $TTL. No record can have it (RFC 2181 8), but one may state it. */
#define TTL_UNKNOWN UINT32_MAX

#define WORD_MAX 80 /* characters of a word that is quoted */

/* One zone's loading. */
struct loading {
	struct zone *z;
	const struct load_listener *listener;
	uint32_t n_errors, n_warnings;
	bool has_ttl;
	uint32_t ttl; /* the last that was stated */
};

/* One file of it. */
struct source {
	const struct source *includer; /* NULL: the first */
	const char *file;
	const char *text;
	size_t size;
	bool may_include;
	dev_t device; /* with @inode: which file it is, by whatever name */
	ino_t inode;
	uint32_t depth;
	uint32_t ttl; /* $TTL at its start, or TTL_UNKNOWN */
};

/* What the prepass's problems are told with. */
struct told_by_prepass {
	struct loading *l;
	const char *file;
};

static void load_source(struct loading *l, const struct source *from, const char *origin);

static bool is_given_up(const struct loading *l)
{
	return l->n_errors >= LOAD_ERRORS_MAX;
}

static void tell(struct loading *l, enum zone_severity severity, const struct zone_place *place,
	const char *text)
{
	const struct load_listener *listener = l->listener;
	uint32_t *n = severity == ZONE_ERROR ? &l->n_errors : &l->n_warnings;
	const uint32_t most = severity == ZONE_ERROR ? LOAD_ERRORS_MAX : LOAD_WARNINGS_MAX;

	char clean[ZONE_PROBLEM_SIZE];

	if ((*n)++ >= most || !listener->tell)
		return;
	/* It may quote the file, which must neither break a line nor steer a terminal. */
	snprintf(clean, sizeof(clean), "%s", text);
	for (char *at = clean; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	listener->tell(listener->context, severity, place, clean);
	if (severity == ZONE_ERROR && *n == most)
		listener->tell(listener->context, severity, place,
			"too many errors; no more are looked for");
}

__attribute__((format(printf, 4, 5))) static void fail(
	struct loading *l, const char *file, uint64_t line, const char *format, ...)
{
	const struct zone_place place = {file, (uint32_t)line};
	char text[ZONE_PROBLEM_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	tell(l, ZONE_ERROR, &place, text);
}

/* Whether the record or a $TTL states its TTL, as far as can be seen: see look_again(). */
static bool has_ttl(const zs_scanner_t *s)
{
	return s->r_ttl != TTL_UNKNOWN;
}

/* The TTL of the record that was scanned. False, and told, if nothing says what it is. */
static bool find_ttl(
	struct loading *l, const struct source *from, const zs_scanner_t *s, uint32_t *ret_ttl)
{
	uint32_t ttl;

	if (has_ttl(s)) {
		ttl = s->r_ttl;
	} else if (l->has_ttl) {
		ttl = l->ttl;
	} else if (s->r_type == RDATA_SOA && s->r_data_length >= 4) {
		struct reader minimum = reader_of(s->r_data + s->r_data_length - 4, 4);

		ttl = reader_u32(&minimum);
	} else {
		fail(l, from->file, s->line_counter,
			"the record has no TTL, and neither $TTL nor a record before it says one");
		return false;
	}
	l->has_ttl = true;
	l->ttl = ttl;
	*ret_ttl = ttl;
	return true;
}

static void take_record(struct loading *l, const struct source *from, const zs_scanner_t *s)
{
	char problem[ZONE_PROBLEM_SIZE];
	uint32_t ttl;

	if (s->r_class != CLASS_IN) {
		fail(l, from->file, s->line_counter, "the record is of class %u; only IN is served",
			s->r_class);
		return;
	}
	if (!find_ttl(l, from, s, &ttl))
		return;
	const struct zone_record r = {
		.owner = s->r_owner,
		.type = s->r_type,
		.ttl = ttl,
		.rdata = s->r_data,
		.rdata_size = (uint16_t)s->r_data_length,
		.service = ZONE_NO_SERVICE,
		.place = {from->file, (uint32_t)s->line_counter},
	};

	if (!zone_add(l->z, &r, problem))
		fail(l, from->file, s->line_counter, "%s", problem);
}

/* All bytes of an open file, to be freed; NULL, with errno. */
static char *read_whole(int fd, size_t size)
{
	char *text = malloc(size + 1);
	size_t at = 0;

	while (text && at < size) {
		const ssize_t n = read(fd, text + at, size - at);

		if (n > 0) {
			at += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			if (n == 0)
				errno = ESTALE; /* it has become shorter meanwhile */
			free(text);
			return NULL;
		}
	}
	return text;
}

/* Opens and reads @path into *from, whose @text is then to be freed. False, and told at @place,
 * if it can't be. */
static bool open_source(
	struct loading *l, const char *path, const struct zone_place *place, struct source *from)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		fail(l, place->file, place->line, "%s can't be read: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		fail(l, place->file, place->line, "%s is no regular file", path);
	} else if ((size_t)st.st_size > LOAD_FILE_MAX) {
		fail(l, place->file, place->line, "%s is larger than %zu bytes", path,
			LOAD_FILE_MAX);
	} else {
		text = read_whole(fd, (size_t)st.st_size);
		if (!text)
			fail(l, place->file, place->line, "%s can't be read: %s", path,
				strerror(errno));
		*from = (struct source){
			.includer = from->includer,
			.depth = from->depth,
			.ttl = from->ttl,
			.file = path,
			.text = text,
			.size = (size_t)st.st_size,
			.may_include = true,
			.device = st.st_dev,
			.inode = st.st_ino,
		};
	}
	if (fd >= 0)
		close(fd);
	return text;
}

static bool is_open_already(const struct source *from)
{
	for (const struct source *s = from->includer; s; s = s->includer) {
		if (s->device == from->device && s->inode == from->inode)
			return true;
	}
	return false;
}

/* The path of @name as a file beside @file, to be freed; NULL if there is no memory. The scanner,
 * which was given a text, has put its own directory before a relative name. */
static char *path_beside(const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');
	size_t directory;
	char *path;

	if (strncmp(name, "./", 2) == 0)
		name += 2;
	directory = name[0] == '/' || !slash ? 0 : (size_t)(slash + 1 - file);
	path = malloc(directory + strlen(name) + 1);
	if (!path)
		return NULL;
	memcpy(path, file, directory);
	strcpy(path + directory, name);
	return path;
}

/* What $INCLUDE names, with the origin that the scanner left in its buffer. */
static void include(struct loading *l, const struct source *from, const zs_scanner_t *s)
{
	const struct zone_place place = {from->file, (uint32_t)s->line_counter};
	struct source in = {.includer = from, .depth = from->depth + 1, .ttl = s->default_ttl};
	char origin_text[NAME_TEXT_SIZE];
	struct name origin;
	const char *why;

	if (!name_parse((const char *)s->buffer, NULL, &origin, &why)) {
		fail(l, from->file, s->line_counter, "the origin is no name: %s", why);
		return;
	}
	if (!from->may_include) {
		fail(l, from->file, s->line_counter, "$INCLUDE is not possible here");
		return;
	}
	if (in.depth > LOAD_DEPTH_MAX) {
		fail(l, from->file, s->line_counter, "$INCLUDE is more than %d files deep",
			LOAD_DEPTH_MAX);
		return;
	}
	char *path = path_beside(from->file, s->include_filename);

	if (!path) {
		fail(l, from->file, s->line_counter, "there is no memory for %s",
			s->include_filename);
		return;
	}
	if (open_source(l, path, &place, &in)) {
		if (is_open_already(&in))
			fail(l, from->file, s->line_counter, "%s includes itself", path);
		else
			load_source(l, &in, name_format(origin.bytes, origin_text));
		free((char *)in.text);
	}
	free(path);
}

static bool is_delimiter(char c)
{
	return strchr(" \t\r\n();", c) != NULL; /* NUL is one, too */
}

/* The word that the scanner stopped in, if it is known: it leaves the rest of the line, and NUL, in its buffer. */
static int find_word(const struct source *from, const zs_scanner_t *s, const char **ret_word)
{
	const char *const end = from->text + from->size;
	const size_t rest = s->buffer_length - 1;
	const char *line_end = s->input.current, *first, *last;

	if (s->input.start != from->text)
		line_end = end; /* it adds the newline that the last line lacks */
	if (s->buffer_length == 0 || (size_t)(line_end - from->text) < rest ||
		memcmp(line_end - rest, s->buffer, rest) != 0)
		return 0;
	first = last = line_end - rest;
	while (first > from->text && !is_delimiter(first[-1]))
		first--;
	while (last < end && !is_delimiter(*last))
		last++;
	*ret_word = first;
	return last - first < WORD_MAX ? (int)(last - first) : WORD_MAX;
}

/* @s->r_type was 0 before the record. */
static const char *error_text(const zs_scanner_t *s)
{
	switch (s->error.code) {
	case ZS_BAD_ORIGIN:
	case ZS_BAD_INCLUDE_ORIGIN: return "the origin must be an absolute name, with a final dot";
	case ZS_BAD_DIRECTIVE: return "there are no directives but $ORIGIN, $TTL and $INCLUDE";
	case ZS_BAD_NUMBER:
	case ZS_BAD_TIME_UNIT:
	case ZS_UNSUPPORTED_TYPE:
		if (s->r_type == 0 && !s->error.fatal)
			return "a TTL, IN or a known type of record is expected here";
		break;
	default: break;
	}
	return zs_strerror(s->error.code);
}

static void fail_scan(struct loading *l, const struct source *from, const zs_scanner_t *s)
{
	const char *word;
	const int size = find_word(from, s, &word);

	if (size > 0)
		fail(l, from->file, s->line_counter, "\"%.*s\": %s", size, word, error_text(s));
	else
		fail(l, from->file, s->line_counter, "%s", error_text(s));
}

/* The next record, directive or error. */
static bool scan_next(zs_scanner_t *s)
{
	s->r_type = 0;
	return zs_parse_record(s) == 0;
}

static void free_scanner(zs_scanner_t *s)
{
	if (s)
		zs_deinit(s);
	free(s);
}

/* At the beginning of @from. NULL, and told, if there can be none. */
static zs_scanner_t *new_scanner(
	struct loading *l, const struct source *from, const char *origin, uint32_t ttl)
{
	zs_scanner_t *s = malloc(sizeof(*s)); /* 200 KiB */

	if (s && zs_init(s, origin, CLASS_IN, ttl) == 0 &&
		zs_set_input_string(s, from->text, from->size) == 0)
		return s;
	fail(l, from->file, 0, "it can't be scanned: %s",
		s ? zs_strerror(s->error.code) : "there is no memory for it");
	free_scanner(s);
	return NULL;
}

static bool has_found(const zs_scanner_t *s)
{
	return s->state == ZS_STATE_DATA || s->state == ZS_STATE_INCLUDE;
}

/* What seemed to have no TTL may have stated TTL_UNKNOWN itself, which is as wrong as any that large (RFC 2181 8): a
 * scanner that has another number for none can tell. */
static void look_again(struct loading *l, const struct source *from, const char *origin)
{
	zs_scanner_t *s = new_scanner(
		l, from, origin, from->ttl == TTL_UNKNOWN ? TTL_UNKNOWN - 1 : from->ttl);

	while (s && !is_given_up(l) && scan_next(s) && has_found(s)) {
		const uint32_t ttl = s->state == ZS_STATE_INCLUDE ? s->default_ttl : s->r_ttl;

		s->error.fatal = false; /* as of any $INCLUDE */
		if (ttl == TTL_UNKNOWN)
			fail(l, from->file, s->line_counter, "the TTL %u is too large (RFC 2181 8)",
				ttl);
	}
	free_scanner(s);
}

/* Scans text in ASCII. */
static void scan(struct loading *l, const struct source *from, const char *origin)
{
	zs_scanner_t *s = new_scanner(l, from, origin, from->ttl);
	bool more = s, unsure = false;

	while (more && !is_given_up(l) && scan_next(s)) {
		switch (s->state) {
		case ZS_STATE_DATA:
			unsure |= !has_ttl(s);
			take_record(l, from, s);
			break;
		case ZS_STATE_INCLUDE:
			s->error.fatal = false; /* as it sets it for any $INCLUDE */
			unsure |= s->default_ttl == TTL_UNKNOWN;
			include(l, from, s);
			break;
		case ZS_STATE_ERROR:
			fail_scan(l, from, s);
			more = !s->error.fatal;
			break;
		case ZS_STATE_NONE:
		case ZS_STATE_EOF:
		case ZS_STATE_STOP: more = false; break;
		}
	}
	free_scanner(s);
	if (unsure && l->n_errors == 0)
		look_again(l, from, origin);
}

static void take_prepass_problem(void *context, const struct prepass_problem *problem)
{
	const struct told_by_prepass *by = context;
	const struct zone_place place = {by->file, problem->line};

	tell(by->l, problem->is_error ? ZONE_ERROR : ZONE_WARNING, &place, problem->text);
}

static void load_source(struct loading *l, const struct source *from, const char *origin)
{
	struct told_by_prepass by = {l, from->file};
	const struct prepass_input in = {
		.text = from->text,
		.size = from->size,
		.origin = origin,
		.tell = take_prepass_problem,
		.context = &by,
	};
	struct source ascii = *from;

	if (!prepass_is_needed(from->text, from->size)) {
		scan(l, from, origin);
		return;
	}
	ascii.text = prepass_run(&in, &ascii.size);
	if (ascii.text)
		scan(l, &ascii, origin);
	ASSERT(ascii.text || l->n_errors > 0);
	free((char *)ascii.text);
}

static struct zone *load(struct loading *l, const struct source *from, const uint8_t *apex)
{
	char origin[NAME_TEXT_SIZE];

	l->z = zone_new(apex);
	if (l->z) {
		zone_set_file(l->z, from->file);
		load_source(l, from, name_format(apex, origin));
	} else {
		fail(l, from->file, 0, "there is no memory for the zone");
	}
	if (l->n_errors > 0) {
		zone_free(l->z);
		return NULL;
	}
	return l->z;
}

struct zone *load_file(const char *path, const uint8_t *apex, const struct zone_place *named,
	const struct load_listener *listener)
{
	struct loading l = {.listener = listener};
	struct source from = {.ttl = TTL_UNKNOWN};
	struct zone *z = NULL;

	if (open_source(&l, path, named, &from))
		z = load(&l, &from, apex);
	free((char *)from.text);
	return z;
}

struct zone *load_text(
	const struct load_text *text, const uint8_t *apex, const struct load_listener *listener)
{
	struct loading l = {.listener = listener};
	const struct source from = {
		.file = text->file,
		.text = text->text ? text->text : "",
		.size = text->size,
		.ttl = TTL_UNKNOWN,
	};

	return load(&l, &from, apex);
}
