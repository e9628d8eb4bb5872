# attent.  `make help` lists what there is.
#
# Three builds of the same sources: release (build/attent), asan (tests; ASan + UBSan) and
# tsan (threaded parts).  Sources are found by folder; a new file needs no line here.

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
JOBS ?= $(shell nproc)

PACKAGES := rdkafka hiredis jansson libmaxminddb yaml-0.1 libmicrohttpd libpcre2-8 libxxhash libcurl libcrypto libidn2
DIRS := core schemas rules connectors processors
SOURCES := $(sort $(shell find $(DIRS) -name '*.c' -not -path 'processors/cli/main.c'))
MAIN := processors/cli/main.c
SUPPORT := $(sort $(wildcard tests/support/*.c))
UNIT_TESTS := $(sort $(shell find tests/unit tests/contract tests/tidy -name 'test_*.c' 2>/dev/null))
SERVER_TESTS := $(sort $(shell find tests/integration -name 'test_*.[c]' 2>/dev/null))
FUZZERS := $(sort $(wildcard tests/fuzz/fuzz_*.c))
SIM_KAFKA := $(sort $(wildcard tests/sim/kafka_*.c)) # a Kafka that is a calculation; linked before the library
SIM_ALONE := tests/unit/sim/alone.c tests/unit/sim/hands.c
KAFKA_PLAY := $(sort $(filter-out %/model.c,$(wildcard tests/contract/kafka/*.c)))
CHAOS := $(sort $(wildcard tests/chaos/*.c)) tests/bench/workload.c
BENCH := $(sort $(wildcard tests/bench/*.c))

# TLS to Redis: hiredis has it since 1.0, in a library of its own (Debian 12: 0.14)
ifeq ($(shell pkg-config --exists hiredis_ssl 2>/dev/null && echo yes),yes)
PACKAGES += hiredis_ssl libssl
CPPFLAGS += -DATTENT_HIREDIS_SSL
endif

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Werror
CPPFLAGS += -D_GNU_SOURCE -I. $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lpthread -lm
# of the binaries alone: sanitizers bring their own, and R is librdkafka's with plain malloc
MEMORY_LIBS_release := -lmimalloc
MEMORY_LIBS_sim := -lmimalloc
CHECK_LIBS := $(shell pkg-config --libs check libssl 2>/dev/null) # libssl: peers of tests
# -ffp-contract=off: a decision may not depend on whether a CPU fuses multiply and add
CFLAGS_all := -std=c11 -g -fno-omit-frame-pointer -ffp-contract=off $(WARNINGS)
CFLAGS_release := -O2 -D_FORTIFY_SOURCE=2
CFLAGS_asan := -O1 -DATTENT_FAIL_POINTS -fsanitize=address,undefined -fno-sanitize-recover=undefined
CFLAGS_sim := -O2 -DATTENT_FAIL_POINTS
CFLAGS_mutants := $(CFLAGS_sim) -DATTENT_MUTANTS
CFLAGS_tsan := -O1 -DATTENT_FAIL_POINTS -fsanitize=thread
CFLAGS_fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined

all: build/attent ## Build build/attent (release)

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | \
	    awk -F'\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'

# --- what has to be installed -------------------------------------------------------------
.PHONY: all help packages packages-test kafka demo check test test-servers lint fmt docs bench fuzz tsan clean

packages: ## Install what building and running need (asks nothing)
	@deploy/install build run

packages-test: ## Install what the tests need as well
	@deploy/install build run test

kafka: packages-test ## Fetch Apache Kafka for the tests into build/kafka
	@deploy/install kafka

# Said once, before the compiler would say it in a hundred lines.
build/.packages: Makefile
	@for p in $(PACKAGES); do pkg-config --exists $$p 2>/dev/null || missing="$$missing $$p"; done; \
	echo '#include <mimalloc.h>' | $(CC) -E - >/dev/null 2>&1 || missing="$$missing mimalloc"; \
	if [ -n "$$missing" ]; then \
	    echo "make: not installed:$$missing" >&2; \
	    echo "      'make packages' installs what building needs (asks nothing)" >&2; exit 69; \
	fi
	@mkdir -p build && touch $@

# --- builds -------------------------------------------------------------------------------
# build_rules(variant, compiler): objects, the library and the binary of one build
define build_rules
build/$(1)/%.o: %.c build/.packages
	@mkdir -p $$(@D)
	$$(QUIET_CC)$(2) $$(CPPFLAGS) $$(CFLAGS_all) $$(CFLAGS_$(1)) $$(CFLAGS) -MMD -MP -c $$< -o $$@
build/$(1)/libattent.a: $$(SOURCES:%.c=build/$(1)/%.o)
	@rm -f $$@
	@ar qcs $$@ $$^
build/$(1)/attent: build/$(1)/$$(MAIN:.c=.o) build/$(1)/libattent.a
	$$(QUIET_LD)$(2) $$(CFLAGS_$(1)) $$(CFLAGS) $$^ $$(MEMORY_LIBS_$(1)) $$(LIBS) -o $$@
endef
QUIET_CC = @echo "  cc $<";
QUIET_LD = @echo "  ld $@";
ifdef V
QUIET_CC :=
QUIET_LD :=
endif
$(eval $(call build_rules,release,$(CC)))
$(eval $(call build_rules,asan,$(CC)))
$(eval $(call build_rules,tsan,$(CC)))
$(eval $(call build_rules,fuzz,clang))
$(eval $(call build_rules,sim,$(CC)))
$(eval $(call build_rules,mutants,$(CC)))

build/attent: build/release/attent
	@cp -f $< $@

# Test programs: one per file, linked with the library of their build and tests/support.
define test_rules
build/$(1)/tests/support.a: $$(SUPPORT:%.c=build/$(1)/%.o)
	@rm -f $$@
	@ar qcs $$@ $$^
build/$(1)/bin/%: build/$(1)/%.o build/$(1)/tests/support.a build/$(1)/libattent.a
	@mkdir -p $$(@D)
	$$(QUIET_LD)$$(CC) $$(CFLAGS_$(1)) $$(CFLAGS) $$^ $$(CHECK_LIBS) $$(LIBS) -o $$@
endef
$(eval $(call test_rules,asan))
# (named one by one: of two patterns make takes the one whose objects happen to be there)
$(patsubst %.c,build/asan/bin/%,$(wildcard tests/unit/sim/test_*.c)): build/asan/bin/%: build/asan/%.o $(SIM_ALONE:%.c=build/asan/%.o) $(SIM_KAFKA:%.c=build/asan/%.o) build/asan/tests/support.a build/asan/libattent.a
	@mkdir -p $(@D)
	$(QUIET_LD)$(CC) $(CFLAGS_asan) $(CFLAGS) $^ $(CHECK_LIBS) $(LIBS) -o $@
# One program with the real client and with the model: both have to print the same.
build/asan/bin/tests/contract/kafka/real: $(KAFKA_PLAY:%.c=build/asan/%.o) build/asan/libattent.a
build/asan/bin/tests/contract/kafka/model: $(KAFKA_PLAY:%.c=build/asan/%.o) build/asan/tests/contract/kafka/model.o build/asan/tests/unit/sim/alone.o $(SIM_KAFKA:%.c=build/asan/%.o) build/asan/libattent.a
build/asan/bin/tests/contract/kafka/real build/asan/bin/tests/contract/kafka/model:
	@mkdir -p $(@D)
	$(QUIET_LD)$(CC) $(CFLAGS_asan) $(CFLAGS) $^ $(LIBS) -o $@
build/asan/bin/tests/integration/test_kafka_model: | build/asan/bin/tests/contract/kafka/real build/asan/bin/tests/contract/kafka/model
$(eval $(call test_rules,tsan))
$(eval $(call test_rules,release))
.SECONDARY:

-include $(shell find build -name '*.d' 2>/dev/null)

# --- the main job -------------------------------------------------------------------------
demo: ## Install, build, and watch life moments become outreach tasks
	@deploy/install build run
	@$(MAKE) --no-print-directory -j$(JOBS) build/attent
	@build/attent dev --demo

# --- tests --------------------------------------------------------------------------------
UNIT_PROGRAMS := $(UNIT_TESTS:%.c=build/asan/bin/%)
SERVER_PROGRAMS := $(SERVER_TESTS:%.c=build/asan/bin/%)
ALONE := tests/chaos.sh build/asan/bin/tests/integration/test_recovery

check: build/attent build/asan/attent $(UNIT_PROGRAMS) ## The fast tests: units and rule tests (under 2 minutes)
	@TEST_JOBS=$(JOBS) tests/run $(UNIT_PROGRAMS) tests/rules.sh

test: ## All tests, against real servers, after installing what they need
	@deploy/install build run test kafka go editor
	@[ -e build/geoip/geo-whois-asn-country.mmdb ] || deploy/geoip/fetch test || true # its test says when it is skipped
	@$(MAKE) --no-print-directory -j$(JOBS) test-programs
	@TEST_JOBS=$(JOBS) tests/run $(filter-out $(ALONE),$(UNIT_PROGRAMS) $(wildcard tests/*.sh) $(SERVER_PROGRAMS)) --alone $(ALONE)

.PHONY: test-programs
test-programs: build/attent build/asan/attent build/chaos $(UNIT_PROGRAMS) $(SERVER_PROGRAMS) fuzzers build/sim/sim build/asan/sim build/sim/attent

# --- fuzzing ------------------------------------------------------------------------------
FUZZ_PROGRAMS := $(FUZZERS:tests/fuzz/%.c=build/fuzz/bin/%)
FUZZ_SUPPORT := $(sort $(filter-out $(FUZZERS),$(wildcard tests/fuzz/*.c)))
FUZZ_SECONDS ?= 60
.PHONY: fuzzers
fuzzers: $(FUZZ_PROGRAMS)
build/fuzz/bin/%: build/fuzz/tests/fuzz/%.o $(FUZZ_SUPPORT:%.c=build/fuzz/%.o) build/fuzz/libattent.a
	@mkdir -p $(@D)
	$(QUIET_LD)clang -fsanitize=fuzzer,address,undefined $^ $(LIBS) -o $@
fuzz: fuzzers ## Run every fuzz target for FUZZ_SECONDS (60)
	@tests/fuzz.sh $(FUZZ_SECONDS)

# --- the simulator ------------------------------------------------------------------------
# Its objects stand before the library: what they define (Kafka, clocks, fail points) is taken from them.
SIM := $(sort $(wildcard tests/sim/*.c))
SIM_SUPPORT := tests/support/toy_step.c tests/support/sample.c
SIM_WRAPS := -Wl,--wrap=rng_system,--wrap=log_write
build/sim/sim: $(SIM:%.c=build/sim/%.o) $(SIM_SUPPORT:%.c=build/sim/%.o) build/sim/libattent.a
	$(QUIET_LD)$(CC) $(CFLAGS_sim) $(CFLAGS) $(SIM_WRAPS) $^ $(LIBS) -o $@
# The same with sanitizers; killed processes leave what they had, so leaks are not looked for.
build/asan/sim: $(SIM:%.c=build/asan/%.o) $(SIM_SUPPORT:%.c=build/asan/%.o) build/asan/libattent.a
	$(QUIET_LD)$(CC) $(CFLAGS_asan) $(CFLAGS) $(SIM_WRAPS) $^ $(LIBS) -o $@
# The models that a test compares with the real servers.
build/asan/bin/tests/integration/test_store_model: $(patsubst %.c,build/asan/%.o,$(wildcard tests/sim/store_*.c))

.PHONY: sim
sim: build/sim/sim ## Simulated clusters with faults at every step: SEEDS (1000), JOBS, or SEED to replay one
	@build/sim/sim $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000) $(if $(FROM),--from $(FROM)) --jobs $(JOBS)) $(if $(PLAY),--play $(PLAY))

# The same with the deliberate bugs of core/mutants.def, to see that each is found.
MUTANTS := $(filter-out tests/sim/main.c,$(SIM)) $(SIM_SUPPORT) tests/sim/mutants/mutants.c
build/mutants/sim-mutants: $(MUTANTS:%.c=build/mutants/%.o) build/mutants/libattent.a
	$(QUIET_LD)$(CC) $(CFLAGS_mutants) $(CFLAGS) $(SIM_WRAPS) $^ $(LIBS) -o $@
.PHONY: sim-mutants
sim-mutants: build/mutants/sim-mutants ## Deliberate bugs, and the seed with which the simulator finds each: MUTANT=NAME, SEEDS (10000)
	@build/mutants/sim-mutants --seeds $(or $(SEEDS),10000) --jobs $(JOBS) $(MUTANT)

# --- the rest -----------------------------------------------------------------------------
build/bench: $(BENCH:%.c=build/release/%.o) build/release/tests/support.a build/release/libattent.a
	$(QUIET_LD)$(CC) $^ $(CHECK_LIBS) $(LIBS) -o $@
bench: ## The reference workload against a real Kafka and Redis, and bench-cel
	@deploy/install build run test kafka
	@$(MAKE) --no-print-directory -j$(JOBS) build/attent build/bench
	@build/bench
	@$(MAKE) --no-print-directory bench-cel

.PHONY: soak
soak: ## EVENTS (10000000) through decide under a memory cap: is the line flat?  docs/soak.svg
	@deploy/install build run test kafka
	@$(MAKE) --no-print-directory -j$(JOBS) build/attent build/bench
	@MODE=soak EVENTS=$(or $(EVENTS),10000000) CUSTOMERS=$(or $(CUSTOMERS),200000) build/bench
	@tests/bench/soak_plot build/soak.csv >docs/soak.svg && echo "  docs/soak.svg"

build/chaos: $(CHAOS:%.c=build/release/%.o) build/release/tests/support.a build/release/libattent.a
	$(QUIET_LD)$(CC) $^ $(CHECK_LIBS) $(LIBS) -o $@
build/mutants/attent: build/mutants/tests/chaos/mutants/switch.o
.PHONY: chaos chaos-mutants
chaos: ## Real faults against real servers: MINUTES (20), SEED, RATE, CONTINUE=DIR (docs/chaos.md)
	@deploy/install build run test kafka
	@$(MAKE) --no-print-directory -j$(JOBS) build/sim/attent build/chaos
	@build/chaos
chaos-mutants: ## Deliberate bugs, each under faults that hit it: does make chaos find them?  MUTANT=NAME for one
	@deploy/install build run test kafka
	@$(MAKE) --no-print-directory -j$(JOBS) build/mutants/attent build/chaos
	@tests/chaos/mutants/find $(MUTANT)

build/bench-cel: build/release/tests/bench/cel/bench_cel.o build/release/libattent.a
	$(QUIET_LD)$(CC) $^ $(LIBS) -o $@
.PHONY: bench-cel
bench-cel: build/bench-cel ## Conditions in CEL beside the same in C (seconds)
	@build/bench-cel

.PHONY: new-moment
new-moment: build/attent ## Begin a moment: make new-moment NAME=late-delivery
	@[ -n "$(NAME)" ] || { echo "make: which? make new-moment NAME=late-delivery" >&2; exit 2; }
	@build/attent create moment "$(NAME)" rules

.PHONY: new-channel
new-channel: ## Begin a channel: make new-channel NAME=pigeon
	@deploy/new_channel "$(NAME)"

.PHONY: property
property: build/release/bin/tests/unit/processors/decide/test_language ## The moment language against a second evaluator: HISTORIES (100000), or SEED
	@HISTORIES=$(or $(HISTORIES),100000) CK_FORK=no $<

.PHONY: conformance
conformance: build/attent ## The official CEL suite, tier by tier
	@tests/conformance/run.sh build/attent || [ $$? -eq 77 ]

tsan: $(patsubst %.c,build/tsan/bin/%,$(shell grep -lE 'tsan: yes' $(UNIT_TESTS) $(SERVER_TESTS) 2>/dev/null)) ## Threaded parts under ThreadSanitizer
	@tests/run $^

C_FILES := $(shell find $(DIRS) tests -name '*.[ch]')
lint: ## Format, warnings of both compilers, levels
	@clang-format --dry-run --Werror $(C_FILES)
	@$(MAKE) --no-print-directory -j$(JOBS) build/attent
	@$(MAKE) --no-print-directory -j$(JOBS) build/fuzz/libattent.a build/asan/bin/tests/tidy/test_tidy
	@tests/run build/asan/bin/tests/tidy/test_tidy

fmt: ## Format the C sources
	@clang-format -i $(C_FILES)

docs: build/attent ## Regenerate the reference pages and schemas
	@deploy/docs

clean: ## Remove what was built (not build/kafka)
	@rm -rf build/release build/asan build/tsan build/fuzz build/sim build/mutants build/attent build/.packages
