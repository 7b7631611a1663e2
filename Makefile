# Hanse. "make run" and "make test" do all the set-up that they need on Debian 12.

PREFIX  ?= /usr/local
# /usr keeps its settings in /etc, any other prefix in its own.
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
DESTDIR ?=
PARTS   ?= quick
SECONDS ?= 60

.PHONY: run build test worlds sim bench bench-docs fuzz lint format valgrind install deb clean

# Build, and serve from the user's data folder, also root's, with a pico engine beside; for root, where crun is, this machine becomes
# a node. The first start prints a link to begin with.
run: build
	@tools/run $(ARGS)

build:
	@tools/setup run
	@tools/build release
	@ln -sf release/src/main/hansed release/src/main/hanse-pico release/src/main/hanse-node release/src/main/hanse build/

# PARTS=all is what .ci/run asks for; "tests/run --list" names the parts.
test:
	@tools/setup run test $(if $(filter-out quick,$(PARTS)),package)
	@tests/run $(PARTS)

# 10,000 random worlds against the model: an hour on two processors; FROM=seed goes on where it was stopped.
# Some of them are in "make test" too.
worlds:
	@tools/setup run test
	@tools/build gcc
	@tests/worlds/run --many

# 1,000 fleets in simulation, some minutes; SEEDS, FROM, NODES, SITES, SERVICES, HOURS, STORM say how many and what
# (sim/run). Some of them are in "make test" too.
sim:
	@tools/setup run test
	@tools/build gcc
	@sim/run --many

# Each benchmark against its peer; bench-docs writes docs/benchmarks.md from it.
bench:
	@tools/setup run bench
	@tools/bench

bench-docs:
	@tools/setup run bench
	@tools/bench --docs

# SECONDS for each target; what crashes one is kept in fuzz/regression.
fuzz:
	@tools/setup run test
	@tools/fuzz $(SECONDS)

lint:
	@tools/setup run test
	@tests/run layers format tours scripts manual lint

format:
	@tools/setup run test
	@tools/format

valgrind:
	@tools/setup run test
	@tests/run valgrind

# Needs no more than "make build" did, so that it can run as root without a network.
install: build
	@meson configure build/release -Dprefix="$(PREFIX)" -Dsysconfdir="$(SYSCONFDIR)" >/dev/null
	@tools/build release
	@DESTDIR="$(DESTDIR)" meson install -C build/release --no-rebuild --quiet

deb:
	@tools/setup run test package
	@tools/deb

clean:
	@rm -rf build
