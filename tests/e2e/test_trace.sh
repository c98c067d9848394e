#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --trace: what the engine thought of one endpoint, record by record.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
capture=$fixtures/lab.softflowd-v9.pcap
root=$PWD # a test changes it

trace() { # endpoint... : one --trace each; the capture is $capture
    local flags=()
    for endpoint; do flags+=(--trace "$endpoint"); done
    "$daemon" --read "$capture" "${lab[@]}" --training 0 "${flags[@]}" \
        >"$work/trace" 2>"$log"
}
says() { # pattern...: each matches a line of the trace
    local pattern
    for pattern; do
        grep -qE -e "$pattern" "$work/trace" ||
            { echo "no line: $pattern"; head -n 40 "$work/trace"; return 1; }
    done
}
# What has no block, or a word that the page does not know, is none of it.
only_blocks() {
    local words
    words=$(sed -n 's/^| `\([a-z, `]*\)` |.*/\1/p' docs/trace.md | tr -d ' `' |
        tr ',' '|' | paste -sd '|')
    [ -n "$words" ] || return 1
    if grep -vnE "^(record [0-9]+|time) [0-9T:.-]+Z |^  ($words) " "$work/trace"; then
        return 1
    fi
    [ -s "$work/trace" ] && grep -qE '^record' "$work/trace"
}

check 'an endpoint is traced, and the program ends' trace 192.0.2.20:22
check 'nothing but the trace goes to standard output' only_blocks
check 'the half-open scan is told with rule, map, alert and event' says \
    '^record [0-9]+ .* 192\.0\.2\.20:22 > 203\.0\.113\.66:[0-9]+ tcp$' \
    '^  sent +flags \.\.\.A\.\.S\. 0x12, packets 1 octets 44, start .*exporter 0 \(127\.0\.0\.1 domain 0 version 9\)$' \
    '^  judged +accepted/half-open by A1:D1, confidence high' \
    '^  why +.*SYN without ACK' \
    '^  map +exposure [0-9]+ opened; tier probable' \
    '^  map +exposure [0-9]+, tier probable to confirmed' \
    '^  alert +trans-darkport [0-9]+ raised$' \
    '^  event +scan event [0-9]+ revised: syn, accepted, darkport'

only_the_endpoint() {
    ! grep -E '^(record|time)' "$work/trace" | grep -vF ' 192.0.2.20:22 '
}
check 'no block is of another endpoint' only_the_endpoint

as_the_store_says() {
    rm -f "$work"/map.db*
    "$daemon" --read "$capture" "${lab[@]}" --training 0 --store "$work/map.db" \
        --trace 192.0.2.20 >"$work/trace" 2>"$log" || return
    ask_store "$work/map.db" "SELECT id || ' ' || rule FROM scan_events
        WHERE dst = '192.0.2.20' ORDER BY id" >"$work/want"
    awk '$1 == "event" { if ($0 ~ /taken back/) delete said[$4]
                        else said[$4] = $(NF - 1) }
        END { for (id in said) print id, said[id] }' "$work/trace" |
        sort -n >"$work/got"
    [ -s "$work/want" ] && diff "$work/want" "$work/got"
}
check 'the last word on each scan event is what the store keeps' \
    as_the_store_says

same_as_without() {
    rm -f "$work"/plain.db*
    "$daemon" --read "$capture" "${lab[@]}" --training 0 --http none \
        --store "$work/plain.db" >"$work/summary" 2>"$log" || return
    sqldiff "$work/plain.db" "$work/map.db" >"$work/diff" || return
    cat "$work/diff"
    [ ! -s "$work/diff" ]
}
if command -v sqldiff >/dev/null; then
    check 'a traced run leaves the store that any run leaves' same_as_without
else
    skip 'a traced run leaves the store that any run leaves' 'no sqldiff'
fi

no_store() {
    mkdir "$work/empty" && cd "$work/empty" || return
    trace 192.0.2.20:22 && [ -z "$(ls -A)" ] && ! grep -q 'store .* opened' "$log"
}
check 'without --store none is made' no_store

check 'an IPv6 endpoint is traced' trace '[2001:db8:1::20]:22/tcp'
check 'and told in brackets' says \
    '^record [0-9]+ .*\[2001:db8:1::20\]:22 tcp$' '^  judged'
check 'several endpoints may be traced' trace 192.0.2.20:22 192.0.2.10:80
check 'and each has its blocks' says ' 192\.0\.2\.20:22 ' '192\.0\.2\.10:80 '

twice_the_same() {
    trace 192.0.2.20 && mv "$work/trace" "$work/first" && trace 192.0.2.20 &&
        [ -s "$work/first" ] && cmp "$work/first" "$work/trace"
}
check 'the same capture twice gives the same trace' twice_the_same

capture=$fixtures/lab.softflowd-v5.pcap
check 'a capture of version 5 is traced' trace 192.0.2.20:22/tcp
check 'and its exporter is told' says 'version 5\)$'
capture=$fixtures/lab.softflowd-v10b.pcap
check 'a capture of biflows is traced' trace 192.0.2.20:22
check 'and its halves are told' says 'reverse half of a biflow'

# every fact of a `given` line, of all captures there are
facts_are_known() {
    local capture
    sed -n '/^The facts of/,/^`else`/s/^| `\([^`]*\)` |.*/\1/p' "$root/docs/trace.md" |
        sort -u >"$work/known"
    for capture in "$fixtures"/*.pcap "$fixtures"/scenes/*.pcap; do
        [ "$capture" = "$fixtures/lab.pcap" ] ||
            trace 192.0.2.10 192.0.2.20 192.0.2.53 2001:db8:1::10 || continue
        sed -n 's/^  given *//p' "$work/trace"
    done | sed 's/, /\n/g' | sort -u >"$work/said"
    wc -l "$work/known" "$work/said"
    [ -s "$work/known" ] && [ "$(wc -l <"$work/said")" -ge 4 ] || return
    ! comm -13 "$work/known" "$work/said" | grep .
}
check 'no fact is told that the page does not name' facts_are_known

leaves_early() {
    "$daemon" --read "$capture" "${lab[@]}" --trace 192.0.2.20 2>"$log" |
        head -n 1 >"$work/trace"
    says '^record '
}
check 'a reader that leaves ends it' leaves_early
cannot_write() {
    exits 1 sh -c '"$@" >/dev/full' sh "$daemon" --read "$capture" "${lab[@]}" \
        --trace 192.0.2.20
}
check 'a full disk is told' cannot_write
check 'and by its exit code' grep -q 'the trace cannot be written' "$work/run"

check 'a host that is no address is a usage error' \
    exits_saying 2 "--trace 'www.example.net:80': write HOST" \
    "$daemon" --read "$capture" "${lab[@]}" --trace www.example.net:80
check 'a port that is none is a usage error' \
    exits_saying 2 "--trace '192.0.2.20:70000': no port" \
    "$daemon" --read "$capture" "${lab[@]}" --trace 192.0.2.20:70000
check 'an outside host is a usage error' \
    exits_saying 2 'is in none of the internal networks' \
    "$daemon" --read "$capture" "${lab[@]}" --trace 198.51.100.1
check 'a trace without a capture is a usage error' \
    exits_saying 2 'needs --read' "$daemon" "${lab[@]}" --trace 192.0.2.20
check 'a trace and verdicts together are a usage error' \
    exits_saying 2 'not together' "$daemon" --read "$capture" "${lab[@]}" \
    --trace 192.0.2.20 --verdicts
done_testing
