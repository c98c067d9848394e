#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Exports of many devices, against what other decoders expect of them. They
# are not part of the project: DARKPORT_FIXTURES names their folder, beside
# the checkout when it is not given; without it there is nothing to compare.
. "$(dirname "$0")/lib.sh"
expected=${DARKPORT_FIXTURES:-$PWD/../shared/fixtures}

if ! command -v python3 >/dev/null; then
    skip 'exports decode as others expect' 'no python3'
    done_testing
fi
if [ ! -e "$expected/README.md" ]; then
    skip 'exports decode as others expect' "no exports in $expected"
    done_testing
fi
PYTHONDONTWRITEBYTECODE=1 python3 tests/conformance/conformance.py \
    "$daemon" "$expected"
