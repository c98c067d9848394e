#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A host on which everything answers: its map is frozen, and log, view and API
# tell when that began and ended.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# NetFlow v5 of a tarpit, 192.0.2.9: each port answers a SYN and shows no data.
# To a capture (pcap.py's), or to a port. "late" is 2 hours later, one flow.
cat >"$work/tarpit.py" <<'PYTHON'
import socket, struct, sys, time
sys.path.insert(0, "tests/lab")
import pcap
kind, to = sys.argv[1:3]
T0 = 1795530000 if kind == "capture" else int(time.time()) - 30
def record(src, dst, sport, dport, flags):
    return (socket.inet_aton(src) + socket.inet_aton(dst) +
            struct.pack(">IHHIIIIHHBBBBHHBBH", 0, 1, 2, 1, 44, 1000, 1000,
                        sport, dport, 0, flags, 6, 0, 0, 0, 24, 24, 0))
sequence = 0
def datagram(when, records):
    global sequence
    head = struct.pack(">HHIIIIBBH", 5, len(records), 5000, when, 0, sequence, 0, 0, 0)
    sequence += len(records)
    return head + b"".join(records)
def probes(first, last):
    for port in range(first, last, 10):
        records = []
        for p in range(port, port + 10):
            records += [record("203.0.113.66", "192.0.2.9", 40000 + p, p, 2),
                        record("192.0.2.9", "203.0.113.66", p, 40000 + p, 18)]
        yield records
out = [(T0 + 5, datagram(T0 + 5, r)) for r in probes(100, 400)]
if kind == "capture":
    for hours in (2, 3): # the second moves the clock on
        out.append((T0 + 3600 * hours, datagram(T0 + 3600 * hours,
            [record("198.51.100.7", "192.0.2.30", 40000 + hours, 80, 2)])))
    w = pcap.Writer(to)
    for when, d in out:
        udp = struct.pack(">HHHH", 9999, 2055, 8 + len(d), 0) + d
        w.add(when, struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0,
              64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1") + udp)
    w.close()
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _, d in out:
        s.sendto(d, ("127.0.0.1", int(to)))
        time.sleep(0.002)
PYTHON
if ! command -v python3 >/dev/null; then
    skip 'a tarpit is told' 'no python3'
    done_testing
fi
says() { # times text
    [ "$(grep -cF -e "$2" "$log")" -eq "$1" ] || { echo "not $1 times: $2"; return 1; }
}
guards() { # query
    curl -sf -m 5 "http://127.0.0.1:$http/api/v1/host-guards$1"
}
frozen() {
    guards '?state=active' | grep -qF '"host":"192.0.2.9"'
}

check 'a daemon starts' start_daemon --store "$work/map.db" --training 0
check 'a tarpit answers on 300 ports' python3 "$work/tarpit.py" live "$udp"
check 'the API tells that its map is frozen' within 50 frozen
check 'the log tells it once' within 20 says 1 \
    'host 192.0.2.9: everything answers'
more() {
    python3 "$work/tarpit.py" live "$udp" && sleep 2
}
check 'it goes on' more
check 'and that is no second line' says 1 'host 192.0.2.9: everything answers'
by_client() {
    "$client" -u "http://127.0.0.1:$http" host-guards net=v4 state=active |
        grep -q '192\.0\.2\.9'
}
check 'the client tells it, by the label of its network' by_client
check 'SIGTERM ends the daemon' stop_daemon TERM 0
check 'it starts again' start_daemon --store "$work/map.db" --training 0
check 'and knows of the guard' within 20 frozen
check 'which is not news' says 0 'everything answers'
check 'a state that is none is refused, by name' exits_saying 1 'state must be' \
    "$client" -u "http://127.0.0.1:$http" host-guards state=open
check 'SIGTERM ends that daemon' stop_daemon TERM 0

ended() {
    rm -f "$work"/map.db*
    : >"$log"
    python3 "$work/tarpit.py" capture "$work/tarpit.pcap" &&
        "$daemon" --read "$work/tarpit.pcap" "${lab[@]}" --training 0 \
            --http none --store "$work/map.db" >"$work/summary" 2>"$log"
}
check 'a capture of two hours more is read' ended
check 'the log tells when it ended, and how much was turned away' \
    grep -qE 'host 192\.0\.2\.9: its map is frozen no more, it was from .* to .*; [1-9][0-9]* acceptances' "$log"
as_the_view_says() {
    local since until
    since=$(ask_store "$work/map.db" 'SELECT since_iso FROM host_guards')
    until=$(ask_store "$work/map.db" 'SELECT until_iso FROM host_guards')
    echo "$since $until"
    says 1 "it was from $since to $until"
}
check 'as the view tells it' as_the_view_says
done_testing
