#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Exporters: who may send, what is told about each, sampling, loss, and
# templates that survive a restart.
. "$(dirname "$0")/lib.sh"
capture=$fixtures/lab.pcap
softflowd=$(command -v softflowd || echo /usr/sbin/softflowd)

resend() { # capture source which
    python3 tests/e2e/resend.py "$fixtures/$1" "$2" "$udp" "$3"
}
answers() { # path
    curl -sf -m 5 "http://127.0.0.1:$http$1"
}
# The exporters' rows for which a Python expression over r is true.
exporters_are() { # number expression
    answers /api/v1/exporters | python3 -c '
import json, sys
rows = json.load(sys.stdin)["data"]
n = sum(1 for r in rows if eval("(" + sys.argv[2] + ")"))
if n != int(sys.argv[1]):
    sys.exit("%d rows of %s" % (n, rows))' "$1" "$2" 2>"$work/rows" ||
        { tail -n 1 "$work/rows"; return 1; }
}
says() { # text
    grep -qF -e "$1" "$log"
}
asks() { # expected sql
    local got
    got=$(ask_store "$work/map.db" "$2")
    [ "$got" = "$1" ] || { echo "$2: $got, not $1"; return 1; }
}
counts() { # counter at-least
    [ "$(answers /metrics | sed -n "s/^darkport_$1_total //p")" -ge "$2" ]
}

# --- sampling, by real exporters --------------------------------------------------
check 'the daemon starts' start_daemon --store "$work/map.db" --training 0
if [ -e "$capture" ] && [ -x "$softflowd" ]; then
    export_sampled() { # version rate
        timeout 60 "$softflowd" -r "$capture" -c none -p "$work/softflowd.pid" \
            -n "127.0.0.1:$udp" -v "$1" -s "$2"
    }
    check 'softflowd exports NetFlow v9, 1 of 10 packets' export_sampled 9 10
    check 'softflowd exports IPFIX, 1 of 4 packets' export_sampled 10 4
    check 'softflowd exports NetFlow v5, 1 of 3 packets' export_sampled 5 3
    for wanted in netflow9:10 ipfix:4 netflow5:3; do
        check "the exporter's sampling is told, ${wanted%:*}" within 30 \
            exporters_are 1 "r['protocol'] == '${wanted%:*}' and
                r['sampling'] == ${wanted#*:} and r['records'] > 0"
        check "the log tells it, ${wanted%:*}" \
            says "samples 1 of ${wanted#*:} packets"
    done
else
    skip 'the exporters tell their sampling' 'no softflowd, or no capture'
fi
check 'SIGTERM ends the daemon' stop_daemon TERM 0

# --- loss, and the hours -------------------------------------------------------------
rm -f "$work"/map.db*
check 'a daemon on a new store' start_daemon --store "$work/map.db" --training 0
check 'all datagrams of an exporter but one are sent' \
    resend lab.softflowd-v9.pcap 127.0.0.1 0:-9
check 'the one is lost' within 30 exporters_are 1 \
    "r['lost'] == 1 and 0 < r['share_lost'] < 0.1 and r['refused'] == 0"
check 'sqlite3 shows it by the hour' within 20 asks '1|1' \
    'SELECT sum(lost), max(share_lost) > 0 FROM exporter_hours'
check 'its hours are the whole of it' asks '1' \
    'SELECT (SELECT sum(datagrams) FROM exporter_hours) =
        (SELECT sum(datagrams) FROM exporters)'
check 'the API tells what the kernel dropped' \
    grep -qE '"kernel_drops": ?[0-9]+' <(answers /api/v1/exporters)
check 'SIGTERM ends that daemon' stop_daemon TERM 0

# --- templates survive a kill ------------------------------------------------------
for version in v9 v10; do
    rm -f "$work"/map.db*
    check "a daemon on a new store, $version" \
        start_daemon --store "$work/map.db" --training 0
    check "the datagram with the templates, $version" \
        resend "lab.softflowd-$version.pcap" 127.0.0.1 0:0
    check "the templates are kept, $version" within 30 asks 1 \
        'SELECT count(*) > 0 FROM t_template'
    check "the daemon is killed, $version" stop_daemon KILL 137
    check "and starts again, $version" \
        start_daemon --store "$work/map.db" --training 0
    check "data alone comes, $version" \
        resend "lab.softflowd-$version.pcap" 127.0.0.1 1:12
    check "all of it is decoded, $version" within 30 exporters_are 1 \
        "r['datagrams'] == 13 and r['unknown_template_sets'] == 0 and
            r['lost'] == 0 and r['records'] > 100"
    check "SIGTERM ends it, $version" stop_daemon TERM 0
done
# the same without what was kept: the test above tests something
sqlite3 "$work/map.db" 'DELETE FROM t_template'
check 'a daemon that has no templates' \
    start_daemon --store "$work/map.db" --training 0
check 'gets the same data' resend lab.softflowd-v10.pcap 127.0.0.1 1:12
check 'and can decode none of it' within 30 exporters_are 1 \
    "r['datagrams'] == 25 and r['unknown_template_sets'] >= 12"
check 'SIGTERM ends this one, too' stop_daemon TERM 0

# --- who may send --------------------------------------------------------------------
rm -f "$work"/map.db*
cat >"$work/allow.conf" <<'CONF'
exporter = {"127.0.0.2=edge1", "127.0.1.0/24=lab"}
CONF
check 'a daemon with a list of exporters' start_daemon -c "$work/allow.conf" \
    --store "$work/map.db" --training 0
check 'one of them sends' resend lab.softflowd-v5.pcap 127.0.0.2 0:9
check 'one of its network sends' resend lab.softflowd-v5.pcap 127.0.1.9 0:9
check 'a stranger sends' resend lab.softflowd-v5.pcap 127.0.0.1 0:9
check 'the first is there, by its name' within 30 exporters_are 1 \
    "r['name'] == 'edge1' and r['address'] == '127.0.0.2'"
check 'the second is, by the name of the network' within 30 exporters_are 1 \
    "r['name'] == 'lab' and r['address'] == '127.0.1.9'"
check 'the stranger is not' exporters_are 0 "r['address'] == '127.0.0.1'"
check 'its datagrams are counted' counts datagrams_refused_not_allowed 10
check 'the log names it' says 'exporter refused: 127.0.0.1 may not send'
once() {
    [ "$(grep -c 'exporter refused' "$log")" -eq 1 ]
}
check 'once' once
check 'SIGTERM ends the daemon with the list' stop_daemon TERM 0
dumped() {
    "$daemon" "${lab[@]}" -c "$work/allow.conf" --dump >"$work/dumped" &&
        grep -qxF 'exporter = {"127.0.0.2/32=edge1", "127.0.1.0/24=lab"}' \
            "$work/dumped" &&
        "$daemon" "${lab[@]}" -c "$work/dumped" --check
}
check '--dump prints the list, and reads it back' dumped
done_testing
