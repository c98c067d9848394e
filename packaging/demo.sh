#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo behind `make run`: reads the bundled capture of real exports into
# a fresh store, prints what it found, and goes on listening on loopback.
# BUILD names the build folder; DEMO_STORE, the store. Arguments go to the
# daemon, and win over packaging/demo.conf.
set -eu
cd "$(dirname "$0")/.."
daemon=${BUILD:-build/release}/darkportd
capture=tests/fixtures/demo.pcap
store=${DEMO_STORE:-run/darkport.db}

mkdir -p "$(dirname "$store")"
if [ -e "$store" ]; then
    echo "demo: $store of the last run is removed; the demo starts afresh"
    rm -f "$store" "$store-wal" "$store-shm" "$store.lock"
fi
set -- --config packaging/demo.conf --store "$store" "$@"
if [ -e "$capture" ]; then
    set -- "$@" --read "$capture"
else
    echo "demo: no $capture here: nothing to replay, only listening"
fi
echo "demo: $daemon $*"

# On a terminal, the daemon gets a process group of its own: then Ctrl-C
# reaches it alone, make sees it end with exit code 0, and says the same.
if [ -t 0 ]; then
    set -m
    "$daemon" "$@"
else
    exec "$daemon" "$@"
fi
