#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A live run: softflowd exports a capture to the daemon's port, and the API
# shows the exposures within 2 s after the last datagram.
. "$(dirname "$0")/lib.sh"
capture=$fixtures/lab.pcap
softflowd=$(command -v softflowd || echo /usr/sbin/softflowd)

check 'the daemon starts' start_daemon --store "$work/map.db" --training 0
answers() { # path
    curl -sf -m 5 "http://127.0.0.1:$http$1"
}
check 'healthz answers at once' within 20 answers /healthz
check 'status answers' within 20 answers /api/v1/status

if [ -e "$capture" ] && [ -x "$softflowd" ]; then
    export_capture() {
        timeout 60 "$softflowd" -r "$capture" -c none -p "$work/softflowd.pid" \
            -n "127.0.0.1:$udp" -v 9
    }
    shows_exposures() {
        answers '/api/v1/exposures?host=192.0.2.20&port=22' >"$work/json" &&
            grep -qE '"port": ?22\b' "$work/json"
    }
    check 'softflowd exports a capture to the port' export_capture
    check 'the API shows an exposure within 2 s' within 20 shows_exposures
    client_shows_it() {
        "$client" -u "http://127.0.0.1:$http" exposures host=192.0.2.20 port=22 |
            grep -E '^192\.0\.2\.20 +tcp +22 '
    }
    check 'the client shows it' client_shows_it
    check 'sqlite3 shows it while the daemon runs' test \
        "$(ask_store "$work/map.db" "SELECT count(*) FROM exposures
            WHERE host = '192.0.2.20' AND port = 22")" -ge 1
else
    skip 'softflowd exports a capture to the port' 'no softflowd, or no capture'
fi

client_asks() { # command...
    "$client" -u "http://127.0.0.1:$http" "$@"
}
for command in status hosts trans-darkports scan-events exporters \
    exporter-events exporter-hours completeness host-guards \
    'exporters domain=0' 'host-guards state=active' 'host 192.0.2.20' 'darkports 192.0.2.20'; do
    # shellcheck disable=SC2086
    check "the client asks for $command" client_asks $command
done
check 'the client prints a refusal and fails' \
    exits_saying 1 '400' "$client" -u "http://127.0.0.1:$http" exposures port=x

# --- the API process may die ---------------------------------------------------
api_pid() {
    pgrep -P "$daemon_pid" -f '^darkportd-api'
}
another_answers() {
    [ "$(api_pid)" != "$before" ] && answers /healthz
}
before=$(api_pid)
check 'the API is a process of its own' test -n "$before"
kill -9 "$before"
check 'it is started again when it dies' within 80 another_answers
last=$(api_pid)
check 'SIGINT ends the daemon with exit code 0' stop_daemon INT 0
gone() {
    ! kill -0 "$last" 2>/dev/null
}
check 'and the API process with it' within 30 gone
check 'the write-ahead log is moved into the store' test ! -s "$work/map.db-wal"

# --- what began before it listened ------------------------------------------------
# An exporter that shows answers: there is none here to tell so.
cat >"$work/listen.conf" <<'CONF'
wait = 12s
feed = {"127.0.0.1: visibility=both"}
CONF
# Two SYNs in one datagram of NetFlow v5, begun at these Unix times
send_syns() { # ms ms
    python3 - "$udp" "$@" <<'PYTHON'
import socket, struct, sys, time
now = time.time()
up = 1000000
octets = struct.pack(">HHIIIIBBH", 5, 2, up, int(now),
                     int(now % 1 * 1e9), 0, 0, 0, 0)
for port, begun in enumerate(sys.argv[2:], 1000):
    ago = max(0, round(now * 1000) - int(begun))
    octets += struct.pack(">4s4s4sHHIIIIHHBBBBHHBBH",
        socket.inet_aton("198.51.100.9"), socket.inet_aton("192.0.2.20"),
        bytes(4), 0, 0, 1, 44, up - ago, up - ago, 40000, port,
        0, 2, 6, 0, 0, 0, 0, 0, 0)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(octets, ("127.0.0.1", int(sys.argv[1])))
PYTHON
}
answers_of_both() {
    ask_store "$work/listen.db" "SELECT port, answer, coalesce(reason, '-')
        FROM scan_events ORDER BY port" >"$work/answers" &&
        [ "$(tr '\n' ' ' <"$work/answers")" = '1000|unresolved|window 1001|silent|- ' ]
}
before_it=$(date +%s%3N)
check 'a daemon starts anew' start_daemon --store "$work/listen.db" \
    --training 0 --config "$work/listen.conf"
sleep 1
check 'SYNs come from before it listened and from after' \
    send_syns $((before_it - 500)) "$(date +%s%3N)"
check 'only of the later one silence can be told' within 300 answers_of_both
check 'that daemon ends' stop_daemon INT 0

# --- systemd ---------------------------------------------------------------------
cat >"$work/notified.py" <<'PYTHON'
import os, signal, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(20)
daemon = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL, env=dict(os.environ, NOTIFY_SOCKET=sys.argv[1]))
for word in "READY=1", "WATCHDOG=1", "STOPPING=1":
    while s.recv(100).decode() != word:
        pass
    print(word)
    if word == "WATCHDOG=1":
        daemon.send_signal(signal.SIGTERM)
sys.exit(daemon.wait())
PYTHON
check 'systemd is told of ready, alive and stopping' \
    python3 "$work/notified.py" "$work/notify" "$daemon" "${lab[@]}" \
    --listen udp://127.0.0.1:0 --http none --store "$work/notify.db"

# --- a signal while a capture is read -------------------------------------------
mkfifo "$work/pipe"
: >"$log"
"$daemon" "${lab[@]}" --read - --http none --store "$work/read.db" \
    <"$work/pipe" >/dev/null 2>"$log" &
daemon_pid=$!
children+=("$daemon_pid")
exec 9>"$work/pipe"
check 'a run that reads is waiting for its capture' \
    within 100 grep -q 'reading -' "$log"
check 'SIGTERM ends it with exit code 0' stop_daemon TERM 0
exec 9>&-
done_testing
