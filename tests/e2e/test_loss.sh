#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Loss is accounted for to the datagram, with random parameters: a path that
# drops, duplicates and reorders, a daemon that stands still until the kernel
# drops, a queue that drops on the way; one ingest thread, or two. LOSS_RUNS:
# how many runs (3); LOSS_SEED: the first one's seed (else random); one run of a
# seed is always the same but for what the kernel drops.
#
# A network namespace of its own, where there may be one: for the queue.
if [ -z "${LOSS_NAMESPACE:-}" ] && command -v ip tc >/dev/null &&
    unshare -n ip link set lo up 2>/dev/null; then
    export LOSS_NAMESPACE=1
    exec unshare -n bash "$0" "$@"
fi
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
[ -z "${LOSS_NAMESPACE:-}" ] || ip link set lo up
flowgen=$BUILD/bench/flowgen
runs=${LOSS_RUNS:-3}
first=${LOSS_SEED:-$((SRANDOM % 1000000))}
echo "# LOSS_SEED=$first"

if ! command -v python3 >/dev/null; then
    skip 'loss is accounted for to the datagram' 'no python3'
    done_testing
fi

# --- what drops on the way -------------------------------------------------------
queue=
if [ -n "${LOSS_NAMESPACE:-}" ]; then
    for queue in 'netem loss 3% reorder 5% delay 1ms' \
        'tbf rate 20mbit burst 10k limit 20k' ''; do
        # shellcheck disable=SC2086
        [ -z "$queue" ] || tc qdisc add dev lo root $queue 2>/dev/null || continue
        break
    done
    tc qdisc del dev lo root 2>/dev/null
fi
echo "# a queue that drops: ${queue:-none here, or no namespace}"

queue_drops() {
    tc -s qdisc show dev lo | sed -n 's/.*(dropped \([0-9]*\),.*/\1/p' | head -1
}
queue_is_empty() {
    tc -s qdisc show dev lo | grep -q 'backlog 0b 0p'
}

# --- the daemon's counters while it runs -----------------------------------------
metric() { # name
    curl -sf -m 5 "http://127.0.0.1:$http/metrics" |
        sed -n "s/^darkport_$1_total \([0-9]*\)$/\1/p"
}
has_taken() { # datagrams received or dropped by the kernel
    local got
    got=$(($(metric datagrams_received) + $(metric datagrams_lost_kernel)))
    [ "$got" -eq "$1" ] || { echo "$got of $1 datagrams"; return 1; }
}
# Nothing is waiting in the socket: /proc/net/udp, rx_queue.
socket_is_empty() {
    local port
    port=$(printf ':%04X' "$udp")
    awk -v port="$port" '$2 ~ port "$" { split($5, queue, ":")
        if (queue[2] == "00000000") found = 1 } END { exit !found }' /proc/net/udp
}

# --- one run -----------------------------------------------------------------------
tell_generator() {
    echo >&8
}
generator_says() { # word
    grep -q "^$1\$" "$work/said"
}

# The daemon stands still, again and again, until the stream has ended.
stream_past_a_standstill() {
    kill -STOP "$daemon_pid"
    tell_generator
    until sleep "0.$((RANDOM % 200 + 100))" && generator_says streamed ||
        ! kill -0 "$generator"; do
        kill -CONT "$daemon_pid"
        sleep "0.0$((RANDOM % 90 + 10))"
        kill -STOP "$daemon_pid"
    done
    kill -CONT "$daemon_pid"
    generator_says streamed
}

# Parameters of a seed; kind: faults, kernel, both, queue.
parameters() { # seed kind
    RANDOM=$1
    exporters=$((RANDOM % 9 + 3))
    flags=(--seed "$1" --exporters "$exporters" --sources $((RANDOM % exporters + 1))
        --ports $((RANDOM % 3 + 1)) --records $((RANDOM % 20 + 11))
        --records-min $((RANDOM % 10 + 1)) --ipv6 "0.$((RANDOM % 10))"
        --plain 1 --wide $((RANDOM % 3)) --variable $((RANDOM % 3))
        --template-every $((RANDOM % 50 + 1)) -n $((RANDOM % 2000 + 2000)))
    [ $((RANDOM % 2)) -eq 0 ] || # the numbers wrap
        flags+=(--sequence $((4294967295 - RANDOM % 5000)))
    case $2 in faults | both)
        flags+=(--drop "0.0$((RANDOM % 90 + 10))"
            --reorder $((RANDOM % 16 + 1)) --hold "0.0$((RANDOM % 90 + 10))") ;;
    esac
    case $2 in
    faults) # at most 30 records a datagram: some 60,000 a second
        flags+=(--duplicate "0.0$((RANDOM % 50))" --rate 60000
            --options-every $((RANDOM % 30))) rcvbuf=8M ;;
    kernel | both) # room for what opens the run, and for little more
        flags+=(--rate 60000) rcvbuf=$((RANDOM % 64 + 160))K ;;
    queue) flags+=(--rate 60000) rcvbuf=8M ;;
    esac
    threads=$((RANDOM % 2 + 1)) # each has a buffer of its own to fill
}

on_the_way=0
stream() { # kind
    case $1 in
    queue)
        # shellcheck disable=SC2086
        tc qdisc add dev lo root $queue || return
        tell_generator
        within 300 generator_says streamed || return
        within 50 queue_is_empty || return
        on_the_way=$(queue_drops)
        tc qdisc del dev lo root ;;
    kernel | both) stream_past_a_standstill ;;
    *)
        tell_generator
        within 300 generator_says streamed ;;
    esac
}

run() { # seed kind
    local generator code
    rm -f "$work/map.db"* "$work/fifo" "$work/sent"
    on_the_way=0
    parameters "$1" "$2"
    printf 'rcvbuf = %s\ningest_threads = %s\n' "$rcvbuf" "$threads" \
        >"$work/conf"
    echo "seed $1: $threads threads, flowgen ${flags[*]}"
    start_daemon -c "$work/conf" --internal 10.20.0.0/16 \
        --internal 2001:db8:a::/48 --store "$work/map.db" || return
    mkfifo "$work/fifo" || return
    "$flowgen" --to "127.0.0.1:$udp" "${flags[@]}" --pause \
        <"$work/fifo" >"$work/sent" 2>"$work/said" &
    generator=$!
    children+=("$generator")
    exec 8>"$work/fifo"
    within 100 generator_says opened || return
    within 100 has_taken $((4 * exporters)) || return
    # of an exporter that is not known yet nobody can tell what is missing
    [ "$(metric datagrams_lost_kernel)" -eq 0 ] ||
        { echo 'the kernel dropped what opens the run'; return 1; }
    stream "$2" || return
    within 100 socket_is_empty || return
    tell_generator
    wait "$generator"
    code=$?
    forget "$generator"
    exec 8>&-
    [ $code -eq 0 ] || { cat "$work/said"; return 1; }
    within 100 has_taken "$(($(sent_datagrams) - on_the_way))" || return
    stop_daemon TERM 0 || return
    python3 tests/loss/reconcile.py "$work/sent" "$work/map.db" \
        --on-the-way "$on_the_way" || return
    # a run that lost nothing where it should shows nothing
    [ "$2" != kernel ] || [ "$(kernel_drops)" -gt 0 ] ||
        { echo 'the kernel dropped nothing'; return 1; }
    [ "$2" != queue ] || [ "$on_the_way" -gt 0 ] ||
        { echo 'the queue dropped nothing'; return 1; }
}
sent_datagrams() {
    sed -n 's/^ "datagrams": \([0-9]*\),$/\1/p' "$work/sent"
}
kernel_drops() {
    ask_store "$work/map.db" "SELECT coalesce((SELECT value FROM counters
        WHERE name = 'datagrams_lost_kernel'), 0)"
}

kinds=(faults kernel both)
[ -z "$queue" ] || kinds=(faults kernel queue both)
for ((i = 0; i < runs; i++)); do
    kind=${kinds[(first + i) % ${#kinds[@]}]}
    check "every datagram and unit is accounted for: $kind, seed $((first + i))" \
        run $((first + i)) "$kind"
    sed -n 's/^/# /; $p' "$work/out"
    # a run that failed leaves its daemon behind
    [ -z "$daemon_pid" ] || { kill -9 "$daemon_pid"; forget "$daemon_pid"; daemon_pid=; }
done
done_testing
