/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/value.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "idn/idn.h"

#define FORM_SIZE 160

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {{"ms", 1000000u}, {"s", 1000000000u}, {"min", 60000000000u}};

static void *field(const struct schema_key *key, void *target)
{
	return (char *)target + key->offset;
}

const char *value_format_duration(tick duration, char buffer[static VALUE_DURATION_SIZE])
{
	uint32_t unit = 0;
	uint64_t rest;
	uint32_t digits = 9;

	if (duration >= units[2].ns && duration % units[2].ns == 0)
		unit = 2;
	else if (duration == 0 || duration >= units[1].ns)
		unit = 1;
	rest = duration % units[unit].ns;
	if (unit == 0)
		digits = 6;
	if (rest == 0) {
		snprintf(buffer, VALUE_DURATION_SIZE, "%" PRIu64 "%s", duration / units[unit].ns,
			units[unit].name);
		return buffer;
	}
	for (; rest % 10 == 0; rest /= 10)
		digits--;
	snprintf(buffer, VALUE_DURATION_SIZE, "%" PRIu64 ".%0*" PRIu64 "%s",
		duration / units[unit].ns, (int)digits, rest, units[unit].name);
	return buffer;
}

/* What a key wants, in words, from its entry in the table. */
static const char *describe(const struct schema_key *key, char buffer[static FORM_SIZE])
{
	char least[VALUE_DURATION_SIZE];
	char most[VALUE_DURATION_SIZE];

	if (key->form)
		return key->form;
	if (key->read == value_read_bool)
		return "true or false";
	if (key->read == value_read_name)
		return "a name of letters, digits, \"-\", \"_\" and \".\"";
	if (key->read == value_read_duration)
		snprintf(buffer, FORM_SIZE, "a duration from %s to %s",
			value_format_duration(key->least, least),
			value_format_duration(key->most, most));
	else
		snprintf(buffer, FORM_SIZE, "a whole number from %" PRIu64 " to %" PRIu64,
			key->least, key->most);
	return buffer;
}

void value_refuse(struct findings *findings, const struct schema_key *key, const struct tree *value)
{
	char form[FORM_SIZE];

	if (value->kind == TREE_NOTHING)
		findings_error(findings, value->at, "\"%s\" has no value; it is %s", key->name,
			describe(key, form));
	else if (value->kind == TREE_SCALAR)
		findings_error(findings, value->at, "\"%s\" will not do; \"%s\" is %s", value->text,
			key->name, describe(key, form));
	else
		findings_error(findings, value->at, "%s will not do; \"%s\" is %s",
			tree_kind_name(value), key->name, describe(key, form));
}

bool value_word(struct findings *findings, const struct schema_key *key, const struct tree *value,
	const char *const *words, uint32_t n_words, uint32_t *ret_word)
{
	for (uint32_t i = 0; i < n_words && value->kind == TREE_SCALAR; i++) {
		if (strcmp(value->text, words[i]) == 0) {
			*ret_word = i;
			return true;
		}
	}
	value_refuse(findings, key, value);
	return false;
}

/* Decimal digits at *@at, moved past them; false if there are none or the number is beyond 10^12. */
static bool take_digits(const char **at, uint64_t *ret_number, uint32_t *ret_digits)
{
	uint64_t number = 0;
	uint32_t digits = 0;

	while (**at >= '0' && **at <= '9') {
		number = number * 10 + (uint64_t)(**at - '0');
		if (number > 1000000000000u)
			return false;
		digits++;
		(*at)++;
	}
	*ret_number = number;
	*ret_digits = digits;
	return digits > 0;
}

bool value_number(struct findings *findings, const struct schema_key *key, const struct tree *value,
	uint64_t *ret_number)
{
	const char *at = value->text;
	uint64_t number;
	uint32_t digits;

	if (value->kind != TREE_SCALAR || !take_digits(&at, &number, &digits) || *at != '\0' ||
		number < key->least || number > key->most) {
		value_refuse(findings, key, value);
		return false;
	}
	*ret_number = number;
	return true;
}

/* A decimal number and its unit, into nanoseconds. The reason why it is none, or NULL. */
static const char *parse_duration(const char *text, tick *ret_duration)
{
	static const uint64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
	const char *at = text;
	uint64_t whole;
	uint64_t fraction = 0;
	uint32_t digits;
	uint32_t decimals = 0;

	if (!take_digits(&at, &whole, &digits))
		return "is not a duration";
	if (*at == '.') {
		at++;
		if (!take_digits(&at, &fraction, &decimals))
			return "is not a duration";
		if (decimals >= ARRAY_SIZE(tens))
			return "has too many decimals";
	}
	if (*at == '\0' && whole == 0 && fraction == 0) {
		*ret_duration = 0; /* nothing is nothing in any unit */
		return NULL;
	}
	if (*at == '\0')
		return "has no unit";
	for (uint32_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(at, units[i].name) != 0)
			continue;
		if (whole > 100000000u)
			return "is too long";
		*ret_duration = whole * units[i].ns + fraction * (units[i].ns / tens[decimals]);
		return NULL;
	}
	return "has an unknown unit";
}

bool value_duration(struct findings *findings, const struct schema_key *key,
	const struct tree *value, tick *ret_duration)
{
	char below[VALUE_DURATION_SIZE];
	char above[VALUE_DURATION_SIZE];
	const char *problem;
	tick duration;

	if (value->kind != TREE_SCALAR) {
		value_refuse(findings, key, value);
		return false;
	}
	problem = parse_duration(value->text, &duration);
	if (problem) {
		findings_error(findings, value->at,
			"\"%s\" %s; write a number with ms, s or min, such as 100ms or 1.5s",
			value->text, problem);
		return false;
	}
	if (duration < key->least || duration > key->most) {
		value_refuse(findings, key, value);
		return false;
	}
	if (key->step > 0 && duration % key->step != 0) {
		char step[VALUE_DURATION_SIZE];

		findings_error(findings, value->at,
			"\"%s\" is in steps of %s, and %s is between two; write %s or %s",
			key->name, value_format_duration(key->step, step), value->text,
			value_format_duration(duration - duration % key->step, below),
			value_format_duration(duration - duration % key->step + key->step, above));
		return false;
	}
	*ret_duration = duration;
	return true;
}

void value_read_u8(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	uint64_t number;

	ASSERT(key->most <= UINT8_MAX);
	if (value_number(findings, key, value, &number))
		*(uint8_t *)field(key, target) = (uint8_t)number;
}

void value_read_u32(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	uint64_t number;

	ASSERT(key->most <= UINT32_MAX);
	if (value_number(findings, key, value, &number))
		*(uint32_t *)field(key, target) = (uint32_t)number;
}

void value_read_bool(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	if (value->kind == TREE_SCALAR && strcmp(value->text, "true") == 0)
		*(bool *)field(key, target) = true;
	else if (value->kind == TREE_SCALAR && strcmp(value->text, "false") == 0)
		*(bool *)field(key, target) = false;
	else
		value_refuse(findings, key, value);
}

void value_read_duration(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	tick duration;

	if (value_duration(findings, key, value, &duration))
		*(tick *)field(key, target) = duration;
}

void value_read_name(struct findings *findings, const struct schema_key *key,
	const struct tree *value, void *target)
{
	value_name(findings, value, key->name, field(key, target));
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool value_name(struct findings *findings, const struct tree *value, const char *what,
	char ret_name[static CONFIG_NAME_SIZE])
{
	const size_t length = strlen(value->text);

	if (value->kind != TREE_SCALAR || length == 0) {
		findings_error(findings, value->at, "%s wants a name, and this is %s", what,
			length == 0 && value->kind == TREE_SCALAR ? "empty"
								  : tree_kind_name(value));
		return false;
	}
	if (length >= CONFIG_NAME_SIZE) {
		findings_error(findings, value->at,
			"this name has %zu characters; a name has %d at most", length,
			CONFIG_NAME_SIZE - 1);
		return false;
	}
	for (const char *at = value->text; *at != '\0'; at++) {
		if (is_alphanumeric(*at) || strchr("-_.", *at))
			continue;
		findings_error(findings, value->at,
			"\"%s\" is no name; write letters, digits, \"-\", \"_\" and \".\"",
			value->text);
		return false;
	}
	memcpy(ret_name, value->text, length + 1);
	return true;
}

bool value_domain(struct findings *findings, const struct tree *value, const char *what,
	char ret_name[static CONFIG_DOMAIN_SIZE])
{
	if (value->kind == TREE_SCALAR && strchr(value->text, '*')) {
		findings_error(findings, value->at,
			"%s is a domain name without \"*\"; write wildcards in the \"names\" of a "
			"service",
			what);
		return false;
	}
	return value_pattern(findings, value, what, ret_name);
}

bool value_pattern(struct findings *findings, const struct tree *value, const char *what,
	char ret_name[static CONFIG_DOMAIN_SIZE])
{
	char ascii[IDN_ASCII_SIZE];
	char problem[IDN_PROBLEM_SIZE];
	size_t length;

	if (value->kind != TREE_SCALAR || value->text[0] == '\0') {
		findings_error(findings, value->at,
			"%s is a domain name such as example.com, and this is %s", what,
			value->kind == TREE_SCALAR ? "empty" : tree_kind_name(value));
		return false;
	}
	if (!idn_to_ascii(value->text, ascii, problem) ||
		!idn_check_scripts(value->text, strlen(value->text), problem)) {
		findings_error(findings, value->at, "this is no domain name: %s", problem);
		return false;
	}
	length = strlen(ascii);
	if (ascii[length - 1] == '.')
		ascii[--length] = '\0';
	if (length == 0) {
		findings_error(findings, value->at, "the root of all names will not do here");
		return false;
	}
	ASSERT(length < CONFIG_DOMAIN_SIZE);
	memcpy(ret_name, ascii, length + 1);
	return true;
}

bool value_own_name(struct findings *findings, const struct tree *value, const char *what,
	char ret_name[static CONFIG_NAME_SIZE])
{
	char domain[CONFIG_DOMAIN_SIZE];
	size_t length;

	if (value->kind != TREE_SCALAR || !idn_is_beyond_ascii(value->text))
		return value_name(findings, value, what, ret_name);
	if (!value_domain(findings, value, what, domain))
		return false;
	length = strlen(domain);
	if (length >= CONFIG_NAME_SIZE) {
		findings_error(findings, value->at,
			"this name has %zu characters in ASCII (%s); a name has %d at most", length,
			domain, CONFIG_NAME_SIZE - 1);
		return false;
	}
	memcpy(ret_name, domain, length + 1);
	return true;
}

bool value_path(struct findings *findings, const struct schema_key *key, const struct tree *value,
	char ret_path[static CONFIG_PATH_SIZE])
{
	const size_t length = strlen(value->text);

	if (value->kind != TREE_SCALAR || value->text[0] != '/') {
		value_refuse(findings, key, value);
		return false;
	}
	if (length >= CONFIG_PATH_SIZE) {
		findings_error(findings, value->at, "this path has %zu characters; %d will do",
			length, CONFIG_PATH_SIZE - 1);
		return false;
	}
	memcpy(ret_path, value->text, length + 1);
	return true;
}

bool value_interface(struct findings *findings, const struct tree *value, char ret_name[static 16])
{
	const size_t length = strlen(value->text);
	bool good = value->kind == TREE_SCALAR && length > 0 && length < 16;

	/* what Linux allows, dev_valid_name(), without what could steer a terminal */
	for (const char *at = value->text; *at != '\0'; at++)
		good = good && *at > ' ' && *at < 0x7f && *at != '/' && *at != ':';
	if (!good || strcmp(value->text, ".") == 0 || strcmp(value->text, "..") == 0) {
		if (value->kind == TREE_SCALAR)
			findings_error(findings, value->at,
				"\"%s\" can't be the name of a network interface; write one such "
				"as eth0, of 15 characters at most",
				value->text);
		else
			findings_error(findings, value->at,
				"\"interface\" is the name of a network interface such as eth0, "
				"and this is %s",
				tree_kind_name(value));
		return false;
	}
	memcpy(ret_name, value->text, length + 1);
	return true;
}

/* 2001:db8:: without quotes, before a comma or at a line's end, is the key "2001:db8:" to YAML. */
bool value_is_unquoted_ipv6(const struct tree *value)
{
	char text[ADDR_STRLEN + 2];
	struct addr a;

	if (value->kind != TREE_MAPPING || value->n != 1 || value->first->kind != TREE_NOTHING ||
		strlen(value->first->key->text) >= ADDR_STRLEN)
		return false;
	snprintf(text, sizeof text, "%s:", value->first->key->text);
	return addr_parse(text, &a);
}

static void refuse_address(struct findings *findings, const struct tree *value, const char *what)
{
	const char *const text = value->text;
	const char *const slash = strchr(text, '/');
	char address[ADDR_STRLEN];
	struct addr a;

	if (slash && slash - text < ADDR_STRLEN) {
		memcpy(address, text, (size_t)(slash - text));
		address[slash - text] = '\0';
		if (addr_parse(address, &a)) {
			findings_error(findings, value->at,
				"%s is written without a prefix length; write %s", what, address);
			return;
		}
	}
	if (strchr(text, '-') && text[0] >= '0' && text[0] <= '9')
		findings_error(findings, value->at,
			"\"%s\" is not an address; roost knows no ranges, list each address", text);
	else
		findings_error(findings, value->at,
			"\"%s\" is not an address; %s is one such as 10.1.1.201 or 2001:db8::201",
			text, what);
}

bool value_address(struct findings *findings, const struct tree *value, const char *what,
	struct addr *ret_address)
{
	char buffer[ADDR_STRLEN];
	struct addr a;

	if (value_is_unquoted_ipv6(value)) {
		findings_error(findings, value->first->key->at,
			"YAML takes the last colon for the end of a key; write \"%s:\", with "
			"quotes",
			value->first->key->text);
		return false;
	}
	if (value->kind != TREE_SCALAR) {
		findings_error(findings, value->at,
			"%s is an address such as 10.1.1.201, and this is %s", what,
			tree_kind_name(value));
		return false;
	}
	if (!addr_parse(value->text, &a)) {
		refuse_address(findings, value, what);
		return false;
	}
	if (addr_is_ipv4(&a) && strchr(value->text, ':')) {
		findings_error(findings, value->at,
			"\"%s\" is an IPv4 address in disguise; write %s", value->text,
			addr_format(&a, buffer));
		return false;
	}
	*ret_address = a;
	return true;
}

bool value_is_loopback(const struct addr *a)
{
	static const struct addr ipv6_loopback = {.b = {[15] = 1}};

	return addr_is_ipv4(a) ? addr_ipv4_bytes(a)[0] == 127 : addr_equal(a, &ipv6_loopback);
}

const char *value_host_problem(const struct addr *a)
{
	uint8_t first;

	if (addr_is_multicast(a))
		return "a multicast address";
	if (addr_is_none(a))
		return "the unspecified address";
	if (value_is_loopback(a))
		return "a loopback address";
	if (!addr_is_ipv4(a))
		return NULL;
	first = addr_ipv4_bytes(a)[0];
	if (first == 0)
		return "an unspecified address"; /* "this network", RFC 1122 3.2.1.3 */
	return first >= 240 ? "a reserved address" : NULL;
}
