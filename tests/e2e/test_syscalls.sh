#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the ingest thread asks of the system under load: its datagrams.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
flowgen=$BUILD/bench/flowgen
sentence='under load the ingest thread receives, waits, and little else'

if ! command -v strace >/dev/null ||
    ! strace -c -o /dev/null true 2>/dev/null; then
    skip "$sentence" 'strace is not installed, or may not trace'
    done_testing
fi

# Each name and its calls in three seconds of load.
trace() {
    start_daemon --internal 10.20.0.0/16 --store "$work/map.db" || return
    "$flowgen" --to "127.0.0.1:$udp" --mix steady --rate 200000 -t 6 \
        >/dev/null &
    sender=$!
    children+=("$sender")
    sleep 1
    timeout -s INT 3 strace -c -o "$work/strace" -p "$daemon_pid"
    wait "$sender" && forget "$sender"
    cat "$work/strace"
    # the columns: % time, seconds, usecs/call, calls, errors or none, name
    awk '$1 + 0 == $1 && $NF != "total" { print $NF, $4 }' \
        "$work/strace" >"$work/calls"
    [ -s "$work/calls" ]
}
# the tick's, the writer's mailbox: tens a second, whatever the load
little_else() {
    awk '$1 == "recvmmsg" { received = $2 }
        $1 == "epoll_wait" { waited = $2 }
        $1 != "recvmmsg" && $1 != "epoll_wait" { other += $2 }
        END {
            print received, "received,", waited, "waited,", other + 0, "other"
            exit !(received > 10 && waited <= received + 30 && other <= 300)
        }' "$work/calls"
}
check 'a daemon is traced under load' trace
check "$sentence" little_else
check 'it ends' stop_daemon TERM 0
done_testing
