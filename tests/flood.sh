#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Floods a running daemon on loopback, kind after kind: its resident memory
# must stay, and a well-behaved exporter beside the attacker lose nothing.
# BUILD names the build folder; FLOOD_PERCENT: how much of each flood (100).
#
# Memory: the tables' pages are touched when they are first used, so each kind
# is sent once in small before (the tables are small, and fill up); what is
# compared is resident memory after that with memory after the whole flood,
# daemon and API process together. At most 16 MiB may be added.
#
# At first only two exporters may send. Then everybody may, and forged ones
# come from 65,000 addresses: 64 are known at most, and the well-behaved one,
# which came first, is one of them.
. "$(dirname "$0")/e2e/lib.sh"
flood=$BUILD/tests/flood
percent=${FLOOD_PERCENT:-100}
limit_kib=16384
sound_rate=500
table=$work/table

configure() { # name, line of who may send
    store=$work/$1.db
    cat >"$work/conf" <<CONF
internal = {"192.0.2.0/24=v4"}
store = "$store"
http = "127.0.0.1:0"
listen = {"udp://127.0.0.1:0"}
training = 0
wait = 2s
revoke = 10s
max_pairs = 65536
max_sources = 32768
max_hosts = 4096
max_exposures = 65536
max_events = 65536
$2
CONF
}
# datagrams of the whole flood, datagrams a second
kinds=(templates domains pens churn exporters syn)
declare -A count=([templates]=4224 [domains]=1048576 [pens]=1000 [churn]=1000
    [exporters]=1000000 [syn]=33334)
declare -A rate=([templates]=1500 [domains]=40000 [pens]=300 [churn]=400
    [exporters]=40000 [syn]=5000)

start_flooded() {
    : >"$log"
    "$daemon" --config "$work/conf" >"$work/stdout" 2>"$log" &
    daemon_pid=$!
    children+=("$daemon_pid")
    within 150 grep -q 'msg="started' "$log" || { cat "$log"; return 1; }
    udp=$(sed -n 's/.*listening on udp:\/\/127.0.0.1:\([0-9]*\).*/\1/p' "$log")
    http=$(sed -n 's/.*http on 127.0.0.1:\([0-9]*\)".*/\1/p' "$log")
    [ -n "$udp" ] && [ -n "$http" ]
}
resident_kib() { # of the daemon and its children
    local pid
    for pid in "$daemon_pid" $(pgrep -P "$daemon_pid"); do
        sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status"
    done | awk '{ sum += $1 } END { print sum + 0 }'
}
metric() { # name; its value, 0 where it is not there
    curl -sf "http://127.0.0.1:$http/metrics" |
        awk -v name="darkport_$1" '$1 == name || $1 == name "_total" { v = $2 }
            END { printf "%.0f\n", v }'
}
start_sound() { # datagrams
    "$flood" sound "$udp" "$1" "$sound_rate" >"$work/sound" &
    sound_pid=$!
    children+=("$sound_pid")
    sleep 0.3
}
send_kind() { # kind percent
    local n=$((count[$1] * $2 / 100))
    "$flood" "$1" "$udp" $((n > 0 ? n : 1)) "${rate[$1]}" >"$work/sent"
}
warm_up() { # kinds
    local kind
    for kind; do
        send_kind "$kind" $((percent < 20 ? percent : 20)) || return
    done
    sleep 3 # the silent are found, and committed
}
stays_within() { # kind
    local before after lost0
    before=$(resident_kib)
    lost0=$(metric datagrams_lost_kernel)
    send_kind "$1" "$percent" || return
    sleep 1
    after=$(resident_kib)
    printf '%-10s %8s datagrams  before %7d KiB  after %7d KiB  %+6d KiB  lost by the kernel %d\n' \
        "$1" "$(cat "$work/sent")" "$before" "$after" $((after - before)) \
        $(($(metric datagrams_lost_kernel) - lost0)) | tee -a "$table"
    [ "$before" -gt 0 ] && [ $((after - before)) -le "$limit_kib" ]
}
# every port the sound exporter told of is in the map, and nothing is missing
sound_lost_nothing() {
    kill -INT "$sound_pid" 2>/dev/null
    wait "$sound_pid" 2>/dev/null
    forget "$sound_pid"
    local sent
    sent=$(cat "$work/sound")
    echo "sent $sent, lost by the kernel $(metric datagrams_lost_kernel)"
    [ "$sent" -gt 100 ] || return
    within 100 are_mapped "$sent" || { cat "$work/mapped"; return 1; }
}
are_mapped() { # ports
    local mapped
    mapped=$(ask_store "$store" "SELECT count(*) FROM exposures
        WHERE host LIKE '192.0.2.%' AND proto = 'tcp'")
    echo "$mapped of $1 are mapped" >"$work/mapped"
    [ "$mapped" -eq "$1" ]
}
sound_has_no_gap() {
    curl -sf "http://127.0.0.1:$http/api/v1/exporters" >"$work/exporters" || return
    python3 - "$work/exporters" <<'PYTHON'
import json, sys
rows = json.load(open(sys.argv[1]))
rows = rows["data"]
sound = [r for r in rows if "127.0.0.200" in json.dumps(r)]
print(sound)
sys.exit(not (len(sound) == 1 and sound[0]["lost"] == 0))
PYTHON
}
forged_are_refused() {
    [ "$(metric datagrams_refused_not_allowed)" -gt 0 ] &&
        [ "$(ask_store "$store" "SELECT count(*) FROM exporters
            WHERE address LIKE '127.1.%'")" -eq 0 ]
}

# it is one of at most 64 addresses, and the others were refused
forged_meet_the_limit() {
    local known
    known=$(ask_store "$store" "SELECT count(DISTINCT address) FROM exporters")
    echo "$known addresses are known"
    [ "$known" -eq 64 ] &&
        [ "$(metric datagrams_refused_exporter_limit)" -gt 0 ] &&
        [ "$(metric datagrams_refused_not_allowed)" -eq 0 ]
}

configure listed 'exporter = {"127.0.0.2/32=attacker", "127.0.0.200/32=sound"}'
check 'the daemon starts with small tables' start_flooded
check 'a well-behaved exporter sends' start_sound 50000
check 'each flood in small fills the tables' warm_up "${kinds[@]}"
for kind in "${kinds[@]}"; do
    check "flood of $kind: at most 16 MiB more" stays_within "$kind"
done
check 'the well-behaved exporter lost nothing' sound_lost_nothing
check 'and its sequence numbers have no gap' sound_has_no_gap
check 'forged exporters were refused, and none is known' forged_are_refused
check 'the daemon ends well' stop_daemon TERM 0

configure any 'accept_any = true'
echo 'everybody may send:' >>"$table"
check 'the daemon starts, and everybody may send' start_flooded
check 'a well-behaved exporter is known first' start_sound 50000
check 'forged exporters fill the table of addresses' warm_up exporters
check 'flood of exporters that may send: at most 16 MiB more' stays_within exporters
check 'the well-behaved exporter lost nothing to them' sound_lost_nothing
check 'and its sequence numbers still have no gap' sound_has_no_gap
check '64 addresses are known, and no more' forged_meet_the_limit
check 'the daemon that heard everybody ends well' stop_daemon TERM 0
sed 's/^/# /' "$table"
done_testing
