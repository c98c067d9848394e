#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command line: flags, exit codes, configuration, --read.
. "$(dirname "$0")/lib.sh"
store=$work/map.db
conf=$work/test.conf

check 'version is printed' exits_saying 0 'darkportd ' "$daemon" -V
check 'help is printed' exits_saying 0 'usage: darkportd' "$daemon" --help
check 'an unknown flag is a usage error' \
    exits_saying 2 '--nonsense: unknown flag' "$daemon" --nonsense
check 'a flag without its value is a usage error' \
    exits_saying 2 'needs a value' "$daemon" --internal
check 'a malformed value is told with its flag' \
    exits_saying 2 "--internal '10.0.0.1/8': bits are set" \
    "$daemon" -i 10.0.0.1/8
check 'a word that is no flag is a usage error' \
    exits_saying 2 'not a flag' "$daemon" capture.pcap

check 'without an internal network it does not start' \
    exits_saying 78 '--internal' "$daemon" --store "$store" --http none
check 'and nothing was made' test ! -e "$store"

printf 'internal = {"192.0.2.0/24"}\nstore = "%s"\n' "$store" >"$conf"
check 'check accepts a right file' \
    exits_saying 0 'configuration OK' "$daemon" -c "$conf" --check
check 'and opens nothing' test ! -e "$store"
printf '# one\ninternal = {"192.0.2.0/24"}\nstroe = "x"\n' >"$conf.wrong"
check 'an unknown keyword is told with file and line' \
    exits_saying 78 "$conf.wrong:3: " "$daemon" -c "$conf.wrong"
printf 'internal = {"192.0.2.0/24"}\n\ntraining = soon\n' >"$conf.wrong"
check 'a bad value is told with file and line' \
    exits_saying 78 "$conf.wrong:3: training 'soon'" "$daemon" -c "$conf.wrong"
check 'a missing file is a bad configuration' \
    exits_saying 78 "$work/none.conf: No such file" "$daemon" -c "$work/none.conf"

dumps_the_same() {
    "$daemon" -c "$conf" -i 2001:db8::/32=six --training 90s --dump >"$work/a" &&
        "$daemon" -c "$work/a" --dump >"$work/b" && cat "$work/a" &&
        cmp "$work/a" "$work/b" && grep -q '^training = 90s$' "$work/a" &&
        grep -qF 'internal = {"2001:db8::/32=six"}' "$work/a"
}
check 'dump prints what reads back to the same, flags over the file' \
    dumps_the_same

read_capture() { # capture store
    "$daemon" --read "$fixtures/$1" "${lab[@]}" --training 0 --http none \
        --store "$2" 2>"$log"
}
same_twice() { # capture
    rm -f "$work"/a.db* "$work"/b.db*
    read_capture "$1" "$work/a.db" >/dev/null &&
        read_capture "$1" "$work/b.db" >/dev/null &&
        [ "$(ask_store "$work/a.db" 'SELECT count(*) FROM exposures')" -gt 0 ] &&
        sqldiff "$work/a.db" "$work/b.db" >"$work/diff" &&
        cat "$work/diff" && [ ! -s "$work/diff" ]
}
if [ -e "$fixtures/lab.softflowd-v9.pcap" ]; then
    summarises() {
        read_capture lab.softflowd-v9.pcap "$store" >"$work/summary" &&
            cat "$work/summary" && grep -q '^datagrams: [1-9]' "$work/summary"
    }
    check 'a capture is read and the program ends' summarises
    check 'the summary tells how many exposures there are' \
        grep -q '^exposures: [1-9]' "$work/summary"
    check 'and lists them' grep -qE '^  192\.0\.2\.20 +tcp +22 ' "$work/summary"
    check 'and tells the scan events' grep -q '^scan events: [1-9]' "$work/summary"
    check 'reading it twice gives the same two stores, v5' \
        same_twice lab.softflowd-v5.pcap
    check 'reading it twice gives the same two stores, IPFIX' \
        same_twice lab.softflowd-v10b.pcap
else
    skip 'a capture is read and the program ends' 'no capture of the lab'
fi

# --- --flows: the capture's records as JSON ---
flows() { # capture [flags...]
    local capture=$1
    shift
    "$daemon" --read "$capture" --flows "$@" >"$work/flows" 2>"$log"
}
count_flows() { # records
    local lines
    python3 -c 'import json, sys
for line in sys.stdin: json.loads(line)["src"]' <"$work/flows" || return
    lines=$(wc -l <"$work/flows")
    [ "$lines" -eq "$1" ] || { echo "$lines lines, not $1"; return 1; }
}
print_flows() {
    flows "$fixtures/demo.pcap" --store "$work/none.db" || return
    count_flows "$(sed -n 's/.*records_delivered \([0-9]*\).*/\1/p' "$log")"
}
cut_capture() {
    head -c 20000 "$fixtures/demo.pcap" >"$work/cut.pcap"
    flows "$work/cut.pcap"
    [ $? -eq 1 ] && grep -qF "$work/cut.pcap" "$log" && [ -s "$work/flows" ] &&
        count_flows "$(wc -l <"$work/flows")"
}
foreign_exporters() { # a v5 record from each of 200 addresses nobody allowed
    local capture
    capture=$(PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/conformance python3 -c '
import decoded
datagram = bytes([0, 5, 0, 1]) + bytes(20) + \
    bytes([203, 0, 113, 9, 10, 0, 0, 1]) + bytes(40)
print(decoded.wrap([datagram] * 200, one_source=False))') || return
    flows "$capture"
    rm -f "$capture"
    tail -n 1 "$work/flows" "$log"
    count_flows 200 && grep -qF '"exporter":"192.0.2.200"' "$work/flows" &&
        [ "$(grep -cF '"src":"203.0.113.9","dst":"10.0.0.1"' "$work/flows")" -eq 200 ]
}
many=("$fixtures"/demo.pcap{,,,,,,,}) # more than a pipe holds
many_flags=("${many[@]/#/--read=}")
reader_leaves() { # what the shell does with SIGPIPE: '' ignores it
    (
        trap "$@" PIPE
        "$daemon" --flows "${many_flags[@]}" 2>"$work/err"
        echo $? >"$work/code"
    ) | head -n 1 >"$work/flows"
    cat "$work/err" "$work/code"
    count_flows 1 && ! grep -q darkportd: "$work/err"
}
reader_leaves_unseen() {
    reader_leaves '' && [ "$(cat "$work/code")" -eq 0 ]
}
full_disk() {
    "$daemon" --read "$fixtures/demo.pcap" --flows >/dev/full 2>"$log"
    [ $? -eq 1 ] && grep -q 'cannot write: No space' "$log"
}
check 'flows are printed as JSON, a line each, without an internal network' \
    print_flows
check 'and no store is made' test ! -e "$work/none.db"
check 'flows of a capture that is cut off are printed, with exit code 1' \
    cut_capture
check 'flows of any exporter, and of many, are printed' foreign_exporters
check 'flows end quietly when the reader leaves' reader_leaves -
check 'flows end quietly when the reader leaves and SIGPIPE is ignored' \
    reader_leaves_unseen
check 'flows that cannot be written are told' full_disk
check 'flows without a capture are a usage error' \
    exits_saying 2 '--flows: needs --read' "$daemon" --flows

# --- --verdicts: what the engine thought, as JSON, beside the store ---
verdicts() { # store [flags...]
    rm -f "$1"*
    "$daemon" --read "$fixtures/demo.pcap" "${lab[@]}" --training 0 \
        --http none --store "$1" "${@:2}" 2>"$log"
}
print_verdicts() { # the last one of each conversation makes the count
    verdicts "$work/verdicts.db" --verdicts >"$work/verdicts" || return
    python3 -c '
import json, sys
live, accepted = {}, 0
for line in sys.stdin:
    v = json.loads(line)
    key = tuple(v[k] for k in ("outer", "outer_port", "inner", "inner_port",
                               "proto", "generation"))
    live[key] = v["outcome"]
    if v["ended"]:
        accepted += live.pop(key).startswith("accepted")
assert not live, live
print(accepted)' <"$work/verdicts" >"$work/accepted" || return
    [ "$(ask_store "$work/verdicts.db" 'SELECT sum(attempts)
        FROM attempt_outcomes WHERE outcome LIKE "accepted%"')" -eq \
        "$(cat "$work/accepted")" ]
}
verdicts_change_nothing() {
    verdicts "$work/silent.db" >"$work/summary" &&
        sqldiff "$work/verdicts.db" "$work/silent.db" >"$work/diff" || return
    cat "$work/diff"
    [ -s "$work/summary" ] && [ ! -s "$work/diff" ]
}
verdicts_to_full_disk() {
    verdicts "$work/full.db" --verdicts >/dev/full
    [ $? -eq 1 ] && grep -q 'verdicts cannot be written' "$log"
}
check 'verdicts are printed as JSON, and end with each conversation' \
    print_verdicts
if command -v sqldiff >/dev/null; then
    check 'printing verdicts changes nothing in the store' \
        verdicts_change_nothing
else
    skip 'printing verdicts changes nothing in the store' 'no sqldiff'
fi
check 'verdicts that cannot be written are told' verdicts_to_full_disk
check 'verdicts without a capture are a usage error' \
    exits_saying 2 '--verdicts: needs --read' "$daemon" "${lab[@]}" --verdicts

check 'the client prints its version' exits_saying 0 'darkport ' "$client" -V
check 'the client refuses an unknown command' \
    exits_saying 2 'no such command' "$client" nonsense
check 'the client says when nobody answers' \
    exits_saying 1 'cannot connect' "$client" -u http://127.0.0.1:1 status
done_testing
