/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* What must hold of every message, for the targets that read advertisements. */

#include "wire/advert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses @bytes. What is accepted survives building and parsing; what is not leaves the result alone. */
void fuzz_advert(const uint8_t *bytes, size_t size, const struct advert_envelope *envelope);

/* A good source; or, if @at is not NULL, one from the input at *@at, behind which that points then. */
struct addr fuzz_source(const uint8_t **at, size_t *size, enum family family);

/* Gives the message the checksum that it should have: over what its count says, or over all of it. */
void fuzz_mend(uint8_t *bytes, size_t size, const struct advert_envelope *envelope);
