/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/tree.h"

#include <libfyaml.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define BLOCK_SIZE 65536

static const char too_many_values[] = "the file has too many values; roost is made for 10,000 VIPs";

/* Memory for nodes and their texts comes from blocks that are freed together. */
struct block {
	struct block *next;
	size_t size, used;
	_Alignas(max_align_t) char bytes[];
};

struct tree_file {
	struct block *blocks;
	struct tree *root;
	uint32_t n_nodes;
};

/* A list or mapping whose end is still to come. */
struct level {
	struct tree *tree;
	struct tree *key; /* of a mapping: the key that waits for its value */
	bool bracketed;   /* [ ] or { }, by contrast to indentation */
};

struct builder {
	struct tree_file *file;
	struct findings *findings;
	struct level stack[TREE_DEPTH_MAX];
	uint32_t depth;
	bool done; /* the document has ended */
	bool failed;
};

static void *allocate(struct tree_file *file, size_t size)
{
	struct block *block = file->blocks;

	size = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (!block || block->size - block->used < size) {
		const size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		block = malloc(sizeof *block + room);
		if (!block)
			return NULL;
		block->next = file->blocks;
		block->size = room;
		block->used = 0;
		file->blocks = block;
	}
	block->used += size;
	return block->bytes + block->used - size;
}

void tree_free(struct tree_file *file)
{
	if (!file)
		return;
	while (file->blocks) {
		struct block *block = file->blocks;

		file->blocks = block->next;
		free(block);
	}
	free(file);
}

const struct tree *tree_root(const struct tree_file *file)
{
	return file->root;
}

const char *tree_kind_name(const struct tree *tree)
{
	switch (tree->kind) {
	case TREE_NOTHING: return "nothing";
	case TREE_SCALAR: return "a single value";
	case TREE_LIST: return tree->n > 0 ? "a list" : "an empty list";
	case TREE_MAPPING: return tree->n > 0 ? "a mapping" : "an empty mapping";
	}
	return "?";
}

static struct place place_of(const struct fy_token *token)
{
	/* libfyaml counts from 0 */
	const struct fy_mark *start = fy_token_start_mark((struct fy_token *)token);
	const struct fy_mark *end = fy_token_end_mark((struct fy_token *)token);
	struct place at = {.line = 1, .column = 1, .width = 1};

	if (!start)
		return at;
	at.line = (uint32_t)start->line + 1;
	at.column = (uint32_t)start->column + 1;
	if (!end)
		return at;
	if (end->line == start->line && end->column > start->column)
		at.width = (uint32_t)(end->column - start->column);
	else if (end->line > start->line)
		at.width = UINT32_MAX; /* to the end of the line */
	return at;
}

static void fail(struct builder *b, struct place at, const char *message)
{
	findings_error(b->findings, at, "%s", message);
	b->failed = true;
}

static struct tree *new_tree(struct builder *b, enum tree_kind kind, struct place at)
{
	struct tree *tree;

	if (b->file->n_nodes++ == TREE_NODES_MAX) {
		fail(b, at, too_many_values);
		return NULL;
	}
	tree = allocate(b->file, sizeof *tree);
	if (!tree)
		fail(b, at, "out of memory");
	else
		*tree = (struct tree){.kind = kind, .at = at, .text = ""};
	return tree;
}

/* Where an empty value is missing: after its key, or in its list. */
static struct place place_of_nothing(const struct builder *b)
{
	const struct level *level;

	if (b->depth == 0)
		return (struct place){.line = 1, .column = 1, .width = 1};
	level = &b->stack[b->depth - 1];
	if (level->key)
		return level->key->at;
	return level->tree->last ? level->tree->last->at : level->tree->at;
}

/* Hangs @tree into the innermost open list or mapping, or makes it the root. */
static void attach(struct builder *b, struct tree *tree)
{
	struct level *level;

	if (b->depth == 0) {
		b->file->root = tree;
		return;
	}
	level = &b->stack[b->depth - 1];
	if (level->tree->kind == TREE_MAPPING) {
		if (!level->key) {
			if (tree->kind == TREE_LIST || tree->kind == TREE_MAPPING)
				fail(b, tree->at, "a key is a word, not a list or a mapping");
			level->key = tree;
			return;
		}
		tree->key = level->key;
		level->key = NULL;
	}
	if (level->tree->last)
		level->tree->last->next = tree;
	else
		level->tree->first = tree;
	level->tree->last = tree;
	level->tree->n++;
}

static void add_scalar(struct builder *b, struct fy_token *token)
{
	const bool plain = !token || fy_token_scalar_style(token) == FYSS_PLAIN;
	struct tree *tree;
	const char *text;
	size_t size = 0;
	char *copy;

	text = token ? fy_token_get_text(token, &size) : "";
	if (!text || (size == 0 && plain)) {
		tree = new_tree(b, TREE_NOTHING, place_of_nothing(b));
		if (tree)
			attach(b, tree);
		return;
	}
	tree = new_tree(b, TREE_SCALAR, place_of(token));
	if (!tree)
		return;
	if (memchr(text, '\0', size)) { /* "\0" makes one */
		fail(b, tree->at, "a NUL character");
		return;
	}
	copy = allocate(b->file, size + 1);
	if (!copy) {
		fail(b, tree->at, "out of memory");
		return;
	}
	memcpy(copy, text, size);
	copy[size] = '\0';
	tree->text = copy;
	attach(b, tree);
}

static void open_level(struct builder *b, enum tree_kind kind, struct fy_token *token)
{
	struct tree *tree = new_tree(b, kind, place_of(token));
	const struct fy_mark *start = fy_token_start_mark(token);
	const struct fy_mark *end = fy_token_end_mark(token);

	if (!tree)
		return;
	if (b->depth == TREE_DEPTH_MAX) {
		fail(b, tree->at, "lists and mappings are nested too deeply");
		return;
	}
	attach(b, tree);
	/* only a bracket has a width */
	b->stack[b->depth++] = (struct level){
		.tree = tree,
		.bracketed = start && end && end->input_pos > start->input_pos,
	};
}

static void refuse_marks(struct builder *b, struct fy_token *anchor, struct fy_token *tag)
{
	if (anchor)
		fail(b, place_of(anchor),
			"anchors (&) and aliases (*) are not supported; write the value out");
	if (tag)
		fail(b, place_of(tag), "tags (!) are not supported; leave it out");
}

static void take_event(struct builder *b, struct fy_event *ev)
{
	switch (ev->type) {
	case FYET_DOCUMENT_START:
		if (b->done)
			fail(b, place_of(fy_event_get_token(ev)),
				"a second document; the file is one, without \"---\" in it");
		break;
	case FYET_DOCUMENT_END: b->done = true; break;
	case FYET_MAPPING_START:
		refuse_marks(b, ev->mapping_start.anchor, ev->mapping_start.tag);
		open_level(b, TREE_MAPPING, ev->mapping_start.mapping_start);
		break;
	case FYET_SEQUENCE_START:
		refuse_marks(b, ev->sequence_start.anchor, ev->sequence_start.tag);
		open_level(b, TREE_LIST, ev->sequence_start.sequence_start);
		break;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		ASSERT(b->depth > 0);
		b->depth--;
		break;
	case FYET_SCALAR:
		refuse_marks(b, ev->scalar.anchor, ev->scalar.tag);
		add_scalar(b, ev->scalar.value);
		break;
	case FYET_ALIAS: refuse_marks(b, ev->alias.anchor, NULL); break;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END: break;
	}
}

/* What would be right, for mistakes that many make. */
static const struct {
	const char *problem; /* in libfyaml's words */
	const char *hint;
} advice[] = {
	{"invalid nested block mapping",
		"a value with a colon at its end (2001:db8::) or before a blank needs quotes"},
	{"invalid multiline plain key", "entries of one mapping begin in the same column"},
	{"tab", "indent with blanks"},
	{"closing quote", "add the quote"},
};

/* The parser's own complaint: the first one; what follows it is its echo. */
static void report_syntax(struct builder *b, struct fy_diag *diag)
{
	const struct level *open = b->depth > 0 ? &b->stack[b->depth - 1] : NULL;
	const struct fy_diag_error *error;
	struct place at = {.line = 1, .column = 1, .width = 1};
	const char *hint = NULL;
	void *iterator = NULL;

	b->failed = true;
	error = fy_diag_errors_iterate(diag, &iterator);
	if (!error) {
		findings_error(b->findings, at, "this is not YAML");
		return;
	}
	if (error->line > 0 && error->column > 0) {
		at.line = (uint32_t)error->line;
		at.column = (uint32_t)error->column;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(advice); i++)
		if (strstr(error->msg, advice[i].problem))
			hint = advice[i].hint;
	if (hint)
		findings_error(b->findings, at, "YAML: %s; %s", error->msg, hint);
	else if (open && open->bracketed)
		findings_error(b->findings, at,
			"YAML: %s; the \"%c\" of line %u, column %u is open", error->msg,
			open->tree->kind == TREE_LIST ? '[' : '{', open->tree->at.line,
			open->tree->at.column);
	else
		findings_error(b->findings, at, "YAML: %s", error->msg);
}

static void discard(struct fy_diag *diag, void *user, const char *text, size_t size)
{
	(void)diag, (void)user, (void)text, (void)size;
}

static void build(struct builder *b, const char *text, size_t size)
{
	const struct fy_diag_cfg diag_cfg = {
		.output_fn = discard, .level = FYET_ERROR, .module_mask = UINT_MAX};
	struct fy_parse_cfg cfg = {.flags = FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE |
					    FYPCF_COLLECT_DIAG | FYPCF_SLOPPY_FLOW_INDENTATION};
	struct fy_parser *parser;
	bool ended = false;

	cfg.diag = fy_diag_create(&diag_cfg);
	if (!cfg.diag)
		return fail(b, (struct place){0}, "out of memory");
	fy_diag_set_collect_errors(cfg.diag, true);
	parser = fy_parser_create(&cfg);
	if (!parser || fy_parser_set_string(parser, text, size) != 0) {
		fail(b, (struct place){0}, "out of memory");
		goto out;
	}
	while (!b->failed && !ended) {
		struct fy_event *ev = fy_parser_parse(parser);

		if (!ev) {
			report_syntax(b, cfg.diag);
			break;
		}
		take_event(b, ev);
		ended = ev->type == FYET_STREAM_END;
		fy_parser_event_free(parser, ev);
	}
out:
	fy_parser_destroy(parser);
	fy_diag_destroy(cfg.diag);
}

/* Bytes of the UTF-8 character at @text, or 0 if there is none or it is a control character. */
static size_t character_size(const unsigned char *text, size_t size)
{
	static const uint32_t least[5] = {[2] = 0x80, [3] = 0x800, [4] = 0x10000};
	const unsigned char c = text[0];
	const size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	uint32_t code = c & (0x7fu >> n);

	if (n == 1)
		return c >= ' ' || c == '\t' || c == '\n' || c == '\r' ? 1 : 0;
	if (c < 0xc2 || c > 0xf4 || n > size)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3fu);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) || code < 0xa0)
		return 0;
	return n;
}

/* Why the character at @text, @size bytes, is refused, or NULL. @separators: how many before it. */
static const char *refusal(const char *text, size_t size, bool begins_line, uint32_t separators)
{
	if (size == 0)
		return "a byte that has no place in a text; save the file as UTF-8";
	if (begins_line && text[0] == '%')
		return "directives (%) are not supported; leave it out";
	if (separators > TREE_NODES_MAX)
		return too_many_values;
	return NULL;
}

/*
 * Keeps from libfyaml what it is not good at. It takes a byte that is no UTF-8 for the end of the
 * file, and would lose the rest silently; a mebibyte of "%" costs it minutes, one of "[" a gigabyte.
 */
static bool is_harmless(const char *text, size_t size, struct findings *findings)
{
	struct place at = {.line = 1, .column = 1, .width = 1};
	uint32_t separators = 0;
	size_t i = 0;

	while (i < size) {
		const size_t n = character_size((const unsigned char *)text + i, size - i);
		const char *problem;

		separators += text[i] == ',' || text[i] == '[' || text[i] == '{';
		problem = refusal(text + i, n, at.column == 1, separators);
		if (problem) {
			findings_error(findings, at, "%s", problem);
			return false;
		}
		at.column++;
		if (text[i] == '\n') {
			at.line++;
			at.column = 1;
		}
		i += n;
	}
	return true;
}

struct tree_file *tree_read(const char *text, size_t size, struct findings *findings)
{
	struct builder b = {.findings = findings};

	if (size > TREE_FILE_MAX) {
		findings_error(findings, (struct place){0}, "the file is larger than %u MiB",
			TREE_FILE_MAX >> 20);
		return NULL;
	}
	if (!is_harmless(text, size, findings))
		return NULL;
	b.file = calloc(1, sizeof *b.file);
	if (!b.file) {
		findings_error(findings, (struct place){0}, "out of memory");
		return NULL;
	}
	build(&b, text, size);
	if (!b.failed && (!b.file->root || b.file->root->kind == TREE_NOTHING))
		fail(&b, (struct place){.line = 1, .column = 1, .width = 1},
			"the file is empty; it needs at least interface, nodes and services");
	if (b.failed) {
		tree_free(b.file);
		return NULL;
	}
	return b.file;
}
