/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "os/daemon_state.h"

#include <stdio.h>
#include <string.h>

#include "os/clock.h"

bool daemon_signs(const struct daemon *d)
{
	return d->setup.auth && d->setup.config->auth.mode >= CONFIG_AUTH_PERMISSIVE;
}

void daemon_save_sequence(struct daemon *d)
{
	const struct sequence_note note = {raw_sequence(d->raw), d->now};
	int error;

	if (note.last == 0)
		return;
	error = sequence_save(d->sequence.path, &note);
	if (error && !d->sequence.failed)
		journal_line(d->journal, JOURNAL_WARNING, "cannot keep the last sequence in %s: %s",
			d->sequence.path, strerror(-error));
	d->sequence.failed = error != 0;
	d->sequence.note = note;
}

void daemon_keep_sequence(struct daemon *d)
{
	const struct sequence_note *note = &d->sequence.note;

	if (!daemon_signs(d))
		return;
	/* or the clock was set ahead, and the file does not reserve what is signed with now */
	if (d->now >= tick_add(note->at, SEQUENCE_PERIOD) ||
		raw_sequence(d->raw) > sequence_reserved(note, d->now))
		daemon_save_sequence(d);
}

void daemon_start_sequence(struct daemon *d)
{
	const uint64_t clock = auth_sequence(clock_wall_ns());
	struct auth *auth = d->setup.auth;
	int error;

	if (!daemon_signs(d))
		return;
	(void)snprintf(
		d->sequence.path, sizeof d->sequence.path, "%s.sequence", d->setup.socket_path);
	error = sequence_load(d->sequence.path, &d->sequence.note);
	if (error)
		journal_line(d->journal, JOURNAL_WARNING,
			"cannot read the last sequence from %s: %s; going by the clock",
			d->sequence.path, strerror(-error));
	/* or above what the guardian has signed with, if the file could not be written */
	auth_skip_to(auth, sequence_reserved(&d->sequence.note, d->now));
	if (auth->sequence > clock + auth_sequence(tick_s(1)))
		journal_line(d->journal, JOURNAL_WARNING,
			"the clock is %llu s behind what was signed before; going on from there",
			(unsigned long long)(auth->sequence - clock) >> 32);
	raw_sign_with(d->raw, auth);
}
