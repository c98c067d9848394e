#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every flavour of export of one packet capture, read by the daemon, gives
# what the packets tell: the same exposures, and the same scan events.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v python3 >/dev/null; then
    skip "flavours_equal_the_packets" "no python3 to derive the truth"
    done_testing
fi

read_into() { # capture store
    exits 0 "$daemon" --read "$1" "${lab[@]}" --training 0 --http none --store "$2"
}

# The truth's rows; version 5 has no IPv6.
without_v6() {
    case $1 in *v5*) grep -v '^[0-9a-f]*:' ;; *) cat ;; esac
}

exposures_equal() { # flavour
    grep -v '^#' "$fixtures/lab.exposures.tsv" | without_v6 "$1" |
        LC_ALL=C sort >"$work/want"
    sqlite3 -separator $'\t' "$work/$1.db" \
        'SELECT host, proto, port FROM exposures' | LC_ALL=C sort >"$work/got"
    [ -s "$work/want" ] && diff "$work/want" "$work/got"
}

events_equal() { # flavour
    local no_v6=
    case $1 in *v5*) no_v6=--no-v6 ;; esac
    python3 tests/e2e/expected_events.py "$fixtures/lab.attempts.tsv" \
        "$fixtures/lab.hosts.tsv" $no_v6 | LC_ALL=C sort >"$work/want"
    sqlite3 -separator $'\t' "$work/$1.db" \
        'SELECT src, dst, proto, port, technique, answer, place FROM scan_events' |
        LC_ALL=C sort >"$work/got"
    [ -s "$work/want" ] && diff "$work/want" "$work/got"
}

hosts_equal() { # flavour
    grep -v '^#' "$fixtures/lab.hosts.tsv" | without_v6 "$1" |
        LC_ALL=C sort >"$work/want"
    sqlite3 "$work/$1.db" 'SELECT host FROM hosts' | LC_ALL=C sort >"$work/got"
    [ -s "$work/want" ] && diff "$work/want" "$work/got"
}

same_content() { # capture
    rm -f "$work"/one.db* "$work"/two.db*
    read_into "$1" "$work/one.db" && read_into "$1" "$work/two.db" || return
    sqldiff "$work/one.db" "$work/two.db" >"$work/diff" || return
    cat "$work/diff"
    [ ! -s "$work/diff" ]
}

for capture in "$fixtures"/lab.*-*.pcap; do
    flavour=$(basename "$capture" .pcap)
    flavour=${flavour#lab.}
    check "${flavour}_is_read" read_into "$capture" "$work/$flavour.db"
    check "${flavour}_gives_the_exposures_of_the_packets" exposures_equal "$flavour"
    check "${flavour}_gives_the_scan_events_of_the_packets" events_equal "$flavour"
    check "${flavour}_gives_the_hosts_of_the_packets" hosts_equal "$flavour"
done
if command -v sqldiff >/dev/null; then
    check "same_capture_twice_gives_the_same_store" \
        same_content "$fixtures/lab.softflowd-v9.pcap"
    check "same_live_capture_twice_gives_the_same_store" \
        same_content "$fixtures/demo.pcap"
else
    skip "same_capture_twice_gives_the_same_store" "no sqldiff"
fi
done_testing
