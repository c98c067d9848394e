#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test of one build: the C tests, the corpus replays, the
# end-to-end scripts. One line a test; the last line counts. Exit 1 when one
# failed. BUILD names the build folder; ONLY, a pattern of files to run.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build/release}
export BUILD CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Reads TAP in $log; prints a line a test; adds to the three counts.
count() { # name exit-code
    local name=$1 code=$2 line failures=0 tests=0
    while IFS= read -r line; do
        case $line in
        *'# SKIP'*)
            echo "skip $name: ${line#*ok }"
            skipped=$((skipped + 1)) tests=$((tests + 1)) ;;
        'ok '*)
            echo "ok   $name: ${line#ok * - }"
            passed=$((passed + 1)) tests=$((tests + 1)) ;;
        'not ok '*)
            echo "FAIL $name: ${line#not ok * - }"
            failed=$((failed + 1)) failures=$((failures + 1)) tests=$((tests + 1)) ;;
        esac
    done <"$log"
    # a crash, or a sanitizer's report at exit, fails the file
    if [ "$code" -ne 0 ] && [ "$failures" -eq 0 ] || [ "$tests" -eq 0 ]; then
        echo "FAIL $name: exit code $code, $tests tests"
        failed=$((failed + 1)) failures=1
    fi
    if [ "$failures" -gt 0 ]; then
        sed 's/^/     | /' "$log" | tail -n 60
    fi
}

run() { # name command...
    local name=$1
    shift
    case $name in ${ONLY:-*}) ;; *) return ;; esac
    timeout "${TEST_SECONDS:-300}" "$@" >"$log" 2>&1
    count "$name" $?
}

for test in "$BUILD"/tests/test_*; do
    case $test in *.d | *.o) continue ;; esac
    run "$(basename "$test")" "$test"
done
for fuzzer in "$BUILD"/tests/fuzz_*; do
    case $fuzzer in *.d | *.o) continue ;; esac
    name=$(basename "$fuzzer")
    run "$name" "$fuzzer" "tests/corpus/${name#fuzz_}"
done
for script in tests/e2e/test_*.sh; do
    [ -e "$script" ] || continue
    run "e2e/$(basename "$script" .sh)" bash "$script"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
