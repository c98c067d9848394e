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
# Rows of a resource as the view has them: KEY=COLUMN...
as_the_view() { # resource view order key=column...
    local resource=$1 view=$2 order=$3
    shift 3
    answers "/api/v1/$resource" | python3 -c '
import json, sys
for row in json.load(sys.stdin)["data"]:
    print("|".join("" if row[k.partition("=")[0]] is None else
                   str(row[k.partition("=")[0]]) for k in sys.argv[1:]))' \
        "$@" >"$work/api" || return
    ask_store "$work/map.db" "SELECT $(printf '%s\n' "${@#*=}" | paste -sd ,)
        FROM $view ORDER BY $order" >"$work/view"
    [ -s "$work/view" ] && diff "$work/view" "$work/api"
}
check 'the API has each exporter as the view has it' as_the_view exporters \
    exporters 'address_ip, domain, version' address=address domain=domain \
    protocol=protocol datagrams=datagrams records=records lost=lost \
    share_lost=share_lost unknown_template_sets=unknown_template_sets \
    templates=templates sampling=sampling clock_offset_ms=clock_offset_ms \
    first_seen=first_seen_iso last_seen=last_seen_iso reordered=reordered \
    duplicates=duplicates restarts=restarts refused=refused
check 'and each hour of it, with what was lost and which share' as_the_view \
    exporter-hours exporter_hours 'hour DESC, address_ip, domain, version' \
    hour=hour_iso exporter=address domain=domain protocol=protocol \
    datagrams=datagrams records=records lost=lost share_lost=share_lost
check 'SIGTERM ends that daemon' stop_daemon TERM 0

# --- how much could be decided ------------------------------------------------------
rm -f "$work"/map.db*
printf 'wait = 1s\nrevoke = 1s\nexporter = {"127.0.0.0/8"}\n' >"$work/soon.conf"
check 'a daemon that waits a second for answers' start_daemon \
    -c "$work/soon.conf" --store "$work/map.db" --training 0
check 'an exporter sends everything' resend lab.softflowd-v9.pcap 127.0.0.2 0:
completeness() { # exporter expression over its hours
    answers "/api/v1/completeness?exporter=$1" | python3 -c '
import json, sys
rows = json.load(sys.stdin)["data"]
if not (rows and eval("(" + sys.argv[1] + ")")):
    sys.exit(json.dumps(rows, indent=1))' "$2"
}
check 'all that it shows is decided' within 80 completeness 127.0.0.2 \
    "sum(r['decided'] for r in rows) > 300 and
        all(r['unresolved'] == 0 and r['share'] == 1 for r in rows)"
check 'SIGTERM ends the daemon that waits' stop_daemon TERM 0
rm -f "$work"/map.db*
check 'another one on a new store' start_daemon \
    -c "$work/soon.conf" --store "$work/map.db" --training 0
check 'of an exporter a datagram is lost' \
    resend lab.softflowd-v10.pcap 127.0.0.3 0:-9
check 'silence is not decided, and says why' within 80 \
    completeness 127.0.0.3 "sum(r['reasons']['loss'] for r in rows) > 0 and
        all(sum(r['reasons'].values()) == r['unresolved'] and
            abs(r['share'] - r['decided'] /
                (r['decided'] + r['unresolved'])) < 1e-6 for r in rows)"
check 'the API has each hour as the view has it' as_the_view completeness \
    completeness 'hour DESC, exporter_id' hour=hour_iso exporter=exporter \
    domain=domain protocol=protocol decided=decided unresolved=unresolved \
    share=share unknown_direction=unknown_direction
check 'SIGTERM ends the other one' stop_daemon TERM 0

# --- what the kernel drops ------------------------------------------------------------
rm -f "$work"/map.db*
echo 'rcvbuf = 4096' >"$work/small.conf"
check 'a daemon with a small receive buffer' start_daemon \
    -c "$work/small.conf" --store "$work/map.db" --training 0
overrun() { # stands still while more comes than the buffer holds
    kill -STOP "$daemon_pid"
    resend lab.softflowd-v5.pcap 127.0.0.1 0:
    kill -CONT "$daemon_pid"
}
check 'stands still while an exporter sends' overrun
dropped() {
    answers /api/v1/exporters | python3 -c '
import json, sys
answer = json.load(sys.stdin)
row = answer["data"][0]
sys.exit(not 0 < row["datagrams"] + answer["meta"]["kernel_drops"] >
         row["datagrams"])'
}
check 'the API tells how many the kernel dropped' within 80 dropped
check 'and so does the view' within 30 asks 1 \
    'SELECT min(kernel_drops) > 0 FROM exporters'
check 'SIGTERM ends the daemon with the small buffer' stop_daemon TERM 0

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
