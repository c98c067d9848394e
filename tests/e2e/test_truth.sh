#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What darkportd says of the lab's exports, scored against the packets: the
# small part of tests/truth/run.sh. The meter stands for routers that export
# as none of the lab's exporters does.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v python3 >/dev/null; then
    skip "darkportd_says_what_the_packets_say" "no python3 to score with"
    done_testing
fi
export PYTHONDONTWRITEBYTECODE=1
prefixes=(--internal 192.0.2.0/24 --internal 2001:db8:1::/64)

score() { # flags... exports...
    python3 tests/truth/score.py --daemon "$daemon" --capture lab \
        --truth "${truth:-$fixtures/lab}" "${prefixes[@]}" --assert --list "$@"
}
meter() { # flags... name
    python3 tests/lab/meter.py "${prefixes[@]}" "${@:1:$#-1}" \
        "$fixtures/lab.pcap" "$work/${!#}.pcap"
}
score_meter() { # flags...
    meter "$@" metered && score "$work/metered.pcap"
}

for flavour in softflowd-v9 softflowd-v10b nfprobe-v10; do
    check "darkportd_says_of_${flavour}_what_the_packets_say" \
        score "$fixtures/lab.$flavour.pcap"
done
version_5() {
    meter --version 5 five && score --no-v6 "$work/five.pcap"
}
check "darkportd_says_of_a_metering_router_in_v5_what_the_packets_say" version_5
check "darkportd_says_of_a_metering_router_in_v9_what_the_packets_say" \
    score_meter --version 9
check "darkportd_says_of_a_metering_router_in_ipfix_what_the_packets_say" \
    score_meter --version 10
check "a_router_that_splits_every_5_seconds_changes_nothing" \
    score_meter --active 5 --idle 5
check "a_clock_two_minutes_ahead_changes_nothing" score_meter --skew 120000

two_see_the_same() {
    meter --version 9 nine && meter --version 10 ten || return
    python3 tests/lab/pcap.py merge "$work/two.pcap" \
        "$work/nine.pcap=192.0.2.201" "$work/ten.pcap=192.0.2.202+400" &&
        score "$work/two.pcap"
}
check "two_routers_that_see_the_same_double_nothing" two_see_the_same

# The scorer itself: the truth with a row taken away, or put in.
doctored() { # what sed-script
    cp "$fixtures"/lab.*.tsv "$work" && sed -i "$2" "$work/lab.$1.tsv"
}
finds() { # text
    truth=$work/lab score "$fixtures/lab.softflowd-v9.pcap" >"$work/scored" 2>&1
    [ $? -eq 1 ] || return
    cat "$work/scored"
    grep -qP "$1" "$work/scored"
}
claims_too_much() {
    doctored exposures '/^192.0.2.20\ttcp\t22$/d' &&
        finds '\tfalse-exposure\t-\t192.0.2.20\ttcp\t22\t' &&
        finds '^lab\t.*\t10\t0\.9091\t1\.0000\t0\.9524\t436\t1\.0000\t1\.0000'
}
claims_too_little() {
    doctored exposures '$a192.0.2.20\ttcp\t23' &&
        finds '\tmissing-exposure\t-\t192.0.2.20\ttcp\t23\tnothing' &&
        finds '^lab\t.*\t12\t1\.0000\t0\.9167\t'
}
answers_wrongly() {
    doctored attempts '0,/\trefused$/s//\tsilent/' &&
        finds '\tfalse-attempt\t.*\trefused; darkportd: refused' &&
        finds '\tmissing-attempt\t.*\tsilent; darkportd: refused'
}
check "the_scorer_finds_an_exposure_that_is_none" claims_too_much
check "the_scorer_finds_an_exposure_that_is_missing" claims_too_little
check "the_scorer_finds_a_wrong_answer_twice" answers_wrongly

truth_is_derived_again() {
    mkdir -p "$work/truth" && python3 tests/truth/truth.py \
        "$fixtures/lab.pcap" "$work/truth" 192.0.2.0/24 2001:db8:1::/64 || return
    for file in "$work"/truth/*; do
        diff "$file" "$fixtures/${file##*/}" || return
    done
}
if command -v tshark >/dev/null; then
    check "tshark_still_gives_the_truth_of_the_fixtures" truth_is_derived_again
else
    skip "tshark_still_gives_the_truth_of_the_fixtures" "no tshark"
fi
done_testing
