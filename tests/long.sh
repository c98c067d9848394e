#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What takes longer than CI may: many kills, and the live run under the
# sanitizers. BUILD names the build folder. KILL_ROUNDS: how many (50).
set -u
cd "$(dirname "$0")/.." || exit 1
export BUILD=${BUILD:-build/release}
TEST_SECONDS=3600 ROUNDS=${KILL_ROUNDS:-50} ONLY='e2e/test_kill' tests/run.sh
