#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# scenes.sh OUTDIR [SCENE...] - what lab.sh does not show, a small capture each.
# Needs root. Takes three minutes for all, two seconds to a minute for one.
#
# Writes OUTDIR/SCENE.pcap: the packets on the router's outside interface that
# concern the scene's own addresses, 96 bytes each. The inside is 192.0.2.0/24.
#
#   highports    services on high ports, each with several clients
#   p2p          one port that accepts strangers and asks them, TCP and UDP
#   ftp          passive and active FTP, a server inside and one outside
#   nat          clients inside behind one address, and clients outside whose
#                NAT gives them source ports below 5000
#   long         connections longer than the active timeout, one of them older
#                than the capture
#   reuse        source ports that are used again, after RST, FIN and silence
#   flood        SYNs with forged sources, to an open and to a closed port
#   backscatter  answers to nothing, to hosts and to nobody
#
# The network is that of lab.sh; each scene has its own addresses in it.

set -eu

[ $# -ge 1 ] || { echo "usage: scenes.sh OUTDIR [SCENE...]" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "scenes.sh: needs root" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- highports p2p ftp nat flood backscatter long reuse
python=$(python3 -c 'import sys; print(sys.executable)')
# shellcheck disable=SC2034 # net.sh uses it
peer="$python $here/peer.py"
for t in ip iptables tcpdump python3; do
    command -v "$t" >/dev/null || { echo "scenes.sh: $t is missing" >&2; exit 2; }
done
# shellcheck source=tests/lab/net.sh
. "$here/net.sh"

make_network 600
ip -n "$I" route add default via 192.0.2.1 dev eth0 onlink
ip -n "$O" addr add 198.51.100.2/24 dev eth0
ip -n "$O" route add 192.0.2.0/24 via 198.51.100.1
# forged sources: what is answered to them is nobody's
ip -n "$R" route add 100.64.0.0/10 via 198.51.100.2
ip -n "$O" route add blackhole 100.64.0.0/10
inr iptables -A OUTPUT -p icmp --icmp-type host-unreachable -j DROP
ini sysctl -qw net.ipv4.tcp_synack_retries=1

# actors inside and outside, waited for; and servers, left to end
inside() { ip netns exec "$I" "$python" "$here/actors.py" "$@"; }
outside() { ip netns exec "$O" "$python" "$here/actors.py" "$@"; }
inside_serves() { start "$I" actors.log "$python" "$here/actors.py" "$@"; }
outside_serves() { start "$O" actors.log "$python" "$here/actors.py" "$@"; }
lives_inside() { ip -n "$I" addr add "192.0.2.$1/24" dev eth0; }
live_outside() { local a; for a; do ip -n "$O" addr add "198.51.100.$a/24" dev eth0; done; }
try() { "$@" >>"$tmp/traffic.log" 2>&1 || say "step failed: $*"; }

capture() {  # capture SCENE FILTER: until the scene is over
    start "$R" "tcpdump-$1.log" tcpdump -Z root -i out -s 96 -U -B 8192 \
        --immediate-mode -w "$out/$1.pcap" "$2"
    capture=$last
    for _ in $(seq 50); do
        grep -q 'listening on' "$tmp/tcpdump-$1.log" && break
        sleep 0.1
    done
}

highports() {
    lives_inside 31
    live_outside 101 102 103 104 105 106
    capture highports 'ip and host 192.0.2.31'
    inside_serves tcp 192.0.2.31 40 9200 27017 50123 50124
    inside_serves udp 192.0.2.31 40 51820
    sleep 1
    local c
    for c in 101 102 103 104 105 106; do
        try outside ask 198.51.100.$c 192.0.2.31 9200 2
        try outside ask 198.51.100.$c 192.0.2.31 27017
        try outside ask 198.51.100.$c 192.0.2.31 50123
        try outside askudp 198.51.100.$c 192.0.2.31 51820 2
    done
    try outside ask 198.51.100.101 192.0.2.31 50124    # one client alone
    try outside askudp 198.51.100.101 192.0.2.31 9     # nobody is there
}

p2p() {
    lives_inside 32
    local a all=()
    for a in $(seq 111 122); do
        live_outside "$a"
        all+=("198.51.100.$a")
    done
    capture p2p 'ip and host 192.0.2.32'
    for a in "${all[@]}"; do
        outside_serves p2p "$a" 6881 20
    done
    sleep 1
    inside_serves p2p 192.0.2.32 6881 18 "${all[@]:0:8}"
    sleep 3
    for a in "${all[@]:2}"; do          # some it has asked, some it has not
        try outside ask "$a" 192.0.2.32 6881
        try outside askudp "$a" 192.0.2.32 6881
    done
    # two that ask from their own port, as such programs do
    try outside again 198.51.100.121 6881 192.0.2.32 6881 fin
    try outside again 198.51.100.122 6881 192.0.2.32 6881 fin
}

ftp() {
    lives_inside 33
    live_outside 131 132
    capture ftp 'ip and host 192.0.2.33'
    inside_serves ftpd 192.0.2.33 20
    outside_serves ftpd 198.51.100.132 20
    sleep 1
    try outside ftp 198.51.100.131 192.0.2.33 pasv
    try outside ftp 198.51.100.131 192.0.2.33 port
    try inside ftp 192.0.2.33 198.51.100.132 pasv
    try inside ftp 192.0.2.33 198.51.100.132 port
}

nat() {
    local i
    lives_inside 35
    for i in 1 2 3 4 5; do ip -n "$I" addr add 10.99.0.$i/24 dev eth0; done
    for i in 1 2 3; do ip -n "$O" addr add 10.98.0.$i/24 dev eth0; done
    ip -n "$R" route add 10.99.0.0/24 dev in
    live_outside 140 141 142 143 144 145 146
    inr iptables -t nat -A POSTROUTING -o out -s 10.99.0.0/24 \
        -j SNAT --to-source 192.0.2.34
    ino iptables -t nat -A POSTROUTING -p tcp -s 10.98.0.0/24 \
        -j SNAT --to-source 198.51.100.140:1024-4999
    capture nat 'ip and (host 192.0.2.34 or host 192.0.2.35)'
    inside_serves tcp 192.0.2.35 40 443 8443
    for i in 141 142 143 144 145 146; do
        outside_serves tcp 198.51.100.$i 40 80 443 8080 50000
        outside_serves udp 198.51.100.$i 40 53
    done
    sleep 1
    for i in 1 2 3 4 5; do
        try inside ask 10.99.0.$i 198.51.100.14$i 80
        try inside ask 10.99.0.$i 198.51.100.146 443 2
        try inside ask 10.99.0.$i 198.51.100.14$i 8080
        try inside ask 10.99.0.$i 198.51.100.14$i 50000
        try inside askudp 10.99.0.$i 198.51.100.14$i 53
    done
    for i in 1 2 3; do
        try outside ask 10.98.0.$i 192.0.2.35 443 2
        try outside ask 10.98.0.$i 192.0.2.35 8443 2
    done
}

long() {
    local pids_before=()
    lives_inside 36
    live_outside 147 148
    inside_serves tcp 192.0.2.36 120 2222 60123
    sleep 1
    outside_serves talk 198.51.100.148 192.0.2.36 2222 70
    pids_before+=("$last")
    sleep 2
    capture long 'ip and host 192.0.2.36'
    outside_serves talk 198.51.100.147 192.0.2.36 2222 66
    pids_before+=("$last")
    outside_serves talk 198.51.100.147 192.0.2.36 60123 66
    pids_before+=("$last")
    wait "${pids_before[@]}" || true
    sleep 1
}

reuse() {
    lives_inside 37
    live_outside 151
    capture reuse 'ip and host 192.0.2.37'
    inside_serves tcp 192.0.2.37 170 8022 8023
    ini iptables -A INPUT -d 192.0.2.37 -p tcp --dport 8023 -j DROP
    sleep 1
    try outside again 198.51.100.151 45555 192.0.2.37 8022 rst
    sleep 2.5
    try outside again 198.51.100.151 45555 192.0.2.37 8022 rst
    sleep 2.5
    try outside again 198.51.100.151 45555 192.0.2.37 8024 rst   # refused
    sleep 2.5
    try outside again 198.51.100.151 45555 192.0.2.37 8024 rst
    # silent first; accepted from the same port 135 s later
    try outside again 198.51.100.151 45556 192.0.2.37 8023 rst
    ini iptables -D INPUT -d 192.0.2.37 -p tcp --dport 8023 -j DROP
    sleep 135
    try outside again 198.51.100.151 45556 192.0.2.37 8023 rst
}

flood() {
    lives_inside 38
    live_outside 152
    capture flood 'ip and host 192.0.2.38'
    inside_serves tcp 192.0.2.38 20 80
    sleep 1
    try outside ask 198.51.100.152 192.0.2.38 80
    try outside flood 192.0.2.38 80 81 240
    try outside ask 198.51.100.152 192.0.2.38 80 2
    sleep 4                         # the answers are sent again
}

backscatter() {
    local a
    for a in 41 42 43 44 45 46; do lives_inside $a; done
    live_outside 153
    capture backscatter 'ip and host 198.51.100.153'
    try outside backscatter 198.51.100.153 160 192.0.2.0
    sleep 1
}

for scene; do
    say "scene $scene"
    "$scene"
    sleep 1
    stop "$capture"
    grep -h 'dropped by kernel' "$tmp/tcpdump-$scene.log" >&2 || true
done
if [ -n "${LAB_LOGS:-}" ]; then
    mkdir -p "$LAB_LOGS"
    cp "$tmp"/*.log "$LAB_LOGS"/
fi
