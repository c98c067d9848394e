# SPDX-License-Identifier: Apache-2.0
# What the end-to-end scripts share: a folder of their own, TAP, and a daemon
# on free ports. BUILD names the build folder.
# shellcheck shell=bash
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
BUILD=${BUILD:-build/release}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
daemon=$BUILD/darkportd
client=$BUILD/darkport
fixtures=$PWD/tests/fixtures
work=$(mktemp -d "${TMPDIR:-/tmp}/darkport-e2e-XXXXXX")
log=$work/log
# the network of the lab's captures
lab=(--internal 192.0.2.0/24=v4 --internal 2001:db8:1::/64=v6)
number=0
failures=0
daemon_pid=
children=()

leave() {
    local pid
    for pid in ${children[@]+"${children[@]}"}; do
        kill -9 "$pid" 2>/dev/null
    done
    rm -rf "$work"
}
trap leave EXIT

# A child that ended well needs no end.
forget() { # pid
    local pid rest=()
    for pid in ${children[@]+"${children[@]}"}; do
        [ "$pid" = "$1" ] || rest+=("$pid")
    done
    children=(${rest[@]+"${rest[@]}"})
}

# A test of the file: its sentence, then a command that must succeed.
check() {
    local sentence=$1
    shift
    number=$((number + 1))
    if "$@" >"$work/out" 2>&1; then
        echo "ok $number - $sentence"
    else
        echo "not ok $number - $sentence"
        failures=$((failures + 1))
        echo "# $*"
        sed 's/^/# /' "$work/out"
        [ -e "$log" ] && tail -n 20 "$log" | sed 's/^/# log: /'
    fi
}

skip() { # sentence why
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

done_testing() {
    echo "1..$number"
    [ "$failures" -eq 0 ]
    exit
}

# Runs a command; its exit code must be the first argument. Output: $work/run.
exits() {
    local expected=$1 code
    shift
    timeout 60 "$@" >"$work/run" 2>&1
    code=$?
    cat "$work/run"
    [ "$code" -eq "$expected" ] || { echo "exit code $code, not $expected"; return 1; }
}

# exits, and the output holds this text.
exits_saying() { # code text command...
    local code=$1 text=$2
    shift 2
    exits "$code" "$@" || return
    grep -qF -e "$text" "$work/run" || { echo "does not say: $text"; return 1; }
}

# Waits until a command succeeds, at most so many tenths of a second.
within() { # tenths command...
    local tenths=$1 i
    shift
    for ((i = 0; i < tenths; i++)); do
        "$@" && return
        sleep 0.1
    done
    "$@"
}

# Starts a daemon on free ports of loopback; $udp and $http are them.
start_daemon() { # flags...
    : >"$log" # here, not in the child: nobody reads the last one's lines
    "$daemon" "${lab[@]}" --listen udp://127.0.0.1:0 --http 127.0.0.1:0 \
        "$@" >"$work/stdout" 2>"$log" &
    daemon_pid=$!
    children+=("$daemon_pid") # whatever happens, it ends with the script
    within 150 grep -q 'msg="started' "$log" || return
    udp=$(sed -n 's/.*listening on udp:\/\/127.0.0.1:\([0-9]*\).*/\1/p' "$log")
    http=$(sed -n 's/.*http on 127.0.0.1:\([0-9]*\)".*/\1/p' "$log")
    [ -n "$udp" ] && [ -n "$http" ]
}

# Sends a signal; the daemon must end with this exit code.
stop_daemon() { # signal code
    local code
    kill "-$1" "$daemon_pid" || return
    wait "$daemon_pid"
    code=$?
    forget "$daemon_pid"
    daemon_pid=
    [ "$code" -eq "$2" ] || { echo "exit code $code, not $2"; return 1; }
}

# The value of a query, as one line.
ask_store() { # file sql
    sqlite3 -readonly "$1" "$2"
}

# "host proto port" of each exposure, sorted.
exposures_of() { # file
    sqlite3 -readonly -separator ' ' "$1" \
        'SELECT host, proto, port FROM exposures' | sort -u
}
