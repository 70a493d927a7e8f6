# SPDX-License-Identifier: GPL-3.0-or-later
# A short front for meson; every target works from a fresh clone.

BUILD    ?= build
SAN      ?= build-asan

.PHONY: all deps demo test check system interop bench lint cov install clean

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

deps:
	tools/deps

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD) --buildtype=release

$(SAN)/build.ninja: | deps
	CC=clang-14 meson setup $(SAN) --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false

# Build, unit tests, simulation, corpus replay, lint: no root, no network.
check: all
	meson test -C $(BUILD) --print-errorlogs

test: all $(SAN)/build.ninja
	tools/test

demo: all
	lab/demo

bench: all
	test/bench/run

lint: all
	tools/lint

install: all
	meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(SAN)
