/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "status/status.h"
#include "suite.h"

/* 2026-11-22T19:00:00Z */
#define WALL_S 1795374000u

/* Two nodes, two VIPs; this is www1, started 100 s after boot, asked 20.5 s later. */
struct scene {
	struct config config;
	struct config_node nodes[2];
	struct config_interface interface;
	struct config_service service;
	struct config_bundle bundles[2];
	struct config_vip vips[2];
	struct plan *plan;
	struct node *node;
	struct status_input input;
};

static struct addr parsed(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_parse(text, &a), "%s", text);
	return a;
}

static void scene_config(struct scene *s)
{
	*s = (struct scene){
		.nodes =
			{
				{.name = "www1", .n_addresses = 1, .weight = 1},
				{.name = "www2", .n_addresses = 2, .weight = 2},
			},
		.interface = {.name = "eth0", .vrid_first = 7, .vrid_count = 20},
		.service = {.name = "www",
			.n_vips = 2,
			.n_bundles = 2,
			.vrrp = {.version = 3, .interval = tick_ms(100), .preempt = true}},
		.bundles =
			{
				{.first_vip = 0, .n_vips = 1, .preferred = 0},
				{.first_vip = 1, .n_vips = 1, .preferred = 1},
			},
		.vips =
			{
				{.address = parsed("10.1.1.201"), .bundle = 0},
				{.address = parsed("10.1.1.202"), .bundle = 1},
			},
	};
	s->nodes[0].addresses[0] = parsed("10.1.1.2");
	s->nodes[1].addresses[0] = parsed("10.1.1.3");
	s->nodes[1].addresses[1] = parsed("2001:db8::3");
	s->config = (struct config){
		.cluster = "shop",
		.nodes = s->nodes,
		.interfaces = &s->interface,
		.services = &s->service,
		.bundles = s->bundles,
		.vips = s->vips,
		.n_nodes = 2,
		.n_interfaces = 1,
		.n_services = 1,
		.n_bundles = 2,
		.n_vips = 2,
		.announce = {.n_shots = 1, .rate = 2000, .burst = 1024},
	};
}

static void scene_open(struct scene *s)
{
	scene_config(s);
	s->plan = plan_new(&s->config, 1500, NULL);
	ck_assert_ptr_nonnull(s->plan);
	s->node = node_new(&(struct node_setup){.config = &s->config, .plan = s->plan, .self = 0},
		tick_s(100));
	ck_assert_ptr_nonnull(s->node);
	s->node->interfaces[0].up = true;
	s->node->interfaces[0].sources[FAMILY_IPV4] = parsed("10.1.1.2");
	s->input = (struct status_input){
		.node = s->node,
		.version = "1.2.3",
		.started = tick_s(100),
		.now = tick_ms(120500),
		.wall_ns = tick_s(WALL_S),
		.fence = {.mechanism = "tcx", .is_full = true},
	};
}

static void scene_close(struct scene *s)
{
	node_free(s->node);
	plan_free(s->plan);
}

static struct vrrp *vrrp_of(struct scene *s, uint32_t vip)
{
	return &s->node->units[s->node->vips[vip].unit].vrrp;
}

/* www1 has served the first VIP for 15.25 s. */
static void serve_first(struct scene *s)
{
	struct vrrp *v = vrrp_of(s, 0);

	v->state = VRRP_ACTIVE;
	v->why = VRRP_WHY_SILENCE;
	v->since = tick_ms(105250);
	s->node->vips[0].observed = VRRP_HOLD_FULL;
}

/* @source was heard 20 ms ago as the Active of the second VIP. */
static void hear_second_from(struct scene *s, const char *source)
{
	struct vrrp *v = vrrp_of(s, 1);

	v->state = VRRP_BACKUP;
	v->why = VRRP_WHY_BETTER;
	v->since = tick_ms(101000);
	v->active_since = tick_ms(120000);
	v->active = parsed(source);
	v->active_priority = 254;
	v->heard = tick_ms(120480);
	v->served_until = tick_ms(120780);
}

static json_t *document_of(struct scene *s)
{
	char *text = status_render(&s->input);
	json_t *document;

	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_null(strchr(text, '\n'));
	document = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(document);
	free(text);
	return document;
}

static json_t *vip_of(const json_t *document, size_t index)
{
	return json_array_get(json_object_get(document, "vips"), index);
}

static void expect_text(const json_t *object, const char *key, const char *text)
{
	ck_assert_pstr_eq(json_string_value(json_object_get(object, key)), text);
}

START_TEST(the_document_is_the_agreed_one)
{
	static const char golden[] =
		"{\"version\":\"1.2.3\",\"node\":\"www1\",\"cluster\":\"shop\","
		"\"state\":\"serving\",\"uptime_s\":20.5,\"redundancy\":1,"
		"\"vips\":[{\"address\":\"10.1.1.201\",\"service\":\"www\",\"interface\":\"eth0\","
		"\"vrid\":7,\"state\":\"active\",\"holder\":\"www1\",\"order\":[\"www1\",\"www2\"],"
		"\"place\":0,\"priority\":254,\"held\":true,\"since\":\"2026-11-22T18:59:44Z\","
		"\"since_s\":15.25,\"why\":\"nobody advertised it\"},"
		"{\"address\":\"10.1.1.202\",\"service\":\"www\",\"interface\":\"eth0\","
		"\"vrid\":8,\"state\":\"backup\",\"holder\":\"www2\",\"order\":[\"www2\",\"www1\"],"
		"\"place\":1,\"priority\":128,\"held\":false,\"since\":\"2026-11-22T18:59:59Z\","
		"\"since_s\":0.5,\"why\":\"it comes first in the order\"}],"
		"\"nodes\":[{\"name\":\"www1\",\"addresses\":[\"10.1.1.2\"],\"weight\":1,"
		"\"self\":true,\"heard_s\":null,\"vips\":1,\"adverts\":0,\"missed\":0},"
		"{\"name\":\"www2\",\"addresses\":[\"10.1.1.3\",\"2001:db8::3\"],\"weight\":2,"
		"\"self\":false,\"heard_s\":0.02,\"vips\":1,\"adverts\":100,\"missed\":3}],"
		"\"interfaces\":[{\"name\":\"eth0\",\"up\":true,\"ipv4\":\"10.1.1.2\","
		"\"ipv6\":null}],\"fence\":{\"mechanism\":\"tcx\",\"protected\":true,"
		"\"reason\":null,\"inherited\":false,\"dropped\":{\"arriving_data\":0,"
		"\"arriving_neighbour\":0,\"leaving_data\":0,\"leaving_neighbour\":0}},"
		"\"counters\":{";
	struct scene s;
	char *text;

	scene_open(&s);
	serve_first(&s);
	hear_second_from(&s, "10.1.1.3");
	s.node->peers[1] = (struct node_peer){.heard = tick_ms(120480),
		.adverts = 100,
		.missed = 3,
		.source = parsed("10.1.1.3")};
	text = status_render(&s.input);
	ck_assert_ptr_nonnull(text);
	text[sizeof golden - 1] = '\0';
	ck_assert_str_eq(text, golden);
	free(text);
	scene_close(&s);
}
END_TEST

START_TEST(every_counter_is_told_by_its_name)
{
	struct scene s;
	json_t *document, *counters, *value;
	const char *name;

	scene_open(&s);
	s.node->counters.received[ADVERT_BAD_CHECKSUM] = 5;
	s.node->counters.auth[AUTH_BAD_HMAC] = 7;
	s.node->counters.late_turns = 6;
	s.node->counters.lapses = 8;
	document = document_of(&s);
	counters = json_object_get(document, "counters");
	/* every field of struct node_counters is a uint64_t */
	ck_assert_uint_eq(
		json_object_size(counters), sizeof(struct node_counters) / sizeof(uint64_t));
	json_object_foreach(counters, name, value)
		ck_assert_ptr_null(strchr(name, '-')); /* .counters.bad_hmac, without quotes */
	ck_assert_int_eq(json_integer_value(json_object_get(counters, "bad_checksum")), 5);
	ck_assert_int_eq(json_integer_value(json_object_get(counters, "bad_hmac")), 7);
	ck_assert_int_eq(json_integer_value(json_object_get(counters, "late_turns")), 6);
	ck_assert_int_eq(json_integer_value(json_object_get(counters, "lapses")), 8);
	ck_assert_int_eq(json_integer_value(json_object_get(counters, "accepted")), 0);
	json_decref(document);
	scene_close(&s);
}
END_TEST

START_TEST(a_fence_that_does_not_protect_says_why)
{
	struct scene s;
	json_t *document, *fence, *dropped;

	scene_open(&s);
	s.input.fence = (struct status_fence){
		.mechanism = "lifetime",
		.reason = "no bpffs",
		.inherited = true,
		.arriving_data = 1,
		.arriving_neighbour = 2,
		.leaving_data = 3,
		.leaving_neighbour = 4,
	};
	document = document_of(&s);
	fence = json_object_get(document, "fence");
	dropped = json_object_get(fence, "dropped");
	expect_text(fence, "mechanism", "lifetime");
	expect_text(fence, "reason", "no bpffs");
	ck_assert(json_is_false(json_object_get(fence, "protected")));
	ck_assert(json_is_true(json_object_get(fence, "inherited")));
	ck_assert_int_eq(json_integer_value(json_object_get(dropped, "arriving_data")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(dropped, "arriving_neighbour")), 2);
	ck_assert_int_eq(json_integer_value(json_object_get(dropped, "leaving_data")), 3);
	ck_assert_int_eq(json_integer_value(json_object_get(dropped, "leaving_neighbour")), 4);
	json_decref(document);
	scene_close(&s);
}
END_TEST

START_TEST(a_stranger_who_answers_for_a_vip_is_told_with_its_mac)
{
	const uint64_t verdicts[NEIGHBOUR_VERDICTS] = {[NEIGHBOUR_BAD_CHECKSUM] = 9};
	const uint8_t mac[] = {2, 0, 0, 0, 0, 0x64};
	struct scene s;
	json_t *document, *conflict, *counters;
	struct conflict *c;

	scene_open(&s);
	serve_first(&s);
	s.node->vips[0].yielded = true;
	c = conflict_new(&s.config, 0, 1);
	c->vips[0].since = tick_ms(110500);
	c->vips[0].heard = tick_ms(120250);
	memcpy(c->vips[0].mac, mac, sizeof mac);
	c->counters.defences = 3;
	s.input.strangers = (struct status_strangers){c, verdicts, .own = 1, .dropped = 2};
	document = document_of(&s);
	conflict = json_object_get(vip_of(document, 0), "conflict");
	expect_text(conflict, "mac", "02:00:00:00:00:64");
	expect_text(conflict, "since", "2026-11-22T18:59:50Z");
	ck_assert_double_eq(json_number_value(json_object_get(conflict, "since_s")), 10);
	ck_assert_double_eq(json_number_value(json_object_get(conflict, "heard_s")), 0.25);
	ck_assert(json_is_true(json_object_get(conflict, "yielded")));
	ck_assert_ptr_null(json_object_get(vip_of(document, 1), "conflict"));
	counters = json_object_get(document, "counters");
	ck_assert_uint_eq(json_object_size(counters),
		(sizeof(struct node_counters) + sizeof(struct conflict_counters) +
			sizeof verdicts) /
				sizeof(uint64_t) +
			2);
	ck_assert_int_eq(json_integer_value(json_object_get(counters, "defences")), 3);
	ck_assert_int_eq(
		json_integer_value(json_object_get(counters, "neighbour_bad_checksum")), 9);
	ck_assert_int_eq(json_integer_value(json_object_get(counters, "neighbour_own")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(counters, "neighbour_dropped")), 2);
	json_decref(document);
	conflict_free(c);
	scene_close(&s);
}
END_TEST

START_TEST(nobody_holds_a_vip_before_anything_was_heard)
{
	struct scene s;
	json_t *document;

	scene_open(&s);
	document = document_of(&s);
	expect_text(vip_of(document, 0), "state", "initialize");
	ck_assert(json_is_null(json_object_get(vip_of(document, 0), "holder")));
	ck_assert_ptr_null(json_object_get(vip_of(document, 0), "stranger"));
	/* since the daemon's start, not since boot */
	expect_text(vip_of(document, 0), "since", "2026-11-22T18:59:39Z");
	json_decref(document);
	scene_close(&s);
}
END_TEST

START_TEST(a_holder_that_is_no_node_is_called_a_stranger)
{
	struct scene s;
	json_t *document;

	scene_open(&s);
	hear_second_from(&s, "10.1.1.99");
	vrrp_of(&s, 1)->active_priority = 77; /* of no place in an order */
	document = document_of(&s);
	ck_assert(json_is_null(json_object_get(vip_of(document, 1), "holder")));
	expect_text(vip_of(document, 1), "stranger", "10.1.1.99");
	json_decref(document);
	scene_close(&s);
}
END_TEST

START_TEST(one_who_fell_silent_holds_nothing)
{
	struct scene s;
	json_t *document;

	scene_open(&s);
	hear_second_from(&s, "10.1.1.3");
	s.input.now = tick_ms(120780);
	document = document_of(&s);
	ck_assert(json_is_null(json_object_get(vip_of(document, 1), "holder")));
	ck_assert_ptr_null(json_object_get(vip_of(document, 1), "stranger"));
	json_decref(document);
	scene_close(&s);
}
END_TEST

START_TEST(a_backup_says_why_the_holder_is_the_holder)
{
	struct scene s;
	json_t *document;

	scene_open(&s);
	hear_second_from(&s, "10.1.1.3");
	vrrp_of(&s, 1)->why = VRRP_WHY_START;
	document = document_of(&s);
	expect_text(vip_of(document, 1), "why", "it comes first in the order");
	json_decref(document);
	scene_close(&s);
}
END_TEST

START_TEST(the_state_tells_the_gravest_fact)
{
	struct scene s;
	json_t *document;

	scene_open(&s);
	s.node->kernel_ill = true;
	document = document_of(&s);
	expect_text(document, "state", "ill");
	json_decref(document);
	s.node->drained = true;
	document = document_of(&s);
	expect_text(document, "state", "drained");
	json_decref(document);
	s.node->stopping = true;
	document = document_of(&s);
	expect_text(document, "state", "stopping");
	json_decref(document);
	scene_close(&s);
}
END_TEST

START_TEST(a_clock_that_was_never_set_does_no_harm)
{
	struct scene s;
	json_t *document;

	scene_open(&s);
	s.input.wall_ns = 0;
	document = document_of(&s);
	expect_text(vip_of(document, 0), "since", "1970-01-01T00:00:00Z");
	json_decref(document);
	s.input.wall_ns = UINT64_MAX;
	document = document_of(&s);
	ck_assert_ptr_nonnull(json_object_get(vip_of(document, 0), "since"));
	json_decref(document);
	scene_close(&s);
}
END_TEST

/* @lists: held and unheld, as JSON. */
static void expect_holders(struct scene *s, const char *lists)
{
	char *text = status_render_holders(s->node, s->input.now);
	char expected[256];

	snprintf(expected, sizeof expected, "{\"node\":\"www1\",\"vips\":2,%s}", lists);
	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(every_vip_is_held_or_not_for_name_servers)
{
	struct scene s;

	scene_open(&s);
	expect_holders(&s, "\"held\":[],\"unheld\":[\"10.1.1.201\",\"10.1.1.202\"]");
	serve_first(&s);
	expect_holders(&s, "\"held\":[\"10.1.1.201\"],\"unheld\":[\"10.1.1.202\"]");
	hear_second_from(&s, "10.1.1.3");
	expect_holders(&s, "\"held\":[\"10.1.1.201\",\"10.1.1.202\"],\"unheld\":[]");
	/* a stranger serves it as well */
	hear_second_from(&s, "10.1.1.77");
	expect_holders(&s, "\"held\":[\"10.1.1.201\",\"10.1.1.202\"],\"unheld\":[]");
	s.input.now = vrrp_of(&s, 1)->served_until;
	expect_holders(&s, "\"held\":[\"10.1.1.201\"],\"unheld\":[\"10.1.1.202\"]");
	/* advertised, but left to a machine that answers for it */
	s.node->vips[0].yielded = true;
	expect_holders(&s, "\"held\":[],\"unheld\":[\"10.1.1.201\",\"10.1.1.202\"]");
	scene_close(&s);
}
END_TEST

START_TEST(requests_are_understood)
{
	static const struct {
		const char *line;
		enum status_command command;
	} requests[] = {
		{"{\"command\":\"status\"}", STATUS_COMMAND_STATUS},
		{"{\"command\":\"holders\"}", STATUS_COMMAND_HOLDERS},
		{"{\"command\":\"drain\"}\n", STATUS_COMMAND_DRAIN},
		{" { \"command\" : \"undrain\" } \r\n", STATUS_COMMAND_UNDRAIN},
		{"{\"command\":\"\\u0073tatus\"}", STATUS_COMMAND_STATUS},
		{"{\"command\":\"reload\"}", STATUS_COMMAND_RELOAD},
	};
	const char *error = "untouched";

	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		const char *line = requests[i].line;

		ck_assert_int_eq(
			status_parse_request(line, strlen(line), &error), requests[i].command);
		ck_assert_str_eq(error, "untouched");
	}
}
END_TEST

START_TEST(other_requests_are_refused_with_a_reason)
{
	static const struct {
		const char *line;
		const char *reason;
	} requests[] = {
		{"", "not one JSON object"},
		{"status", "not one JSON object"},
		{"[\"status\"]", "not one JSON object"},
		{"\"status\"", "not one JSON object"},
		{"null", "not one JSON object"},
		{"{\"command\":\"status\"", "not one JSON object"},
		{"{\"command\":\"status\"}{}", "not one JSON object"},
		{"{\"command\":\"status\",\"command\":\"drain\"}", "not one JSON object"},
		{"{\"command\":\"st\xff\xfe\"}", "not one JSON object"},
		{"{}", "no \"command\" that is a string"},
		{"{\"command\":7}", "no \"command\" that is a string"},
		{"{\"command\":null}", "no \"command\" that is a string"},
		{"{\"commands\":\"status\"}", "no \"command\" that is a string"},
		{"{\"command\":\"status\",\"vip\":\"10.1.1.201\"}", "a key other than"},
		{"{\"command\":\"\"}", "none of status, holders, drain, undrain and reload"},
		{"{\"command\":\"stop\"}", "none of status, holders, drain, undrain and reload"},
		{"{\"command\":\"Status\"}", "none of status, holders, drain, undrain and reload"},
		{"{\"command\":\"status \"}", "none of status, holders, drain, undrain and reload"},
	};

	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		const char *line = requests[i].line, *error = NULL;

		ck_assert_int_eq(
			status_parse_request(line, strlen(line), &error), STATUS_COMMAND_NONE);
		ck_assert_msg(error && strstr(error, requests[i].reason), "%s: %s", line, error);
	}
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
	static const char nul[] = "{\"command\":\"status\0\"}";
	char deep[STATUS_REQUEST_SIZE_MAX + 1];
	const char *error = NULL;

	ck_assert_int_eq(status_parse_request(nul, sizeof nul - 1, &error), STATUS_COMMAND_NONE);
	memset(deep, '[', sizeof deep);
	ck_assert_int_eq(status_parse_request(deep, sizeof deep - 1, &error), STATUS_COMMAND_NONE);
	ck_assert_str_eq(error, "the request is not one JSON object");
	ck_assert_int_eq(status_parse_request(deep, sizeof deep, &error), STATUS_COMMAND_NONE);
	ck_assert_str_eq(error, "the request is too long");
}
END_TEST

START_TEST(answers_to_commands_are_objects_too)
{
	char *done = status_render_done(STATUS_COMMAND_DRAIN);
	char *error = status_render_error("say \"please\""), *odd = status_render_error("\xff");

	ck_assert_str_eq(done, "{\"done\":\"drain\"}");
	ck_assert_str_eq(error, "{\"error\":\"say \\\"please\\\"\"}");
	ck_assert_str_eq(odd, "{\"error\":\"an error that is not UTF-8\"}");
	free(done);
	free(error);
	free(odd);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_document_is_the_agreed_one,
		every_counter_is_told_by_its_name,
		a_fence_that_does_not_protect_says_why,
		a_stranger_who_answers_for_a_vip_is_told_with_its_mac,
		nobody_holds_a_vip_before_anything_was_heard,
		a_holder_that_is_no_node_is_called_a_stranger,
		one_who_fell_silent_holds_nothing,
		a_backup_says_why_the_holder_is_the_holder,
		the_state_tells_the_gravest_fact,
		a_clock_that_was_never_set_does_no_harm,
		every_vip_is_held_or_not_for_name_servers,
		requests_are_understood,
		other_requests_are_refused_with_a_reason,
		bytes_that_are_no_text_are_refused,
		answers_to_commands_are_objects_too,
	};

	return run_suite("status", tests, sizeof tests / sizeof tests[0]);
}
