#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bad input: each a clear message and the right exit code, and nothing lost or
# overwritten.
. "$(dirname "$0")/lib.sh"
capture=$fixtures/lab.softflowd-v9.pcap
store=$work/map.db
run=("$daemon" "${lab[@]}" --training 0 --http none --store "$store")

# --- captures ----------------------------------------------------------------
: >"$work/empty.pcap"
check 'an empty file is no capture' \
    exits_saying 1 "$work/empty.pcap" "${run[@]}" --read "$work/empty.pcap"
head -c 4096 /dev/urandom >"$work/random.pcap"
check 'random octets are no capture' \
    exits_saying 1 "$work/random.pcap" "${run[@]}" --read "$work/random.pcap"
check 'a capture that is not there is named' \
    exits_saying 1 "$work/none.pcap" "${run[@]}" --read "$work/none.pcap"
if [ -e "$capture" ]; then
    rm -f "$store"*
    head -c $(($(stat -c %s "$capture") - 700)) "$capture" >"$work/cut.pcap"
    check 'a cut capture fails' \
        exits_saying 1 "$work/cut.pcap" "${run[@]}" --read "$work/cut.pcap"
    check 'what came before the cut is stored' test \
        "$(ask_store "$store" 'SELECT count(*) FROM exposures')" -gt 0
    check 'a second good capture goes into the same store' \
        exits 0 "${run[@]}" --read "$capture"
else
    skip 'a cut capture fails' 'no capture of the lab'
fi

# --- stores ------------------------------------------------------------------
refused_unchanged() { # text
    local before after
    before=$(sha256sum <"$work/bad.db")
    exits_saying 1 "$1" "$daemon" "${lab[@]}" --http none \
        --listen udp://127.0.0.1:0 --store "$work/bad.db" || return
    after=$(sha256sum <"$work/bad.db")
    [ "$before" = "$after" ] && [ ! -e "$work/bad.db-wal" ]
}
echo 'these are my notes, not a database, and I want to keep them' >"$work/bad.db"
check 'a store that is no SQLite file is refused, unchanged' \
    refused_unchanged "$work/bad.db"
rm -f "$work"/bad.db*
sqlite3 "$work/bad.db" 'CREATE TABLE mine(x); INSERT INTO mine VALUES (1)'
check "another program's database is refused, unchanged" \
    refused_unchanged "$work/bad.db"
rm -f "$work"/bad.db*
exits 1 "$daemon" "${lab[@]}" --http none --store "$work/bad.db" \
    --read "$work/empty.pcap" >/dev/null
sqlite3 "$work/bad.db" 'PRAGMA user_version = 9999; PRAGMA journal_mode = DELETE' >/dev/null
rm -f "$work"/bad.db-*
check 'a store of a newer schema is refused, unchanged' \
    refused_unchanged "$work/bad.db"
: >"$work/file"
check 'a store in a folder that is none fails' exits_saying 1 "$work/file/x.db" \
    "$daemon" "${lab[@]}" --http none --store "$work/file/x.db"
check 'a store where nobody may write fails' exits_saying 1 /proc/darkport.db \
    "$daemon" "${lab[@]}" --http none --store /proc/darkport.db
mkdir "$work/folder"
check 'a store that is a folder fails' exits_saying 1 "$work/folder" \
    "$daemon" "${lab[@]}" --http none --store "$work/folder"

# --- ports -------------------------------------------------------------------
check 'a daemon starts on free ports' start_daemon --store "$work/live.db"
taken() { # text flags...
    local text=$1
    shift
    rm -f "$work"/other.db*
    exits_saying 1 "$text" "$daemon" "${lab[@]}" --store "$work/other.db" "$@" &&
        grep -qF 'Address already in use' "$work/run"
}
check 'a UDP port in use is named' taken "udp://127.0.0.1:$udp" \
    --listen "udp://127.0.0.1:$udp" --http none
check 'and no store is made' test ! -e "$work/other.db"
check 'an HTTP port in use is named' taken \
    "http 127.0.0.1:$http" --listen udp://127.0.0.1:0 --http "127.0.0.1:$http"
check 'nor is one then' test ! -e "$work/other.db"
check 'a store that another daemon writes is refused' \
    exits_saying 1 "$work/live.db" "$daemon" "${lab[@]}" --http none \
    --listen udp://127.0.0.1:0 --store "$work/live.db"

# --- the port under random octets ---------------------------------------------
send_random() {
    python3 - "$udp" <<'PYTHON'
import os, random, socket, struct, sys
random.seed(1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
to = ("127.0.0.1", int(sys.argv[1]))
for i in range(3000):
    octets = random.randbytes(random.choice((0, 1, 3, 20, 24, 72, 500, 1400)))
    if i % 3 == 0:  # with a version, so that more than the header is read
        octets = struct.pack(">H", random.choice((5, 9, 10))) + octets
    if i % 9 == 0:
        octets = octets[:2] + struct.pack(">H", len(octets)) + octets[4:]
    s.sendto(octets, to)
PYTHON
}
counted() {
    curl -s "http://127.0.0.1:$http/metrics" >"$work/metrics" &&
        grep -E '^darkport_datagrams_refused_not_export(_total)? [1-9]' "$work/metrics"
}
check 'random octets are sent to the port' send_random
check 'they are counted, and the daemon answers' within 50 counted
check 'the daemon ends well after them' stop_daemon TERM 0
check 'no log line a datagram: the log stays short' \
    test "$(wc -l <"$log")" -lt 200
check 'the store is whole' test \
    "$(ask_store "$work/live.db" 'PRAGMA integrity_check')" = ok
done_testing
