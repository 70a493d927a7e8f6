# SPDX-License-Identifier: GPL-3.0-or-later
# A short front for meson. Every target works from a fresh clone: apt installs what is missing.

BUILD       ?= build
SAN         ?= build-asan
MESON_FLAGS ?=
export BUILD SAN

.NOTPARALLEL:
.PHONY: all sanitized deps test-deps check test system demo bench bench-dns lint fuzz cov install clean

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

sanitized: $(SAN)/build.ninja
	@ninja -C $(SAN)

# Silent and quick when nothing is missing.
deps:
	@tools/deps

test-deps:
	@tools/deps test

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD) $(MESON_FLAGS)

$(SAN)/build.ninja: | test-deps
	CC=clang-14 meson setup $(SAN) -Db_sanitize=address,undefined -Db_lundef=false $(MESON_FLAGS)

# Unit tests, simulation, corpus replay, lint: no root, no network.
check: test-deps all
	@tools/test hardened lint

# ... and with sanitizers, and the real programs in network namespaces, as root.
test: test-deps all sanitized
	@tools/test

system: test-deps all
	@tools/test system names interop

demo: all
	@lab/demo

bench: test-deps all
	@test/bench/run
	@test/bench/crash

# What an answer costs beside NSD, Knot and gdnsd.
bench-dns: test-deps all
	@test/bench/dns

lint: test-deps all
	@tools/lint $(BUILD)

fuzz: | test-deps
	@tools/fuzz

# Branch coverage of unit tests, simulation and corpora, by file and by folder, against the goal.
cov: | test-deps
	@tools/cov

install: all
	meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(SAN) build-cov build-fuzz
