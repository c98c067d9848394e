# SPDX-License-Identifier: Apache-2.0
# Darkport's one Makefile (GNU make). `make help` lists the targets.
# Quiet unless V=1. Each variant builds in a folder of its own:
#   make                    build/release
#   make VARIANT=asan       build/asan    (AddressSanitizer and UBSan)
#   make CC=clang WERROR=-Werror

VARIANT ?= release
B       ?= build/$(VARIANT)
CC      ?= cc
DESTDIR ?=
PREFIX  ?= /usr
VERSION := 0.1.0

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

# --- packages ---------------------------------------------------------------
BUILD_PACKAGES := gcc make pkg-config libevent-dev libfixbuf-dev libsqlite3-dev \
    libjansson-dev libsodium-dev libpcap-dev libconfuse-dev libsystemd-dev
RUN_PACKAGES   := curl sqlite3 procps
TEST_PACKAGES  := libcmocka-dev curl sqlite3 sqlite3-tools softflowd \
    python3 procps util-linux iproute2 binutils valgrind strace
LINT_PACKAGES  := clang clang-format clang-tidy cppcheck
FUZZ_PACKAGES  := clang libclang-rt-14-dev
# tshark derives the truth, the rest exports packets (tests/truth)
LONG_PACKAGES  := tshark tcpdump softflowd pmacct nfdump iproute2

# --- flags ------------------------------------------------------------------
LIBS := libevent_core libevent_extra libfixbuf sqlite3 jansson libsodium \
    libpcap libconfuse libsystemd
PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS) 2>/dev/null | sed 's/-I/-isystem /g')
PKG_LIBS   := $(shell pkg-config --libs $(LIBS) 2>/dev/null)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
    -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual \
    -Wcast-align -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wconversion \
    -Wimplicit-fallthrough -Wswitch-enum
WERROR ?=
CPPFLAGS += -I. -I$(B)/gen -D_GNU_SOURCE -DDARKPORT_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
ifeq ($(VARIANT),asan)
OPT  := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
    -fno-sanitize-recover=undefined
LINK := -fsanitize=address,undefined
else ifeq ($(VARIANT),ubsan)
OPT  := -O2 -g -fsanitize=undefined -fno-sanitize-recover=undefined
LINK := -fsanitize=undefined
else ifeq ($(VARIANT),tsan)
OPT  := -O1 -g -fsanitize=thread
LINK := -fsanitize=thread
else ifeq ($(VARIANT),fuzz)
CC   := clang
OPT  := -O1 -g -fsanitize=address,undefined,fuzzer-no-link \
    -fno-sanitize-recover=undefined
LINK := -fsanitize=address,undefined
else ifeq ($(VARIANT),afl)
CC   := afl-clang-fast
OPT  := -w -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
LINK := -fsanitize=address,undefined
else
OPT  ?= -O3 -g
# The programs and benchmarks are optimised as one by gcc. Tests link the same
# objects one by one, which takes a tenth of the time.
ifeq ($(findstring clang,$(CC)),)
LTO  := -flto=auto -ffat-lto-objects
endif
HARD := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
LINK := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed
endif
CFLAGS  := -std=c17 $(OPT) $(LTO) $(HARD) $(WARN) $(WERROR) -pthread $(CFLAGS)
LDLIBS  := $(PKG_LIBS) -lm -pthread

# --- what there is ----------------------------------------------------------
FOLDERS   := common collector exposure store api daemon client
MAINS     := daemon/main.c client/main.c
LIB_SRC   := $(filter-out $(MAINS),$(foreach d,$(FOLDERS),$(sort $(wildcard $(d)/*.c))))
LIB_OBJ   := $(LIB_SRC:%.c=$(B)/%.o)
LIB       := $(B)/libdarkport.a
SCHEMA    := $(sort $(wildcard schema/[0-9]*.sql))
PROGRAMS  := $(if $(wildcard daemon/main.c),$(B)/darkportd) \
    $(if $(wildcard client/main.c),$(B)/darkport)
TEST_SRC  := $(sort $(wildcard tests/test_*.c))
TESTS     := $(TEST_SRC:tests/%.c=$(B)/tests/%)
FLOOD     := $(B)/tests/flood
COUNT     := $(B)/tests/count
TEST_HELP := $(filter-out $(TEST_SRC) tests/flood.c tests/count.c $(wildcard tests/fuzz_*.c tests/bench_*.c),$(wildcard tests/*.c))
FUZZ_SRC  := $(sort $(wildcard tests/fuzz_*.c))
FUZZERS   := $(FUZZ_SRC:tests/%.c=$(B)/tests/%)
BENCH_SRC := $(sort $(wildcard tests/bench_*.c))
BENCHES   := $(BENCH_SRC:tests/%.c=$(B)/tests/%)
FLOWGEN   := $(B)/bench/flowgen
FLOWGEN_SRC := $(sort $(wildcard bench/*.c))
FLOWGEN_OBJ := $(FLOWGEN_SRC:%.c=$(B)/%.o)
C_FILES   := $(foreach d,$(FOLDERS) tests bench,$(wildcard $(d)/*.c $(d)/*.h))

.PHONY: all help deps run test check check-asan check-long lint format fuzz \
    bench install clean build-tests

all: $(PROGRAMS)

help:
	@printf '%s\n' \
	  'deps        install the Debian packages that are missing' \
	  'all         build darkportd and darkport' \
	  'run         build, start a demo, replay a capture into it, go on listening' \
	  'test        install what is missing, build, run every test' \
	  'check       test, lint and the sanitizer run' \
	  'check-asan  every test under ASan and UBSan' \
	  'check-long  what takes longer than CI may: fuzzers, floods, kill loops' \
	  'lint        layers, format, clang-tidy, cppcheck' \
	  'format      clang-format in place' \
	  'fuzz        run every fuzzer for FUZZ_SECONDS each' \
	  'bench       run the benchmarks' \
	  'install     into $$DESTDIR$$PREFIX' \
	  'clean       remove build folders'

# --- packages: installed by name, only what is missing ------------------------
define install_packages
	@missing=''; for p in $(1); do \
	  dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' \
	    || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing Debian packages:$$missing"; \
	  sudo=''; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && \
	  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends $$missing >/dev/null; fi
endef

deps:
	$(call install_packages,$(BUILD_PACKAGES) $(RUN_PACKAGES))

.PHONY: deps-test deps-lint deps-fuzz deps-long
deps-test:
	$(call install_packages,$(BUILD_PACKAGES) $(TEST_PACKAGES))
deps-lint:
	$(call install_packages,$(BUILD_PACKAGES) libcmocka-dev $(LINT_PACKAGES))
deps-fuzz:
	$(call install_packages,$(BUILD_PACKAGES) $(FUZZ_PACKAGES))
deps-long:
	$(call install_packages,$(BUILD_PACKAGES) $(LONG_PACKAGES))

# --- build ------------------------------------------------------------------
# Rebuild when the flags change, or a source is added or taken away.
FLAGS_NOW := $(CC) $(CPPFLAGS) $(CFLAGS) $(LINK) $(LIB_SRC)
$(B)/.flags: FORCE
	@mkdir -p $(B) && printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' > $@.new && \
	  if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
.PHONY: FORCE
FORCE:

$(B)/%.o: %.c $(B)/.flags | $(B)/gen/schema_sql.h
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The schema's numbered files become one table of octet arrays.
$(B)/gen/schema_sql.h: $(SCHEMA) schema/embed.sh
	@mkdir -p $(@D)
	$(say) EMBED $@
	$(Q)sh schema/embed.sh $(SCHEMA) > $@

$(LIB): $(LIB_OBJ)
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/darkportd: $(B)/daemon/main.o $(LIB)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^ $(LDLIBS)

$(B)/darkport: $(B)/client/main.o $(LIB)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^ $(LDLIBS)

# --- tests ------------------------------------------------------------------
TEST_OBJ := $(TEST_HELP:%.c=$(B)/%.o)

# this one counts calls of the allocator
$(B)/tests/test_no_alloc: LINK += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

$(TESTS): $(B)/tests/%: $(B)/tests/%.o $(TEST_OBJ) $(LIB)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) -fno-lto $(LINK) -o $@ $^ -lcmocka $(LDLIBS)

$(FLOOD): $(B)/tests/flood.o $(TEST_OBJ) $(LIB)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) -fno-lto $(LINK) -o $@ $^ -lcmocka $(LDLIBS)

# A fuzzer links libFuzzer in the fuzz variant, and replays its corpus else.
ifeq ($(VARIANT),fuzz)
FUZZ_MAIN := -fsanitize=fuzzer
else ifeq ($(VARIANT),afl)
FUZZ_MAIN := $(B)/tests/fuzz/afl.o
else
FUZZ_MAIN := $(B)/tests/fuzz/replay.o
endif
$(FUZZERS): $(B)/tests/%: $(B)/tests/%.o $(TEST_OBJ) $(LIB) $(filter %.o,$(FUZZ_MAIN))
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) -fno-lto $(LINK) -o $@ $(B)/tests/$*.o $(TEST_OBJ) $(LIB) $(FUZZ_MAIN) -lcmocka $(LDLIBS)

# What sends to the program under test does not link it.
$(FLOWGEN): $(FLOWGEN_OBJ)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^ $(LDLIBS)

$(BENCHES) $(COUNT): $(B)/tests/%: $(B)/tests/%.o $(filter-out %/flowgen.o,$(FLOWGEN_OBJ)) \
    $(TEST_OBJ) $(LIB)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ $^ -lcmocka $(LDLIBS)

build-tests: $(PROGRAMS) $(TESTS) $(FUZZERS) $(FLOWGEN) $(FLOOD) $(COUNT)

test: deps-test
	$(Q)$(MAKE) --no-print-directory -j2 build-tests
	$(Q)BUILD=$(B) tests/run.sh

check-asan: deps-test
	$(Q)$(MAKE) --no-print-directory -j2 VARIANT=asan WERROR=$(WERROR) build-tests
	$(Q)BUILD=build/asan tests/run.sh

check: lint test check-asan

check-long: check deps-long
	$(Q)$(MAKE) --no-print-directory fuzz
	$(Q)BUILD=$(B) tests/long.sh

fuzz: deps-fuzz
	$(Q)$(MAKE) --no-print-directory -j2 VARIANT=fuzz B=build/fuzz \
	  $(FUZZ_SRC:tests/%.c=build/fuzz/tests/%)
	$(Q)BUILD=build/fuzz tests/fuzz/run.sh $(FUZZ_SRC:tests/%.c=%)

bench: $(PROGRAMS) $(FLOWGEN) $(BENCHES)
	$(Q)for b in $(BENCHES); do echo "== $$b"; $$b || echo "$$b: missed"; done
	$(Q)BUILD=$(B) bench/run.sh

# --- lint -------------------------------------------------------------------
lint: deps-lint $(B)/gen/schema_sql.h
	$(Q)tests/lint/layers.sh
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr \
	  --enable=warning,performance,portability --suppressions-list=tests/lint/cppcheck.txt \
	  -I. -I$(B)/gen -D_GNU_SOURCE -DDARKPORT_VERSION='""' $(filter %.c,$(C_FILES))
	$(Q)printf '%s\n' $(filter %.c,$(C_FILES)) | xargs -P2 -I{} \
	  clang-tidy --quiet --warnings-as-errors='*' {} -- -std=c17 $(CPPFLAGS) 2>/dev/null

format:
	$(Q)clang-format -i $(C_FILES)

# --- run, install, clean ------------------------------------------------------
run: deps
	$(Q)$(MAKE) --no-print-directory -j2 all
	$(Q)BUILD=$(B) packaging/demo.sh

install: all
	install -D -m 755 $(B)/darkportd $(DESTDIR)$(PREFIX)/sbin/darkportd
	install -D -m 755 $(B)/darkport $(DESTDIR)$(PREFIX)/bin/darkport
	for m in man/*.[0-9]; do install -D -m 644 $$m \
	  $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/}; done
	install -D -m 644 packaging/darkportd.conf $(DESTDIR)/etc/darkportd/darkportd.conf
	install -D -m 644 packaging/darkportd.service \
	  $(DESTDIR)$(PREFIX)/lib/systemd/system/darkportd.service
	install -D -m 644 packaging/90-darkportd.conf $(DESTDIR)$(PREFIX)/lib/sysctl.d/90-darkportd.conf

clean:
	rm -rf build

-include $(LIB_OBJ:.o=.d) $(TESTS:=.d) $(FUZZERS:=.d) $(BENCHES:=.d) \
    $(FLOWGEN_OBJ:.o=.d) $(FLOOD).d $(COUNT).d $(TEST_OBJ:.o=.d) $(MAINS:%.c=$(B)/%.d)
