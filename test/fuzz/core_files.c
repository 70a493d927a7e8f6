/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core_files.h"

#include <string.h>

#include "base/assert.h"

#define NODES "nodes: {a: 10.1.1.1, b: [10.1.1.2, 'fe80::2'], c: 10.1.1.3}\n"

static const char *const files[CORE_FILES] = {
	/* what most clusters are: several VIPs to a virtual router */
	"interface: eth0\n" NODES "vrrp: {vrids: 10-12}\n"
	"services: {www: [10.1.1.101, 10.1.1.102, 10.1.1.103, 10.1.1.104, 10.1.1.105,"
	"  'fd00::101', 'fd00::102', 'fd00::103']}\n",

	/* shared with foreign speakers, one of whose addresses is a's own; and the oldest version */
	"interface: eth0\n" NODES "services:\n"
	"  gateway:\n"
	"    vips: [10.1.1.101, 10.1.1.102, 'fd00::101']\n"
	"    vrid: 51\n"
	"    priority: {a: 255, b: 100, c: 1}\n"
	"    vrrp: {preempt_delay: 300ms}\n"
	"  old: {vips: [10.1.1.103], vrid: 52, priority: {a: 100, b: 90, c: 80},\n"
	"    vrrp: {version: 2, interval: 1s}}\n"
	"  www: [10.1.1.104, 10.1.1.105]\n",

	/* cautious */
	"interface: eth0\n" NODES "auth: {mode: enforce}\n"
	"vrrp: {preempt: false, preempt_delay: 500ms, linger: 0s, interval: 200ms}\n"
	"services:\n"
	"  www: [[10.1.1.101, 'fd00::101'], [10.1.1.102, 'fd00::102']]\n"
	"  mail: {interface: eth1, vips: [10.1.2.25, {address: 10.1.2.26, prefer: b}]}\n",

	/* in a hurry, and short of announcements */
	"interface: eth0\n" NODES "auth: {mode: permissive}\n"
	"vrrp: {interval: 10ms, redundancy: 3, peers: unicast, linger: 100ms, vrids: 7-9}\n"
	"announce: {schedule: [10ms, 200ms], refresh: 1s, rate: 5, burst: 2}\n"
	"services: {www: [10.1.1.101, 10.1.1.102, 10.1.1.103]}\n",
};

const struct core_file *core_file(uint32_t number)
{
	static struct core_file made[CORE_FILES];
	const struct config_text text = {"core", files[number], strlen(files[number])};
	struct core_file *f = &made[number];
	struct config_report report;

	if (f->plan)
		return f;
	f->config = config_load_text(&text, NULL, stderr, &report);
	ASSERT(f->config);
	f->plan = plan_new(f->config, PLAN_MTU, NULL);
	ASSERT(f->plan);
	return f;
}
