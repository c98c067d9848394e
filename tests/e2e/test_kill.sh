#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 during a replay: after a restart on the same store it is whole, and
# no more than the last second is lost. ROUNDS: how often (3).
. "$(dirname "$0")/lib.sh"
store=$work/map.db

# NetFlow v5 from one exporter: each datagram opens one port of one host, both
# halves in it, so what the store has is what was sent, one for one. Prints a
# line a datagram: number, time sent.
cat >"$work/send.py" <<'PYTHON'
import socket, struct, sys, time
port, first, count, rate = int(sys.argv[1]), *map(int, sys.argv[2:5])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

def record(src, dst, sport, dport, flags, up):
    return struct.pack(">4s4s4sHHIIIIHHBBBBHHBBH",
        socket.inet_aton(src), socket.inet_aton(dst), b"\0" * 4, 1, 2,
        5, 400, up, up + 100, sport, dport, 0, flags, 6, 0, 0, 0, 24, 24, 0)

for n in range(first, first + count):
    now = time.time()
    up = 100000 + (n - first) * 10
    host, service = f"192.0.2.{1 + n // 5000}", 1000 + n % 5000
    body = record("198.51.100.7", host, 40000, service, 0x1b, up)
    body += record(host, "198.51.100.7", service, 40000, 0x1b, up + 2)
    head = struct.pack(">HHIIIIBBH", 5, 2, up + 200, int(now),
        int(now % 1 * 1e9), 2 * n, 0, 0, 0)
    s.sendto(head + body, ("127.0.0.1", port))
    print(n, f"{now:.3f}", flush=True)
    time.sleep(1 / rate)
PYTHON

# Sends for a while, kills the daemon in the middle of it.
kill_round() { # first rate
    start_daemon --store "$store" --training 0 || return
    python3 "$work/send.py" "$udp" "$1" 100000 "$2" >"$work/sent.$1" &
    local sender=$!
    children+=("$sender")
    sleep "2.$((RANDOM % 10))"
    date +%s.%N >"$work/killed"
    kill -9 "$daemon_pid"
    kill "$sender"
    wait "$daemon_pid" "$sender" 2>/dev/null
    forget "$daemon_pid"
    forget "$sender"
    daemon_pid=
}
whole() {
    [ "$(sqlite3 "$store" 'PRAGMA integrity_check')" = ok ] &&
        [ -z "$(sqlite3 "$store" 'PRAGMA foreign_key_check')" ]
}
# The oldest exposure that was sent and is not there is younger than 1 s, and
# the time a commit takes.
lost_at_most_a_second() { # sent
    sqlite3 -readonly "$store" "SELECT (substr(host, 9) - 1) * 5000 + port - 1000
        FROM exposures WHERE proto = 'tcp'" | sort -n >"$work/stored"
    awk -v killed="$(cat "$work/killed")" '
        FNR == NR { stored[$1] = 1; next }
        !/^[0-9]+ [0-9]+\.[0-9][0-9][0-9]$/ { next } # the killed sender\047s last
        !($1 in stored) && $2 < killed {
            lost++
            if (!oldest || $2 < oldest) oldest = $2
        }
        $2 < killed { sent++ }
        END {
            age = lost ? killed - oldest : 0
            printf "sent %d, lost %d, the oldest %.2f s before the end\n",
                sent, lost, age
            exit !(sent > 100 && sent > lost && age < 1.5)
        }' "$work/stored" "$1"
}

first=0
for ((round = 1; round <= ${ROUNDS:-3}; round++)); do
    check "round $round: killed while datagrams come" kill_round $first 400
    check "round $round: the store is whole" whole
    check "round $round: at most the last second is lost" \
        lost_at_most_a_second "$work/sent.$first"
    ask_store "$store" 'SELECT count(*) FROM exposures' >"$work/count.$round"
    first=$((first + 5000))
done
check 'it starts again on the same store' start_daemon --store "$store" --training 0
restored() {
    curl -sf "http://127.0.0.1:$http/api/v1/status" &&
        [ "$(ask_store "$store" 'SELECT count(*) FROM exposures')" -ge \
            "$(cat "$work/count.$((round - 1))")" ]
}
check 'and knows every exposure it had' within 30 restored
check 'a run that was killed leaves nothing that hurts the next stop' \
    stop_daemon TERM 0
done_testing
