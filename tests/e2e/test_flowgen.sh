#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The load generator: whom it sends to, and that it says what it sent.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
flowgen=$BUILD/bench/flowgen

if [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net 2>/dev/null)" ] ||
    ! readlink /proc/1/ns/net >/dev/null 2>&1; then
    check 'it refuses a target outside this host' \
        exits_saying 1 'refused' "$flowgen" --to 192.0.2.1:2055 -n 1
else
    skip 'it refuses a target outside this host' 'this is a namespace already'
fi
check 'it refuses a target without a port' \
    exits_saying 2 'bad value' "$flowgen" --to 127.0.0.1 -n 1
check 'it refuses an IPv6 address without brackets' \
    exits_saying 2 'bad value' "$flowgen" --to ::1:9 -n 1
check 'it refuses a share above 1' \
    exits_saying 2 'bad value' "$flowgen" --to 127.0.0.1:9 -n 1 --drop 1.5
check 'it wants to know how much to send' \
    exits_saying 2 'usage' "$flowgen" --to 127.0.0.1:9

faults=(--drop 0.1 --duplicate 0.1 --reorder 8 --hold 0.2 --exporters 7
    --records 30 --records-min 1 --wide 1 --variable 1 --ipv6 0.4 --spoofed 0.1)
send() { # seed file
    "$flowgen" --to 127.0.0.1:9 -n 3000 --seed "$1" "${faults[@]}" |
        grep -v '"seconds"' >"$2" && [ -s "$2" ]
}
check 'it sends with faults' send 7 "$work/first"
check 'and once more' send 7 "$work/again"
check 'the same seed sends the same' cmp "$work/first" "$work/again"
check 'it sends with another seed' send 8 "$work/other"
differ() {
    ! cmp -s "$work/first" "$work/other"
}
check 'another seed sends something else' differ

cat >"$work/sums.py" <<'PYTHON'
import json, sys
sent = json.load(open(sys.argv[1]))
total = sent["protocols"]["total"]
one = [e for e in sent["exporters"]]
assert total["generated"] == 3000 + 5 * 7, total
assert total["dropped"] > 0 and total["duplicated"] > 0 and total["late"] > 0
assert (total["generated"] - total["dropped"] + total["duplicated"]
        == total["delivered"] == sent["datagrams"]), total
assert total["again"] == total["duplicated"], total
for key in total:
    assert total[key] == sum(e[key] for e in one), key
for e in one:
    if e["protocol"] == "netflow9":
        assert e["units"] == e["generated"], e
        assert e["units_lost"] == e["dropped"], e
    else:
        assert e["units"] == e["generated_records"], e
talks = sent["conversations"]
assert talks["attempts"] == sum(talks[k] for k in ("answered", "scans", "spoofed"))
assert 0 < sent["exposures"] <= 2000
PYTHON
reaches_ipv6() {
    start_daemon --internal 10.20.0.0/16 --listen 'udp://[::1]:0' \
        --store "$work/map.db" || return
    udp=$(sed -n 's/.*listening on udp:\/\/\[::1\]:\([0-9]*\).*/\1/p' "$log")
    "$flowgen" --to "[::1]:$udp" -n 90 >"$work/sent6" || return
    grep -q '"address": "::1"' "$work/sent6" || return
    within 50 delivered 105 # and five of each exporter that are spared
}
delivered() { # datagrams
    [ "$(ask_store "$work/map.db" "SELECT sum(datagrams) FROM exporters
        WHERE address = '::1'")" = "$1" ]
}
check 'it sends to IPv6' reaches_ipv6
check 'a daemon that listens there ends' stop_daemon TERM 0
check 'its sums close' python3 "$work/sums.py" "$work/first"
done_testing
