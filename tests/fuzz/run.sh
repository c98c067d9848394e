#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs each named fuzzer for FUZZ_SECONDS (60) on a copy of its corpus.
# BUILD names the fuzz build. A crash is left in $BUILD/crashes/, as an input
# for tests/corpus/. Exits 1 when there was one.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build/fuzz}
failed=0

mkdir -p "$BUILD/crashes"
for name in "$@"; do
    entry=${name#fuzz_}
    work=$BUILD/corpus/$entry
    mkdir -p "$work"
    [ -d "tests/corpus/$entry" ] && cp -n "tests/corpus/$entry"/* "$work"
    echo "== $name, ${FUZZ_SECONDS:-60} s"
    if "$BUILD/tests/$name" -max_total_time="${FUZZ_SECONDS:-60}" \
        -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$BUILD/crashes/$entry-" "$work" \
        >"$BUILD/$name.log" 2>&1; then
        grep -E 'stat::(number_of_executed_units|average_exec_per_sec)' "$BUILD/$name.log"
    else
        failed=1
        echo "FAIL $name: see $BUILD/crashes/$entry-*"
        tail -n 40 "$BUILD/$name.log"
    fi
done
exit $failed
