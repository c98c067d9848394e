#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is known of the exporters' feeds: each property with its samples, each
# change of it, over the API as the views tell it, under the same words.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
if ! command -v python3 >/dev/null; then
    skip 'each property of a feed is told' 'no python3'
    done_testing
fi
properties='flags shared_times address_ordered biflow_direction idle_timeout
    active_timeout sampling visibility clock_offset loss'

resend() { # capture source
    python3 tests/e2e/resend.py "$fixtures/$1.pcap" "$2" "$udp" 0:
}
answers() { # path
    curl -sf -m 5 "http://127.0.0.1:$http/api/v1/$1"
}
# A Python expression over rows, of a list of the API, must be true.
holds() { # path expression
    answers "$1" | python3 -c '
import json, sys
rows = json.load(sys.stdin)["data"]
if not eval("(" + sys.argv[1] + ")"):
    sys.exit("not so: %s\n%s" % (sys.argv[1], json.dumps(rows, indent=1)))' "$2"
}
asks() { # expected sql
    local got
    got=$(ask_store "$work/map.db" "$2")
    [ "$got" = "$1" ] || { echo "$2: $got, not $1"; return 1; }
}
# one exporter's property
is() { # address property expression
    holds "exporters?exporter=$1" \
        "[p for r in rows for p in r['feed'] if p['property'] == '$2'
            and p['network'] is None and ($3)]"
}

cat >"$work/feeds.conf" <<'CONF'
exporter = {"127.0.0.0/8"}
feed = {"127.0.0.4: domain=0, visibility=both, sampling=1"}
CONF
check 'a daemon starts' start_daemon -c "$work/feeds.conf" \
    --store "$work/map.db" --training 0
check 'an exporter of NetFlow v9 sends' resend lab.softflowd-v9 127.0.0.2
check 'one of biflows' resend lab.softflowd-v10b 127.0.0.3
check 'one whose feed is configured' resend lab.softflowd-v10 127.0.0.4
check 'one of NetFlow v5' resend lab.softflowd-v5 127.0.0.5
check 'all of them are there' within 50 holds exporters 'len(rows) == 4'

# samples come to the store once a minute, and with each change; a stop
# brings the last
check 'SIGTERM ends the daemon' stop_daemon TERM 0
check 'it starts again' start_daemon -c "$work/feeds.conf" \
    --store "$work/map.db" --training 0
for property in $properties; do
    check "each exporter tells its $property, how it is known, from what" \
        holds exporters "len(rows) == 4 and all(
            [p for p in r['feed'] if p['property'] == '$property'
                and p['network'] is None and isinstance(p['samples'], int)
                and isinstance(p['agreeing'], int) and p['value'] != ''
                and p['source'] in
                    ('default', 'learned', 'told', 'configured')]
            for r in rows)"
    check "the view exporters tells its $property, too" asks 0 \
        "SELECT count(*) FROM exporters e WHERE NOT EXISTS (SELECT 1 FROM
            exporter_properties p WHERE p.exporter_id = e.exporter_id
            AND p.property = '$property' AND p.network IS NULL
            AND p.value IS e.feed_$property
            AND p.source IS e.feed_${property}_source
            AND p.samples IS e.feed_${property}_samples)"
done
nothing_else() {
    local known
    known=$(printf '%s\n' $properties | sort | paste -sd ' ')
    asks "$known" "SELECT group_concat(property, ' ') FROM
        (SELECT DISTINCT property FROM exporter_properties ORDER BY 1)"
}
check 'there is no property that this test does not know' nothing_else
visible_per_network() {
    holds 'exporters?exporter=127.0.0.2' "[p for p in rows[0]['feed']
        if p['property'] == 'visibility' and p['network'] == '192.0.2.0/24'
        and p['value'] == 'both' and p['samples'] >= 100]"
}
check 'visibility is told per network' visible_per_network
for of in "2 flags p['value']=='ok'" "2 visibility p['value']=='both'" \
    "2 shared_times p['value']=='yes'" "2 idle_timeout int(p['value'])>0" \
    \
    "3 address_ordered p['value']=='yes'" \
    "3 biflow_direction p['value']=='ignored'" "5 flags p['value']=='ok'"; do
    read -r exporter property value <<<"$of"
    check "$property is learned where the records show it, by 127.0.0.$exporter" \
        is "127.0.0.$exporter" "$property" \
        "$value and p['source'] == 'learned' and (p['samples'] > 0
            or p['property'] == 'biflow_direction')"
done
check 'what is configured says so' is 127.0.0.4 visibility \
    "p['source'] == 'configured' and p['value'] == 'both'"
check 'and is not of the others' is 127.0.0.3 sampling \
    "p['source'] == 'default'"

# --- changes --------------------------------------------------------------------
every_change() {
    local address
    for address in 127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5; do
        holds "exporter-events?exporter=$address&domain=0" \
            "len(rows) == $(ask_store "$work/map.db" "SELECT count(*)
                FROM exporter_events WHERE address = '$address'") > 0 and
            all(r['exporter'] == '$address' and r['domain'] == 0 and
                r['from'] != r['to'] and r['ts'] and
                isinstance(r['samples'], int) for r in rows)" || return
    done
}
check 'each change is told of its exporter' every_change
newest() { # what changed last is what is now
    asks 0 "SELECT count(*) FROM exporter_properties p WHERE changed_at
        IS NOT NULL AND value IS NOT (SELECT value_to FROM exporter_events e
        WHERE e.address_ip = p.address_ip AND e.domain = p.domain
        AND e.version = p.version AND e.property = p.property
        AND e.network IS p.network ORDER BY id DESC LIMIT 1)"
}
check 'the last change is to what is now' newest
check 'no change is of a configured property' holds \
    'exporter-events?exporter=127.0.0.4' \
    "all(r['property'] not in ('visibility', 'sampling') or r['network']
        for r in rows)"
# --- one word for one thing ---------------------------------------------------------
dumped() {
    "$daemon" "${lab[@]}" -c "$work/feeds.conf" --dump |
        grep -qxF 'feed = {"127.0.0.4/32: domain=0, sampling=1, visibility=both"}'
}
check 'the configuration writes domain=0' dumped
check 'as the API takes it' holds 'exporters?exporter=127.0.0.4&domain=0' \
    "len(rows) == 1 and rows[0]['domain'] == 0"
check 'as the view has it' asks 1 "SELECT count(*) FROM exporters
    WHERE address = '127.0.0.4' AND domain = 0"
check 'and as the client asks' exits_saying 0 127.0.0.4 \
    "$client" -u "http://127.0.0.1:$http" exporters exporter=127.0.0.4 domain=0
check 'a domain that is none is refused, by name' \
    exits_saying 1 'domain must be a number' \
    "$client" -u "http://127.0.0.1:$http" exporter-events domain=edge1
check 'and so is another word for it' \
    exits_saying 1 'source_id is no parameter' \
    "$client" -u "http://127.0.0.1:$http" exporter-events source_id=0
check 'SIGTERM ends it again' stop_daemon TERM 0

# --- a clock that is off ------------------------------------------------------------
late() { # 127.0.0.9's clock is 90 s behind
    rm -f "$work"/map.db*
    python3 tests/lab/pcap.py merge "$work/late.pcap" \
        "$fixtures/demo.pcap=127.0.0.9+90000" &&
        start_daemon --store "$work/map.db" --training 0 \
            --read "$work/late.pcap"
}
check 'a capture of an exporter whose clock is behind is read' late
check 'how far it is off is learned, and from how many datagrams' \
    is 127.0.0.9 clock_offset "p['source'] == 'learned' and
        88000 < int(p['value']) < 92000 and p['samples'] >= 15"
check 'and that was a change' holds 'exporter-events?exporter=127.0.0.9' \
    "[r for r in rows if r['property'] == 'clock_offset' and r['from'] == '0']"
check 'SIGTERM ends this one, too' stop_daemon TERM 0
done_testing
