#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compares darkportd with the collectors that are installed (nfcapd, nfacctd)
# on the same stream in turn, and measures how soon darkportd shows what it
# learned, in a network and mount namespace of its own, on a tmpfs of limited
# size; splits the CPU time by thread and phase; and counts what a flood makes
# it lose. BUILD names the build folder. The arguments: which of compare, split,
# flood and latency; none: all. In the environment, with defaults:
#   compare  ROUNDS=3 RATE=200000 (records/s; 0: flat out) SECONDS_EACH=4
#            MIXES='steady border' of steady, border, flood, web, v6
#            PROTOCOLS='10 9 5', SEARCH=steady: the mixes whose highest rate is
#            searched, each try SEARCH_SECONDS=2; CSV: a file to write
#   split    SPLIT_RATE=200000 SPLIT_SECONDS=10 SPLIT_MIX=steady
#   flood    FLOOD_RATE=200000 FLOOD_SECONDS=30
#   latency  LATENCY_RATE=1000000 LATENCY_SECONDS=20 LATENCY_MIX=steady
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build/release}
box=$(mktemp -d "${TMPDIR:-/tmp}/darkport-bench-XXXXXX")
trap 'rmdir "$box"' EXIT

[ $# -gt 0 ] || set -- compare split flood latency
if ! unshare -mn true 2>/dev/null; then
    echo 'bench: needs a namespace and a tmpfs of its own: run it as root' >&2
    exit 1
fi
# what is mounted in there goes away with it
# shellcheck disable=SC2016
unshare -mn bash -c '
    mount -t tmpfs -o size=2g,mode=700 none "$1" && ip link set lo up || exit
    box=$1 build=$2 code=0
    shift 2
    for which; do
        python3 -B "bench/$which.py" --build "$build" --box "$box" || code=1
    done
    exit $code
' bash "$box" "$BUILD" "$@"
