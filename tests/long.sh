#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What takes longer than CI may: the hostile corpus in every build, a million
# messages of each sort through both ways to decode, many kills, 20 runs with
# loss, whole floods, ten minutes of each mix of traffic, the score of every
# capture through every exporter, and every property with a hundred seeds. The
# fuzzers run before it (make check-long).
# BUILD names the build folder. KILL_ROUNDS: how many kills (50); LONG_ONLY:
# hostile, oracle, kill, loss, flood, memory, truth or properties alone. All
# run, whatever fails; exit 1 when one did.
set -u
cd "$(dirname "$0")/.." || exit 1
export BUILD=${BUILD:-build/release}
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

wanted() { [ "${LONG_ONLY:-$1}" = "$1" ]; }

# The corpus, in one build: every test must pass, and the run end with 0.
replay() { # name command...
    local name=$1
    shift
    "$@" >"$log" 2>&1
    local code=$?
    echo "hostile corpus, $name: $(grep -c '^ok ' "$log") survived," \
        "$(grep -c '^not ok ' "$log") not, exit code $code"
    if [ "$code" -ne 0 ]; then
        failed=1
        grep -v '^ok ' "$log" | tail -n 40
    fi
}
build() { # folder make-arguments...
    local folder=$1
    shift
    make --no-print-directory -j2 "$@" "B=$folder" "$folder/tests/test_hostile" \
        >"$log" 2>&1 && return
    failed=1
    echo "hostile corpus: $folder does not build"
    tail -n 20 "$log"
    return 1
}

if wanted hostile; then
    replay release "$BUILD/tests/test_hostile"
    build build/asan VARIANT=asan &&
        replay 'ASan and UBSan' build/asan/tests/test_hostile
    build build/ubsan VARIANT=ubsan &&
        replay 'UBSan alone' build/ubsan/tests/test_hostile
    build build/tsan VARIANT=tsan &&
        replay TSan build/tsan/tests/test_hostile
    if command -v valgrind >/dev/null; then
        replay valgrind valgrind -q --error-exitcode=99 --leak-check=full \
            --errors-for-leak-kinds=definite "$BUILD/tests/test_hostile"
    else
        echo 'hostile corpus, valgrind: not installed'
        failed=1
    fi
fi
if wanted oracle; then
    echo "both ways to decode: ORACLE_SEED=${ORACLE_SEED:=$SRANDOM}"
    ORACLE_MESSAGES=${ORACLE_MESSAGES:-1000000} ORACLE_SEED=$ORACLE_SEED \
        "$BUILD/tests/test_oracle" || failed=1
fi
if wanted kill; then
    TEST_SECONDS=3600 ROUNDS=${KILL_ROUNDS:-50} ONLY='e2e/test_kill' \
        tests/run.sh || failed=1
fi
if wanted loss; then
    TEST_SECONDS=3600 LOSS_RUNS=20 ONLY='e2e/test_loss' tests/run.sh || failed=1
fi
if wanted flood; then
    bash tests/flood.sh || failed=1
fi
if wanted memory; then
    TEST_SECONDS=5400 MEMORY_SECONDS=${MEMORY_SECONDS:-600} \
        ONLY='e2e/test_memory' tests/run.sh || failed=1
fi
if wanted truth; then
    python3 tests/truth/run.py --daemon "$BUILD/darkportd" || failed=1
fi
if wanted properties; then
    PROPERTY_SEEDS=100 TEST_SECONDS=3600 ONLY=test_properties tests/run.sh ||
        failed=1
    make --no-print-directory -j2 VARIANT=asan B=build/asan \
        build/asan/tests/test_properties >"$log" 2>&1 &&
        PROPERTY_SEEDS=10 TEST_SECONDS=3600 BUILD=build/asan \
            ONLY=test_properties tests/run.sh || failed=1
fi
exit $failed
