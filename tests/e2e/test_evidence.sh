#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Why: the store's views and the API tell the same witnesses, and a restart
# neither loses nor doubles them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
store=$work/map.db

read_first() {
    exits 0 "$daemon" --read "$fixtures/lab.softflowd-v9.pcap" "${lab[@]}" \
        --training 0 --http none --store "$store"
}
check 'a capture is read' read_first

witnessed() {
    local without more
    without=$(ask_store "$store" "SELECT count(*) FROM exposures x WHERE NOT
        EXISTS (SELECT 1 FROM exposure_evidence WHERE exposure_id = x.id
        AND roles LIKE '%opener%')")
    more=$(ask_store "$store" 'SELECT count(*) FROM (SELECT 1 FROM
        exposure_evidence GROUP BY exposure_id HAVING count(*) > 5)')
    echo "without an opener: $without; more than 5: $more"
    [ "$without" -eq 0 ] && [ "$more" -eq 0 ]
}
check 'every exposure has its opener, and at most 5 witnesses' witnessed

best_is_the_exposures() {
    local wrong
    wrong=$(ask_store "$store" "SELECT count(*) FROM exposures x JOIN
        exposure_evidence w ON w.exposure_id = x.id AND w.roles LIKE '%best%'
        WHERE w.rule <> x.rule OR w.confidence <> x.confidence")
    [ "$wrong" -eq 0 ] && [ "$(ask_store "$store" "SELECT count(*) FROM
        exposure_evidence WHERE roles LIKE '%best%'")" -gt 0 ]
}
check 'the best witness has the rule of its exposure' best_is_the_exposures

confirmed_by_a_change() {
    [ "$(ask_store "$store" "SELECT count(*) FROM exposures x WHERE
        tier = 'confirmed' AND (SELECT tier_to FROM exposure_changes
        WHERE exposure_id = x.id AND tier_to IS NOT NULL
        ORDER BY place DESC LIMIT 1) IS NOT 'confirmed'")" -eq 0 ]
}
check 'the last change of a confirmed one made it so' confirmed_by_a_change

refusals_show_the_reset() {
    local refused shown
    refused=$(ask_store "$store" "SELECT count(*) FROM scan_events
        WHERE rule = 'R1'")
    shown=$(ask_store "$store" "SELECT count(*) FROM scan_event_evidence
        WHERE rule = 'R1' AND outer_flags_text LIKE '%S%'
        AND inner_flags_text LIKE '%R%' AND inner_exporter IS NOT NULL")
    echo "$refused refused, $shown with both halves"
    [ "$refused" -gt 0 ] && [ "$refused" -eq "$shown" ]
}
check 'a refused event shows the SYN and the reset' refusals_show_the_reset

dump() {
    ask_store "$store" 'SELECT * FROM t_witness ORDER BY 1, 2;
        SELECT * FROM t_change ORDER BY 1, 2'
}
dump >"$work/before"
check 'a daemon starts on the store' start_daemon --store "$store"

api_equals_view() { # of exposures, then of an event
    local id event
    for id in $(ask_store "$store" 'SELECT id FROM exposures'); do
        curl -s "http://127.0.0.1:$http/api/v1/exposures/$id/evidence" |
            python3 -c 'import json, sys
for w in json.load(sys.stdin)["data"]["witnesses"]:
    o, i = w["outer"] or {}, w["inner"] or {}
    print("|".join(str(v) for v in ["+".join(w["roles"]), w["client"],
        w["client_port"], w["rule"], o.get("flags_text") or "",
        o.get("evidence") or "", i.get("packets") or "", i.get("octets") or ""]))' |
            sort
    done >"$work/api" || return
    for id in $(ask_store "$store" 'SELECT id FROM exposures'); do
        ask_store "$store" "SELECT roles, client, client_port, rule,
            outer_flags_text, outer_evidence, inner_packets, inner_octets
            FROM exposure_evidence WHERE exposure_id = $id" | sort
    done >"$work/view"
    [ -s "$work/view" ] && diff "$work/view" "$work/api" || return
    event=$(ask_store "$store" "SELECT max(id) FROM scan_events WHERE rule = 'R1'")
    curl -s "http://127.0.0.1:$http/api/v1/scan-events/$event/evidence" |
        grep -q '"why":"SYN from outside, answered by a reset"'
}
if command -v python3 >/dev/null; then
    check 'the API tells what the views tell' api_equals_view
else
    skip 'the API tells what the views tell' 'no python3'
fi

explained() {
    "$client" -u "http://127.0.0.1:$http" exposure-evidence 1 >"$work/out.txt" &&
        cat "$work/out.txt" && grep -q '^witnesses' "$work/out.txt" &&
        grep -q '^changes' "$work/out.txt"
}
check 'the client explains an exposure' explained
check 'and an unknown one is told' \
    exits_saying 1 'there is no exposure 999999' \
    "$client" -u "http://127.0.0.1:$http" exposure-evidence 999999

check 'the daemon ends' stop_daemon TERM 0
unchanged() {
    dump >"$work/after"
    [ -s "$work/before" ] && diff "$work/before" "$work/after"
}
check 'a restart neither loses nor doubles witnesses' unchanged

# --- each exposure and each scan event of all captures, and after a restart ---------
# the captures are old, and grow older: nothing is to turn stale meanwhile
printf '%s\n' 'memory_limit = 160M' 'stale_after = 2000w' 'host_ttl = 2000w' \
    >"$work/small.conf"
start_small() { # flags...
    start_daemon -c "$work/small.conf" --training 0 --store "$store" "$@"
}
evident() { # name
    local code
    python3 tests/e2e/evidence.py "$http" >"$work/$1" 2>"$work/$1.wrong"
    code=$?
    { head -n 5 "$work/$1.wrong"; tail -n 1 "$work/$1.wrong"; } | cut -c 1-900
    return "$code"
}
same() {
    cmp "$work/first" "$work/again" && return
    diff "$work/first" "$work/again" | cut -c 1-300 | head -n 4
    return 1
}
for capture in "$fixtures/demo.pcap" "$fixtures"/lab.*-v*.pcap; do
    command -v python3 >/dev/null || break
    name=$(basename "$capture" .pcap)
    rm -f "$store"*
    check "a daemon reads $name" start_small --read "$capture"
    check "nothing found in $name lacks its evidence" evident first
    check "the daemon of $name ends" stop_daemon TERM 0
    case $name in *-v9 | *-v10 | *-v5a) continue ;; esac
    check "and starts again, $name" start_small
    check "after a restart nothing lacks it, either, $name" evident again
    check "and it is the same, $name" same
    check "that daemon of $name ends" stop_daemon TERM 0
done
done_testing
