# SPDX-License-Identifier: Apache-2.0
# What the lab's scripts share: three network namespaces (outside, router,
# inside) joined by slow wires, and programs in them. To be sourced, with $here
# (this folder) and $peer (peer.py as a command) set. All namespaces, and all
# processes started here, are gone when the script ends; processes are stopped
# by their own pid.
# shellcheck shell=bash

R=dplab$$r    # router
I=dplab$$i    # inside
O=dplab$$o    # outside
tmp=$(mktemp -d)
pids=()

cleanup() {
    set +e
    local p
    for p in "${pids[@]}"; do running "$p" && kill "$p" 2>/dev/null; done
    for p in "${pids[@]}"; do stop "$p"; done
    for n in "$R" "$I" "$O"; do ip netns del "$n" 2>/dev/null; done
    rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

inr() { ip netns exec "$R" "$@"; }
ini() { ip netns exec "$I" "$@"; }
ino() { ip netns exec "$O" "$@"; }
# Start a program in a namespace in the background; its own pid lands in $last.
# (A function put into the background would give the pid of a shell instead.)
start() {  # start NETNS LOGFILE PROGRAM ARGS...
    local ns=$1 log=$2
    shift 2
    ip netns exec "$ns" "$@" >>"$tmp/$log" 2>&1 &
    last=$!
    pids+=("$last")
}
# Stop a program and wait for it, ten seconds at most, then kill it.
# Only a pid that is still a running job of this shell is ever signalled.
running() { jobs -rp | grep -qx "$1"; }
stop() {
    ! running "$1" || kill -TERM "$1" 2>/dev/null || true
    for _ in $(seq 100); do
        running "$1" || break
        sleep 0.1
    done
    ! running "$1" || kill -KILL "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}
say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
now() { date +%s.%N; }

# ---------------------------------------------------------------- the network
slow_wire() {  # slow_wire ROUTER_DEVICE NETNS MILLISECONDS SECONDS
    # shellcheck disable=SC2154,SC2086 # $peer is a command and a file
    start "$R" service.log $peer wire "$1" far "$3" "$4"
    for _ in $(seq 50); do
        ip -n "$R" link set far netns "$2" name eth0 2>/dev/null && return
        sleep 0.1
    done
    say "no wire to $2"
    exit 1
}

# Both wires are slow: the inside is 4 ms away from the router, the outside is
# 2 ms away. So an answer is later than its question by a time that flow
# records can show, whoever asks.
make_network() {  # make_network SECONDS: how long the wires last
    local n
    for n in "$R" "$I" "$O"; do
        ip netns add "$n"
        ip netns exec "$n" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
            net.ipv6.conf.default.accept_dad=0 \
            net.ipv4.ip_local_port_range="32768 60999"
        ip -n "$n" link set lo up
    done
    slow_wire in "$I" 4 "$1"
    slow_wire out "$O" 2 "$1"
    ip -n "$R" link set out up
    ip -n "$R" link set in up
    ip -n "$O" link set eth0 up
    ip -n "$I" link set eth0 up

    ip -n "$R" addr add 198.51.100.1/24 dev out
    ip -n "$R" addr add 203.0.113.1/24 dev out
    ip -n "$R" addr add 2001:db8:f::1/64 dev out nodad
    ip -n "$R" addr add 192.0.2.1/24 dev in
    ip -n "$R" addr add 2001:db8:1::1/64 dev in nodad
    inr sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}
