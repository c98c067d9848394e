#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compares darkportd with the collectors that are installed (nfcapd, nfacctd)
# on the same stream in turn: bench/compare.py in a network and mount
# namespace of its own, on a tmpfs of limited size. BUILD names the build
# folder. ROUNDS (3), RATE (records/s, 0: flat out), SECONDS_EACH (4), MIXES,
# PROTOCOLS, CSV: as compare.py has them.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build/release}
box=$(mktemp -d "${TMPDIR:-/tmp}/darkport-bench-XXXXXX")
trap 'rmdir "$box"' EXIT

if ! unshare -mn true 2>/dev/null; then
    echo 'bench: needs a namespace and a tmpfs of its own: run it as root' >&2
    exit 1
fi
# what is mounted in there goes away with it
# shellcheck disable=SC2016
unshare -mn bash -c '
    mount -t tmpfs -o size=2g,mode=700 none "$1" && ip link set lo up &&
        python3 bench/compare.py --build "$2" --box "$1"
' bash "$box" "$BUILD" >"$box.out"
code=$?
cat "$box.out"
rm -f "$box.out"
exit $code
