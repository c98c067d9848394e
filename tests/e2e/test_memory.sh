#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Memory: what --dump says is what the daemon takes, whatever comes, and it takes
# it at the start.
# MEMORY_SECONDS: how long of each mix (2; check-long: 600); MEMORY_MIXES: which
# mixes (all five); MEMORY_RATE: records a second (100000).
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
flowgen=$BUILD/bench/flowgen
seconds=${MEMORY_SECONDS:-2}
rate=${MEMORY_RATE:-100000}
limit=$((256 << 20))
most_growth=$((3 << 20)) # stacks, and what libraries allocate
mixes=${MEMORY_MIXES:-steady border flood web v6}

if grep -q -e __asan_init -e __tsan_init -e __ubsan_handle "$daemon"; then
    skip 'memory is what --dump says' 'sanitizers take more'
    done_testing
fi

printf 'memory_limit = %s\n' "$limit" >"$work/conf"
config=(-c "$work/conf" --internal 10.20.0.0/16 --internal 2001:db8:a::/48)
# the octets --dump names, with as many sockets as the daemon will have
says() {
    "$daemon" "${config[@]}" --listen udp://127.0.0.1:1 --dump |
        sed -n '1s/.*will take \([0-9]*\) octets.*/\1/p'
}
uses() {
    awk '/^VmRSS:/ { print $2 * 1024 }' "/proc/$daemon_pid/status"
}
# within a tenth of what was said
is_near() { # octets
    echo "$1 octets, $said were said"
    [ $((10 * $1)) -ge $((9 * said)) ] && [ $((10 * $1)) -le $((11 * said)) ]
}

said=$(says)
uses_the_limit() {
    echo "$said of $limit"
    [ "$said" -le "$limit" ] && [ $((100 * said)) -ge $((98 * limit)) ]
}
check '--dump says that the limit is used, and kept' uses_the_limit
check 'a limit that is too small is refused, with the least one' \
    exits_saying 78 'memory_limit is too small' "$daemon" -c /dev/null \
    --internal 10.0.0.0/8 -c <(echo 'memory_limit = 1M') --dump

# the parts of --dump, and those of the log at the start
logged() {
    start_daemon "${config[@]}" --store "$work/log.db" || return
    "$daemon" "${config[@]}" --listen udp://127.0.0.1:1 --dump |
        sed -n 's/^#   \([a-z_]*\) *\([0-9]* octets.*\)/\1: \2/p' >"$work/want"
    sed -n 's/.* module=memory msg="\(.*\)"$/\1/p' "$log" >"$work/got"
    grep -qxF "in all: $said octets" "$work/got" || return
    [ "$(grep -c entries "$work/want")" -ge 10 ] &&
        diff "$work/want" <(grep -v '^in all' "$work/got") && stop_daemon TERM 0
}
check 'the log prints each table at the start, its octets and entries' logged
in_octets() {
    "$daemon" -c <(echo 'max_pairs = 16M') --internal 10.0.0.0/8 --dump |
        awk '$2 == "pairs" { n = $5; small = $3 <= 16777216 && $3 > 16700000 }
            $1 == "max_pairs" { same = $3 == n } END { exit !(small && same) }'
}
check 'a table may be given in octets' in_octets
check 'one that is too small is refused, with the least' exits_saying 78 \
    'must be at least' "$daemon" -c <(echo 'max_pairs = 1K') \
    --internal 10.0.0.0/8 --check

lasts() { # mix
    local before sender
    start_daemon "${config[@]}" --store "$work/$1.db" || return
    before=$(uses)
    is_near "$before" || return
    "$flowgen" --to "127.0.0.1:$udp" --mix "$1" --rate "$rate" -t "$seconds" \
        --exporters 6 --variable 1 --wide 1 --options-every 50 >/dev/null &
    sender=$!
    children+=("$sender")
    while kill -0 "$sender" 2>/dev/null; do
        is_near "$(uses)" || return
        sleep 0.5
    done
    wait "$sender" || return
    forget "$sender"
    sleep 2
    is_near "$(uses)" || return
    echo "$1: from $before to $(uses)"
    [ $(($(uses) - before)) -le "$most_growth" ] || return
    stop_daemon TERM 0
}
for mix in $mixes; do
    check "memory is what --dump says under the $mix mix" lasts "$mix"
    [ -z "$daemon_pid" ] || stop_daemon KILL 137
    [ "$seconds" -lt 60 ] || sed 's/^/# /' "$work/out" | tail -n 1
    rm -f "$work/$mix.db"*
done

echo 'ingest_threads = 4' >>"$work/conf"
said=$(says)
check '--dump says so with four ingest threads, too' uses_the_limit
check 'and their memory is what it says' lasts steady
done_testing
