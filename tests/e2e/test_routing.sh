#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Routing domains: 10.0.0.5 is the host of four networks. Two are exporters at
# two loopback addresses, one is a domain of the first, and two VRFs of
# another one; all speak of one client and one port.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
conf=$work/test.conf
cat >"$conf" <<'CONF'
training = 0
wait = 1s
feed = {"127.0.0.2: visibility=both"}
routing_domain = {"127.0.0.1: tag=7", "127.0.0.2: tag=258",
    "127.0.0.1: domain=3, tag=9", "127.0.0.3: vrf=100, tag=65535",
    "127.0.0.3: vrf=200, tag=7"}
CONF

# SOURCE DOMAIN VRF FLAGS...: o is a packet of the client's with these flags,
# i one of the host's: o02 i12. Without a VRF in NetFlow v5, else in IPFIX.
cat >"$work/send.py" <<'PYTHON'
import socket, struct, sys, time
port, source, domain, vrf = sys.argv[1], *sys.argv[2].split(":")
client, host = bytes([203, 0, 113, 9]), bytes([10, 0, 0, 5])
now = int(time.time())
records = []
for word in sys.argv[3:]:
    out = word[0] == "o"
    ends = (client, host, 40000, 443) if out else (host, client, 443, 40000)
    records.append((*ends, int(word[1:], 16)))

def netflow5():
    rows = b"".join(
        src + dst + bytes(8) + struct.pack(">IIIIHHBBBB8x", 1, 60, 1000, 1000,
            sport, dport, 0, flags, 6, 0)
        for src, dst, sport, dport, flags in records)
    return struct.pack(">HHIIIIBBH", 5, len(records), 2000, now, 0, 0,
        0, int(domain), 0) + rows

def ipfix():
    fields = ((8, 4), (12, 4), (7, 2), (11, 2), (6, 1), (4, 1), (2, 4), (1, 4),
        (234, 4), (150, 4), (151, 4))
    template = struct.pack(">HH", 256, len(fields)) + \
        b"".join(struct.pack(">HH", *f) for f in fields)
    rows = b"".join(
        src + dst + struct.pack(">HHBBIIIII", sport, dport, flags, 6, 1, 60,
            int(vrf), now, now)
        for src, dst, sport, dport, flags in records)
    sets = b"".join(struct.pack(">HH", n, len(s) + 4) + s
        for n, s in ((2, template), (256, rows)))
    return struct.pack(">HHIII", 10, len(sets) + 16, now, 0, int(domain)) + sets

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((source, 0))
s.sendto(ipfix() if vrf else netflow5(), ("127.0.0.1", int(port)))
PYTHON
tells() { # SOURCE:DOMAIN:VRF packets...
    python3 "$work/send.py" "$udp" "$@"
}
starts() {
    start_daemon --config "$conf" --internal 10.0.0.0/8=customers \
        --store "$work/map.db"
}
answers() { # path
    curl -sf -m 5 "http://127.0.0.1:$http/api/v1$1"
}
# What the rows of a list have under a key, in order.
rows_are() { # path key text
    answers "$1" >"$work/json" || return
    python3 -c '
import json, sys
rows = json.load(open(sys.argv[1]))["data"]
got = " ".join(str(r[sys.argv[2]]) for r in rows)
if got != sys.argv[3]:
    sys.exit(sys.argv[2] + ": " + got)' "$work/json" "$2" "$3"
}
client_asks() { # pattern command...
    local pattern=$1
    shift
    "$client" -u "http://127.0.0.1:$http" "$@" >"$work/table" || return
    grep -E -e "$pattern" "$work/table" || { cat "$work/table"; return 1; }
}
asks() { # expected sql
    local got
    got=$(ask_store "$work/map.db" "$2")
    [ "$got" = "$1" ] || { echo "$2: $got, not $1"; return 1; }
}

check 'the daemon starts' starts
check 'the host of domain 7 accepts' tells 127.0.0.1:0: o02 i12
check 'the one of domain 258 is asked and keeps silent' tells 127.0.0.2:0: o02
check 'the one of domain 9 refuses' tells 127.0.0.1:3: o02 i14
check 'the one of domain 65535 accepts' tells 127.0.0.3:1:100 o02 i12
check 'there are two exposures, one a domain' within 50 \
    rows_are '/exposures?port=443' host '10.0.0.5%7 10.0.0.5%65535'
check 'and three hosts: the silent one was never seen' \
    rows_are /hosts host '10.0.0.5%7 10.0.0.5%9 10.0.0.5%65535'
check 'the silent one is darkspace' within 50 \
    rows_are '/scan-events?dst=10.0.0.5%25258' place darkspace
check 'and silent' rows_are '/scan-events?dst=10.0.0.5%25258' answer silent
check 'the refusing one refused' \
    rows_are '/scan-events?dst=10.0.0.5%259' answer refused
check 'one client did it all' \
    rows_are '/scan-events?src=203.0.113.9&limit=3' src \
    '203.0.113.9 203.0.113.9 203.0.113.9'
check 'a net is of every routing domain' \
    rows_are '/exposures?net=10.0.0.0/24' host '10.0.0.5%7 10.0.0.5%65535'
check 'a net with a tag is of its own' \
    rows_are '/exposures?net=10.0.0.0%257/24' host '10.0.0.5%7'
check 'the label is of every routing domain, too' \
    rows_are '/hosts?net=customers' host \
    '10.0.0.5%7 10.0.0.5%9 10.0.0.5%65535'
check 'there is nothing at the address without a tag' \
    rows_are '/exposures?host=10.0.0.5' host ''
host_page() {
    answers /hosts/10.0.0.5%257 >"$work/json" &&
        grep -qF '"host":"10.0.0.5%7"' "$work/json" &&
        grep -qE '"label": ?"customers"' "$work/json" &&
        answers /hosts/10.0.0.5%25258/darkports >"$work/json" &&
        grep -qE '"populated": ?false' "$work/json"
}
check 'a host has a page of its own' host_page
check 'the client shows it' client_asks '^host +10\.0\.0\.5%7$' host 10.0.0.5%7
check 'and its darkports' client_asks '^count +65535$' darkports 10.0.0.5%7
check 'and filters by it' \
    client_asks '^10\.0\.0\.5%65535 +tcp +443' exposures net=10.0.0.0%65535/8
check 'SQL shows it' asks 'customers' \
    "SELECT label FROM hosts WHERE host = '10.0.0.5%7'"
check 'and takes the tag off' asks 3 "SELECT count(*) FROM hosts JOIN networks
    ON CAST(x'00000000000000000000ffff' || substr(host_ip, 13) AS BLOB)
        BETWEEN low_ip AND high_ip WHERE networks.label = 'customers'"

# a pair's halves from two exporters: 7 is told by 127.0.0.3, too
check 'SIGTERM ends the daemon' stop_daemon TERM 0
check 'it starts again' starts
check 'the exposures are there' \
    rows_are '/exposures?port=443' host '10.0.0.5%7 10.0.0.5%65535'
sleep 1.1 # another attempt: later than the retransmissions of the first
check 'the client asks domain 7 again, says one exporter' \
    tells 127.0.0.3:1:200 o02
check 'and is accepted, says the other' tells 127.0.0.1:0: i12
accepted_twice() {
    asks '2|1' "SELECT accepted, (SELECT count(*) FROM exposures
        WHERE host = '10.0.0.5%7') FROM exposures WHERE host = '10.0.0.5%7'"
}
check 'the exposure counts it: it is the same one' within 50 accepted_twice
check 'SIGTERM ends that daemon' stop_daemon TERM 0

# --- all of it, with a tag ---------------------------------------------------
# One exporter, one domain: what is found is the same, but for the tag.
read_demo() { # store flags...
    local store=$1
    shift
    "$daemon" --read "$fixtures/demo.pcap" "${lab[@]}" --training 0 \
        --http none --store "$store" "$@" >"$work/summary" 2>"$log"
}
rows_of() { # store: facts, the tag taken off
    sqlite3 -readonly "$1" "
        SELECT replace(host, '%7', ''), proto, port, tier, rule, confidence,
            accepted, clients, first_seen, last_seen, listener
            FROM exposures ORDER BY 1, 2, 3, 9;
        SELECT replace(host, '%7', ''), label, first_seen FROM hosts ORDER BY 1;
        SELECT ts, src, replace(dst, '%7', ''), proto, port, technique, answer,
            place, rule FROM scan_events ORDER BY 1, 2, 3, 4, 5;
        SELECT * FROM attempt_outcomes ORDER BY 1, 2, 3"
}
printf 'routing_domain = {"0.0.0.0/0: tag=7"}\n' >"$conf.7"
same_but_for_the_tag() {
    read_demo "$work/plain.db" && read_demo "$work/tagged.db" -c "$conf.7" ||
        return
    rows_of "$work/plain.db" >"$work/plain"
    rows_of "$work/tagged.db" >"$work/tagged"
    [ "$(wc -l <"$work/plain")" -gt 300 ] && diff "$work/plain" "$work/tagged"
}
check 'a capture of one network gives the same with a tag' same_but_for_the_tag
every_host_has_it() {
    [ "$(ask_store "$work/tagged.db" "SELECT count(*) > 0 FROM hosts
        WHERE host LIKE '%.%.%.%'")" = 1 ] || return
    ask_store "$work/tagged.db" "SELECT host FROM hosts
        WHERE host LIKE '%.%.%.%' AND host NOT LIKE '%.%.%.%\%7' ESCAPE '\'
        UNION SELECT dst FROM scan_events
        WHERE dst LIKE '%.%.%.%' AND dst NOT LIKE '%.%.%.%\%7' ESCAPE '\'
        UNION SELECT src FROM scan_events WHERE src LIKE '%\%%' ESCAPE '\'" \
        >"$work/without"
    cat "$work/without"
    [ ! -s "$work/without" ]
}
check 'every internal IPv4 address has it, and none outside' every_host_has_it
check 'the summary shows it' grep -qE '^  192\.0\.2\.20%7 +tcp +22 ' "$work/summary"

trace() { # endpoint
    "$daemon" --read "$fixtures/demo.pcap" "${lab[@]}" --training 0 \
        -c "$conf.7" --trace "$1" >"$work/trace" 2>"$log"
}
traces_it() {
    trace 192.0.2.20%7:22 && grep -qE \
        '^record .* 192\.0\.2\.20%7:22 > 203\.0\.113\.[0-9]+:[0-9]+ tcp$' \
        "$work/trace" && grep -q '^  map ' "$work/trace"
}
check 'the trace takes the tag, and shows it' traces_it
traces_nothing_else() {
    trace 192.0.2.20:22 && [ ! -s "$work/trace" ]
}
check 'the address without it is another host' traces_nothing_else

dumps_the_same() {
    "$daemon" -c "$conf" -i 10.0.0.0/8 --dump >"$work/a" &&
        "$daemon" -c "$work/a" --dump >"$work/b" && cmp "$work/a" "$work/b" &&
        grep '^routing_domain = ' "$work/a" | grep -F \
            '"127.0.0.1/32: domain=3, tag=9"'
}
check 'dump prints what reads back to the same' dumps_the_same
printf 'internal = {"10.0.0.0/8"}\n\nrouting_domain = {"127.0.0.1: tag=0"}\n' \
    >"$conf.wrong"
check 'a wrong rule is told with file and line' exits_saying 78 \
    "$conf.wrong:3: routing_domain '127.0.0.1: tag=0': tag must be 1 to 65535" \
    "$daemon" -c "$conf.wrong" --check
done_testing
