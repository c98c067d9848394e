#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ingest threads: live, nothing is lost and what is found is what one thread
# finds; a capture gives the same store; what cannot be is refused.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
flowgen=$BUILD/bench/flowgen

# --- the configuration ----------------------------------------------------------
configured() { # value
    echo "ingest_threads = $1" >"$work/conf"
    echo "$work/conf"
}
refuses() { # value why
    exits_saying 78 "$2" "$daemon" "${lab[@]}" -c "$(configured "$1")" --check
}
check 'no thread is refused' refuses 0 'must be 1 to 16'
check 'too many threads are refused' refuses 65 'must be 1 to 16'
check 'what is no number is refused' refuses abc 'no number'
check 'sixteen are accepted' exits 0 \
    "$daemon" "${lab[@]}" -c "$(configured 16)" --check
dumps_one() {
    "$daemon" "${lab[@]}" --dump | grep -qx 'ingest_threads = 1'
}
check 'one is the default' dumps_one

# --- what a run leaves ----------------------------------------------------------
# The whole store, as text.
dump() { # file
    sqlite3 -readonly "$1" .dump
}
# Of a live run, all but when it was.
views() { # file
    sqlite3 -readonly "$1" "
        SELECT address, domain, protocol, datagrams, records, lost,
            templates, refused FROM exporters ORDER BY 1, 2, 3;
        SELECT host, proto, port, tier, rule FROM exposures ORDER BY 1, 2, 3;
        SELECT host, proto, port FROM trans_darkports ORDER BY 1, 2, 3;
        SELECT src, dst, proto, port, technique, answer, count(*)
            FROM scan_events GROUP BY 1, 2, 3, 4, 5, 6;
        SELECT name, value FROM counters WHERE name IN ('attempts', 'flows',
            'records_delivered', 'datagrams_decoded', 'sequence_lost',
            'datagrams_lost_kernel', 'templates_learned') ORDER BY 1"
}
counter() { # file name
    ask_store "$1" "SELECT coalesce((SELECT value FROM counters
        WHERE name = '$2'), 0)"
}

# --- captures ---------------------------------------------------------------------
reads_the_same() { # capture
    local threads
    for threads in 1 2 4; do
        rm -f "$work/read.$threads"*
        "$daemon" "${lab[@]}" -c "$(configured "$threads")" --read "$1" \
            --training 0 --store "$work/read.$threads" >/dev/null || return
        dump "$work/read.$threads" >"$work/read.$threads.sql"
        [ "$(grep -c 'INSERT INTO t_exposure' "$work/read.$threads.sql")" -gt 5 ] ||
            return
        cmp "$work/read.1.sql" "$work/read.$threads.sql" || return
    done
}
for capture in demo lab.nfprobe-v10; do
    check "1, 2 and 4 threads make the same store of $capture" \
        reads_the_same "$fixtures/$capture.pcap"
done

# --- live -------------------------------------------------------------------------
if ! command -v python3 >/dev/null; then
    skip 'live' 'no python3'
    done_testing
fi
# The datagrams of captures (Ethernet, IPv4, no options), one of each in turn,
# each capture's from an address of its own.
cat >"$work/resend.py" <<'PYTHON'
import itertools, socket, struct, sys, time
port = int(sys.argv[1])
streams = []
for n, path in enumerate(sys.argv[2:]):
    octets, at, found = open(path, "rb").read(), 24, []
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.%d" % (n + 1), 0))
    while at < len(octets):
        length = struct.unpack_from("<I", octets, at + 8)[0]
        found.append((s, octets[at + 16 + 14 + 20 + 8 : at + 16 + length]))
        at += 16 + length
    streams.append(found)
sent = 0
for turn in itertools.zip_longest(*streams):
    for one in turn:
        if one is not None:
            one[0].sendto(one[1], ("127.0.0.1", port))
            sent += 1
            time.sleep(0.002)
print(sent)
PYTHON
metric() { # name
    curl -sf -m 5 "http://127.0.0.1:$http/metrics" |
        sed -n "s/^darkport_$1_total \([0-9]*\)$/\1/p"
}
has_decoded() { # datagrams
    [ "$(metric datagrams_decoded)" = "$1" ]
}
# Starts with so many threads, sends, and ends when all has come.
live() { # threads store command...
    local threads=$1 store=$2
    shift 2
    start_daemon -c "$(configured "$threads")" --internal 10.20.0.0/16 \
        --store "$store" --training 0 || return
    tasks=$(find "/proc/$daemon_pid/task" -mindepth 1 -maxdepth 1 | wc -l)
    "$@" >"$work/sent" || return
    within 400 has_decoded "$(sed -n 's/^\( "datagrams": \)\?\([0-9]*\),\?$/\2/p' \
        "$work/sent" | head -n 1)" || { cat "$work/sent"; return 1; }
    stop_daemon TERM 0
}
resend() {
    python3 "$work/resend.py" "$udp" "$fixtures/lab.softflowd-v9.pcap" \
        "$fixtures/lab.nfprobe-v10.pcap"
}
generate() {
    "$flowgen" --to "127.0.0.1:$udp" -n 3000 --exporters 6 --sources 6 \
        --protocols 5,9,10 --rate 50000 --seed 5
}
is_same() { # what one other
    views "$1" >"$work/views.1" && views "$2" >"$work/views.2" &&
        [ -s "$work/views.1" ] && diff "$work/views.1" "$work/views.2"
}
lost_nothing() { # store
    [ "$(counter "$1" datagrams_lost_kernel)" -eq 0 ] &&
        [ "$(counter "$1" sequence_lost)" -eq 0 ] &&
        [ "$(counter "$1" records_delivered)" -gt 500 ]
}
check 'two exporters send to one thread' live 1 "$work/one.db" resend
before=$tasks
check 'and to two' live 2 "$work/two.db" resend
check 'which are two more: the first one is the engine'"'"'s' \
    test "$tasks" -eq $((before + 2))
check 'nothing is lost' lost_nothing "$work/two.db"
check 'two threads find what one finds' is_same "$work/one.db" "$work/two.db"
check 'a start over with four threads' live 4 "$work/two.db" resend
templates() { # store
    ask_store "$1" 'SELECT count(*) FROM t_template'
}
check 'finds the templates it had' test "$(templates "$work/two.db")" -eq \
    "$(templates "$work/one.db")"
check 'and no exporter twice' test "$(ask_store "$work/two.db" \
    'SELECT count(*) FROM exporters')" -eq 2

# --- more of it -------------------------------------------------------------------
# What is found of its scans depends on the moment; what is exposed does not.
exposed() { # store
    ask_store "$1" 'SELECT address, domain, protocol, datagrams, records, lost
        FROM exporters ORDER BY 1, 2, 3;
        SELECT host, proto, port, tier FROM exposures ORDER BY 1, 2, 3'
}
exposed_same() {
    exposed "$work/load1.db" >"$work/exposed.1"
    exposed "$work/load4.db" >"$work/exposed.4"
    [ "$(wc -l <"$work/exposed.1")" -gt 500 ] &&
        diff "$work/exposed.1" "$work/exposed.4"
}
check 'six exporters send fast to one thread' live 1 "$work/load1.db" generate
check 'and to four' live 4 "$work/load4.db" generate
check 'four threads lose nothing' lost_nothing "$work/load4.db"
check 'and show the same exporters and exposures' exposed_same
done_testing
