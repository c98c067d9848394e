#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How many instructions decoder and engine take for fixed input (tests/count.c)
# as callgrind counts them: at most 5 % more than tests/instructions.tsv says.
# The counts are of one compiler, its version in the first line of that file,
# and of the flags the Makefile has; with others it skips.
# UPDATE=1 writes the file anew: with what made them more in the same commit.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
count=$BUILD/tests/count
table=tests/instructions.tsv

compiler() {
    readelf -p .comment "$count" | sed -n 's/.*\(GCC: .*\)/\1/p' | head -n 1
}
machine="$(compiler), $(uname -m)"
expected=$(sed -n '1s/^# //p' "$table")
why=
if ! command -v valgrind >/dev/null; then
    why='valgrind is not installed'
elif grep -q -e __asan_init -e __tsan_init -e __ubsan_handle "$count"; then
    why='a sanitizer build'
elif ! grep -q -e ' -O3 -g -flto=auto ' "$BUILD/.flags"; then
    why='other flags'
elif [ -z "${UPDATE:-}" ] && [ "$machine" != "$expected" ]; then
    why="counted with $expected, not $machine"
fi
if [ -n "$why" ]; then
    skip 'decoder and engine take no more instructions' "$why"
    done_testing
fi

# The instructions of one stage and input.
counted() { # stage input
    valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        --toggle-collect=measured "$count" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
if [ -n "${UPDATE:-}" ]; then
    {
        echo "# $machine"
        "$count" list | while read -r stage input; do
            printf '%s\t%s\t%s\t%s\n' "$stage" "$input" \
                "$("$count" "$stage" "$input")" "$(counted "$stage" "$input")"
        done
    } >"$work/table" && cp "$work/table" "$table"
fi
is_no_more() { # stage input records instructions
    local now
    now=$(counted "$1" "$2")
    echo "$now instructions for $3 records, $4 expected:" \
        "$((now / $3)) a record"
    [ "$("$count" "$1" "$2")" -eq "$3" ] && [ "$now" -gt 0 ] &&
        [ $((100 * now)) -le $((105 * $4)) ]
}
while IFS=$'\t' read -r stage input records instructions; do
    case $stage in '#'*) continue ;; esac
    check "$stage of $input takes no more instructions" \
        is_no_more "$stage" "$input" "$records" "$instructions"
done <"$table"
done_testing
