#!/bin/bash
# lab.sh OUTDIR - build a small network out of namespaces, make traffic in it,
# and capture it. Needs root. Takes about three and a half minutes.
#
# Writes into OUTDIR:
#   lab.pcap        the packets on the router's outside interface, 128 bytes each
#   demo.pcap       the flow exports a live exporter made of that interface
#   lab.phases.tsv  when each phase began (epoch seconds)
#
# The network:
#
#   outside namespace            router               inside namespace
#   198.51.100.10 .11 .12        198.51.100.1         192.0.2.10  web
#   198.51.100.80 web            203.0.113.1          192.0.2.20  ssh
#   198.51.100.53 dns            2001:db8:f::1        192.0.2.53  dns
#   203.0.113.66 .70 scanners    192.0.2.1            2001:db8:1::10 ::20 ::53
#   2001:db8:f::10 ::11 ::80 ::66  2001:db8:1::1
#
# No packet leaves the namespaces. All namespaces and all processes that this
# script starts are gone when it ends; processes are stopped by their own pid.

set -eu

[ $# -eq 1 ] || { echo "usage: lab.sh OUTDIR" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "lab.sh: needs root" >&2; exit 2; }

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
python=$(python3 -c 'import sys; print(sys.executable)')
peer="$python $here/peer.py"

for t in ip iptables ip6tables tcpdump pmacctd nmap nginx sshd ssh dnsmasq \
         curl ping python3 timeout; do
    command -v "$t" >/dev/null || { echo "lab.sh: $t is missing" >&2; exit 2; }
done

# shellcheck source=tests/lab/net.sh
. "$here/net.sh"

# Sleep until N seconds after the start of phase A.
until_a() {
    "$python" -c 'import sys, time
time.sleep(max(0, float(sys.argv[1]) + float(sys.argv[2]) - time.time()))' \
        "$t_a" "$1"
}
# A step of the traffic that may fail without ending the lab; it says so.
try() { "$@" >>"$tmp/traffic.log" 2>&1 || say "step failed: $*"; }

# ---------------------------------------------------------------- the network
make_network 300
for a in 10 20 53; do
    ip -n "$I" addr add 192.0.2.$a/24 dev eth0
    ip -n "$I" addr add 2001:db8:1::$a/64 dev eth0 nodad
done
ip -n "$I" route add default via 192.0.2.1
ip -n "$I" -6 route add default via 2001:db8:1::1

for a in 203.0.113.66 203.0.113.70 198.51.100.10 198.51.100.11 198.51.100.12 \
         198.51.100.53 198.51.100.80; do
    ip -n "$O" addr add $a/24 dev eth0
done
for a in 66 10 11 80; do
    ip -n "$O" addr add 2001:db8:f::$a/64 dev eth0 nodad
done
# Without a bound source the outside namespace speaks as the scanner.
ip -n "$O" route add 192.0.2.0/24 via 203.0.113.1 src 203.0.113.66
ip -n "$O" -6 route add 2001:db8:1::/64 via 2001:db8:f::1 src 2001:db8:f::66

# The router says nothing about addresses where nobody lives.
inr iptables -A OUTPUT -p icmp --icmp-type host-unreachable -j DROP
inr ip6tables -A OUTPUT -p icmpv6 --icmpv6-type address-unreachable -j DROP
# One port is refused by the router itself.
inr iptables -A FORWARD -d 192.0.2.20 -p tcp --dport 5900 \
    -j REJECT --reject-with icmp-admin-prohibited
# The ssh host drops two ports without a word.
ini iptables -A INPUT -d 192.0.2.20 -p tcp --dport 8443 -j DROP
ini iptables -A INPUT -d 192.0.2.20 -p udp --dport 161 -j DROP
ini ip6tables -A INPUT -d 2001:db8:1::20 -p tcp --dport 8443 -j DROP
ini ip6tables -A INPUT -d 2001:db8:1::20 -p udp --dport 161 -j DROP

# --------------------------------------------------------------- the services
mkdir "$tmp/www" "$tmp/nginx"
python3 -c 'print("a page of the lab " * 40)' >"$tmp/www/index.html"
chmod -R a+rX "$tmp"

nginx_conf() {  # nginx_conf NAME LISTEN...
    local name=$1 l
    shift
    {
        echo "daemon off; user root; worker_processes 1;"
        echo "pid $tmp/nginx/$name.pid; error_log $tmp/nginx/$name.log;"
        echo "events { worker_connections 64; }"
        echo "http { access_log off; keepalive_timeout 5;"
        for l in client_body proxy fastcgi uwsgi scgi; do
            echo "${l}_temp_path $tmp/nginx/$name.$l;"
        done
        echo "server { root $tmp/www;"
        for l in "$@"; do echo "listen $l;"; done
        echo "} }"
    } >"$tmp/nginx/$name.conf"
}
nginx_conf inside 192.0.2.10:80 192.0.2.10:8080 \
    "[2001:db8:1::10]:80" "[2001:db8:1::10]:8080"
nginx_conf outside 198.51.100.80:80 "[2001:db8:f::80]:80"
start "$I" service.log nginx -c "$tmp/nginx/inside.conf"
start "$O" service.log nginx -c "$tmp/nginx/outside.conf"

ssh-keygen -q -t ed25519 -N '' -f "$tmp/hostkey"
ssh-keygen -q -t ed25519 -N '' -f "$tmp/userkey"
cp "$tmp/userkey.pub" "$tmp/authorized"
# The only thing a login can do: print a line every second for a while.
cat >"$tmp/session" <<'END'
#!/bin/sh
n=${SSH_ORIGINAL_COMMAND:-0}
case $n in *[!0-9]*|'') n=0 ;; esac
while [ "$n" -gt 0 ]; do echo tick; sleep 1; n=$((n - 1)); done
echo done
END
chmod 755 "$tmp/session"
cat >"$tmp/sshd_config" <<END
ListenAddress 192.0.2.20:22
ListenAddress [2001:db8:1::20]:22
HostKey $tmp/hostkey
PidFile $tmp/sshd.pid
AuthorizedKeysFile $tmp/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
ForceCommand $tmp/session
END
mkdir -p /run/sshd
start "$I" service.log "$(command -v sshd)" -D -f "$tmp/sshd_config" \
    -E "$tmp/sshd.log"

dns_server() {  # dns_server NETNS ADDR...
    local ns=$1 a args=()
    shift
    for a in "$@"; do args+=("--listen-address=$a"); done
    start "$ns" service.log dnsmasq --keep-in-foreground --conf-file=/dev/null \
        --no-resolv --no-hosts --bind-interfaces --user=root --group=root \
        --pid-file --log-facility=- --cache-size=0 --local=/test/ \
        --address=/www.example.test/192.0.2.10 "${args[@]}"
}
dns_server "$I" 192.0.2.53 2001:db8:1::53
dns_server "$O" 198.51.100.53

# ------------------------------------------------- capture and live exporter
start "$R" tcpdump-lab.log tcpdump -Z root -i out -s 128 -U -B 8192 \
    --immediate-mode -w "$out/lab.pcap" 'ip or ip6'
cap_lab=$last
# Something must listen, or the exporter meets "connection refused".
start "$R" service.log $peer sink 127.0.0.1 2055 300
start "$R" tcpdump-demo.log tcpdump -Z root -i lo -s 2048 -U -B 16384 \
    --immediate-mode -w "$out/demo.pcap" 'udp dst port 2055'
cap_demo=$last
cat >"$tmp/pmacctd.conf" <<END
daemonize: false
pcap_interface: out
snaplen: 128
plugins: nfprobe
aggregate: src_host, dst_host, src_port, dst_port, proto, tcpflags
nfprobe_receiver: 127.0.0.1:2055
nfprobe_version: ${DEMO_VERSION:-10}
nfprobe_timeouts: tcp=10:tcp.rst=5:tcp.fin=5:udp=10:icmp=10:general=10:maxlife=20:expint=5
END
sleep 2
start "$R" pmacctd.log pmacctd -f "$tmp/pmacctd.conf"
exporter=$last
sleep 3

# ----------------------------------------------------------- ways to say hello
web4() { try ino curl -s -o /dev/null -m 5 --interface "$1" "http://192.0.2.10:$2/"; }
web6() { try ino curl -s -o /dev/null -m 5 --interface "$1" "http://[2001:db8:1::10]:$2/"; }
ask()  { try ino $peer dns "$1" "$2" "$3" www.example.test; }
# The session at the other end prints a line a second for SECONDS.
ssh_to() {
    printf '%s\n' timeout 150 ssh -F /dev/null -b "$1" -i "$tmp/userkey" \
        -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "root@$2" "$3"
}
login() { local c; mapfile -t c < <(ssh_to "$@"); try ino "${c[@]}"; }
long() { local c; mapfile -t c < <(ssh_to "$@"); start "$O" traffic.log "${c[@]}"; }
hello() { try ino ping -q -c 2 -i 0.3 -W 2 -I "$1" "$2"; }
surf() { try ini curl -s -o /dev/null -m 5 --interface "$1" http://198.51.100.80/; }
surf6() { try ini curl -s -o /dev/null -m 5 --interface "$1" "http://[2001:db8:f::80]/"; }
askout() { try ini $peer dns "$1" 198.51.100.53 "$2" www.example.test; }

clients() {
    local c
    for c in 198.51.100.10 198.51.100.11 198.51.100.12; do
        web4 $c 80
        web4 $c 8080
    done
    for c in 2001:db8:f::10 2001:db8:f::11; do
        web6 $c 80
        web6 $c 8080
    done
    ask 198.51.100.10 192.0.2.53 udp
    ask 198.51.100.11 192.0.2.53 tcp
    ask 2001:db8:f::10 2001:db8:1::53 udp
    ask 2001:db8:f::11 2001:db8:1::53 tcp
}
insiders() {
    surf 192.0.2.10
    surf 192.0.2.20
    surf6 2001:db8:1::10
    askout 192.0.2.10 udp
    askout 192.0.2.53 udp
    askout 192.0.2.53 tcp
}

# ------------------------------------------------- phase A: normal life, 60 s
t_a=$(now)
say "phase A: normal life"
long 198.51.100.11 192.0.2.20 40        # a long, slow connection
for round in 0 1 2 3 4; do
    until_a $((round * 11))
    clients
    insiders
    case $round in
    0) login 198.51.100.10 192.0.2.20 0
       login 2001:db8:f::10 2001:db8:1::20 0 ;;
    1) hello 198.51.100.10 192.0.2.10
       hello 198.51.100.10 192.0.2.20
       hello 198.51.100.11 192.0.2.53
       hello 2001:db8:f::10 2001:db8:1::10 ;;
    2) long 198.51.100.12 192.0.2.20 90 ;;  # lives into phase B
    3) login 198.51.100.10 192.0.2.20 1
       login 2001:db8:f::11 2001:db8:1::20 1 ;;
    esac
done

# ------------------------------------------ phase B: operation, after 80 s
until_a 80
t_b=$(now)
say "phase B: scans"
# Bounded scans: no ping, no names, no retries unless said, short waits.
scan() {
    try ino timeout 30 nmap -Pn -n --disable-arp-ping -T4 --max-retries 0 \
        --initial-rtt-timeout 300ms --max-rtt-timeout 500ms \
        --host-timeout 15s --max-rate 60 "$@"
}
clients                                     # life goes on
scan -sS -e eth0 -S 203.0.113.66 -p 22,80,81,443,3389,8080 192.0.2.10
scan -sS -e eth0 -S 203.0.113.66 -p 22,23,8443 --max-retries 1 192.0.2.20
scan -sT -p 80,81,8080 192.0.2.10           # speaks as 203.0.113.66 by route
scan -sT -p 22,23,8443 192.0.2.20
for kind in -sF -sN -sX -sM -sA; do
    scan $kind -e eth0 -S 203.0.113.66 -p 80,81,443 192.0.2.10
    scan $kind -e eth0 -S 203.0.113.66 -p 22,8443 192.0.2.20
done
scan -sS --scanflags SYNFIN -e eth0 -S 203.0.113.66 -p 80,82 192.0.2.10
scan -sU -e eth0 -S 203.0.113.66 -p 53 192.0.2.53
scan -sU -e eth0 -S 203.0.113.66 -p 161 192.0.2.20
scan -sU -e eth0 -S 203.0.113.66 -p 123 192.0.2.10
insiders
scan -sS -e eth0 -S 203.0.113.66 -p 22 192.0.2.0/24
# Answers to nothing, as a flood with forged sources would make them.
scan -sS --scanflags SYNACK -e eth0 -S 198.51.100.80 -g 80 -p 45001 192.0.2.200
scan -sS --scanflags RSTACK -e eth0 -S 198.51.100.80 -g 80 -p 45002 192.0.2.201
scan -6 -sS -e eth0 -S 2001:db8:f::66 -p 80,81,443,8080 2001:db8:1::10
scan -6 -sS -e eth0 -S 2001:db8:f::66 -p 22,23,8443 2001:db8:1::20
scan -6 -sS -e eth0 -S 2001:db8:f::66 -p 22 2001:db8:1::99
scan -6 -sU -e eth0 -S 2001:db8:f::66 -p 123 2001:db8:1::10
scan -sS -e eth0 -S 203.0.113.70 -p 5900 192.0.2.20     # the router refuses
clients

# A service nobody asked for, 140 s after the start or later.
until_a 140
start "$I" service.log $peer serve 192.0.2.10 31337 60
sleep 1
t_s=$(now)
say "a new service opens"
scan -sS -e eth0 -S 203.0.113.66 -p 31337 192.0.2.10
until_a 146
try ino curl -s -o /dev/null -m 3 --http0.9 --interface 203.0.113.70 \
    http://192.0.2.10:31337/
until_a 152
clients
insiders

# Give the live exporter time to see its timeouts pass.
until_a 180
t_e=$(now)

# -------------------------------------------------------------------- the end
# The exporter looks at its signals only when a packet comes by.
kill -TERM "$exporter"
sleep 0.3
ino ping -q -c 2 -i 0.3 -W 1 -I 203.0.113.66 203.0.113.1 >/dev/null || true
stop "$exporter"
stop "$cap_lab"
sleep 2
stop "$cap_demo"

{
    printf '#phase\tepoch\n'
    printf 'a\t%s\nb\t%s\nservice\t%s\nend\t%s\n' "$t_a" "$t_b" "$t_s" "$t_e"
} >"$out/lab.phases.tsv"

grep -h 'dropped by kernel' "$tmp"/tcpdump-*.log >&2 || true
if [ -n "${LAB_LOGS:-}" ]; then
    mkdir -p "$LAB_LOGS"
    cp "$tmp"/*.log "$tmp"/nginx/*.log "$LAB_LOGS"/ || true
fi
say "done"
