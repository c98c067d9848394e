#!/bin/bash
# export.sh CAPTURE OUTDIR [FLAVOUR...] - show one packet capture to several
# exporters and keep the export datagrams each of them sends. Needs root. Takes
# about 4 s a flavour.
#
# Writes OUTDIR/NAME.FLAVOUR.pcap, NAME being that of the capture without its
# ending. Without any named, these flavours:
#   softflowd-v5 -v5a -v9 -v10 -v10b   softflowd reading the file; v5a sets the
#                                 clock of the header by the packets (-a), and
#                                 v10b writes two-way records (-b)
#   nfprobe-v9 -v10               pmacctd with the nfprobe plugin
#   nfreplay-v9                   nfpcapd to a flow file, nfreplay from there
# By name only:
#   nfprobe-v5
#   ...-sN                        any of softflowd's, looking at 1 packet in N
#   ...-in, ...-out               any of softflowd's, one direction alone;
#                                 INTERNAL holds the internal networks
#
# Everything runs in a network namespace of its own, where only lo exists.

set -eu

[ $# -ge 2 ] || { echo "usage: export.sh CAPTURE OUTDIR [FLAVOUR...]" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "export.sh: needs root" >&2; exit 2; }
if [ -z "${DP_EXPORT_NETNS:-}" ]; then
    DP_EXPORT_NETNS=1 exec unshare -n "$0" "$@"
fi
for t in ip tcpdump softflowd pmacctd nfpcapd nfreplay python3 timeout; do
    command -v "$t" >/dev/null || { echo "export.sh: $t is missing" >&2; exit 2; }
done

here=$(cd "$(dirname "$0")" && pwd)
pcap=$(readlink -f "$1")
mkdir -p "$2"
out=$(cd "$2" && pwd)
name=$(basename "$pcap")
name=${name%.*}
shift 2
[ $# -gt 0 ] || set -- softflowd-v5 softflowd-v5a softflowd-v9 softflowd-v10 \
    softflowd-v10b nfprobe-v9 nfprobe-v10 nfreplay-v9
tmp=$(mktemp -d)
cp "$pcap" "$tmp/lab.pcap"  # softflowd sends the name of the file it reads
pids=()

running() { jobs -rp | grep -qx "$1"; }
cleanup() {
    set +e
    for p in "${pids[@]}"; do running "$p" && kill "$p" 2>/dev/null; done
    wait
    rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# Third-party programs get bounded files, processor time and wall time.
bounded() { (cd "$tmp" && ulimit -f 65536 && ulimit -t 30 && exec timeout -k 2 60 "$@"); }

ip link set lo up
capture=''
listen() {  # listen FLAVOUR PORT: start a sink and a capture
    python3 "$here/peer.py" sink 127.0.0.1 "$2" 120 &
    pids+=("$!")
    # A small snap length makes small slots, so that the buffer holds thousands.
    tcpdump -Z root -i lo -s 2048 -U -B 32768 --immediate-mode \
        -w "$out/$name.$1.pcap" "udp dst port $2" 2>"$tmp/$1.cap" &
    capture=$!
    pids+=("$capture")
    for _ in $(seq 50); do
        grep -qs 'listening on' "$tmp/$1.cap" && break
        sleep 0.1
    done
    for _ in $(seq 50); do
        grep -q "$(printf '0100007F:%04X' "$2")" /proc/net/udp && break
        sleep 0.1
    done
}
finish() {  # finish FLAVOUR: stop the capture; complain about lost packets
    sleep 1
    kill "$capture"
    wait "$capture" || true
    if ! grep -q '^0 packets dropped by kernel' "$tmp/$1.cap"; then
        echo "export.sh: $1: the capture lost packets" >&2
        exit 1
    fi
    echo "$name.$1.pcap: $(grep 'packets\? captured' "$tmp/$1.cap")"
}

port=9900
towards() {  # towards dst|src: the words of pcap for one direction
    local net words=''
    for net in ${INTERNAL:?names the internal networks}; do
        words="$words${words:+ or }$1 net $net"
    done
    echo "$words"
}
softflow() {  # softflow FLAVOUR
    local part options=() filter=()
    for part in ${1//-/ }; do
        case $part in
        softflowd) ;;
        v5a) options+=(-v 5 -a) ;;
        v10b) options+=(-v 10 -b) ;;
        v*) options+=(-v "${part#v}") ;;
        in) filter=("$(towards dst)") ;;
        out) filter=("$(towards src)") ;;
        s*) options+=(-s "${part#s}") ;;
        esac
    done
    listen "$1" $port
    mkdir -p /run/softflowd/chroot
    # Without "-c none" softflowd waits for its control socket for ever.
    bounded softflowd -r lab.pcap -d -c none -p "$tmp/softflowd.pid" \
        "${options[@]}" -n 127.0.0.1:$port "${filter[@]}" \
        >"$tmp/$1.log" 2>&1
    finish "$1"
}

nfprobe() {  # nfprobe FLAVOUR
    cat >"$tmp/nfprobe.conf" <<END
daemonize: false
pcap_savefile: lab.pcap
snaplen: 128
plugins: nfprobe
aggregate: src_host, dst_host, src_port, dst_port, proto, tcpflags
nfprobe_receiver: 127.0.0.1:$port
nfprobe_version: ${1##*-v}
END
    listen "$1" $port
    # The plugin is a process of its own that may outlive the core process:
    # wait until the whole session is gone, 20 seconds at most.
    bounded setsid sh -c 'echo $$ >sid; exec pmacctd -f nfprobe.conf' \
        >"$tmp/$1.log" 2>&1 || true
    for _ in $(seq 40); do
        ps -o pid= -s "$(cat "$tmp/sid")" >/dev/null || break
        sleep 0.5
    done
    finish "$1"
}

nfreplay() {  # nfreplay FLAVOUR
    local f
    mkdir "$tmp/nf"
    bounded nfpcapd -r lab.pcap -w "$tmp/nf" >"$tmp/nfpcapd.log" 2>&1
    listen "$1" $port
    for f in "$tmp"/nf/nfcapd.*; do
        bounded nfreplay -r "$f" -v 9 -H 127.0.0.1 -p $port -d 500 \
            >>"$tmp/nfreplay.log" 2>&1
    done
    finish "$1"
}

for flavour; do
    port=$((port + 1))
    case $flavour in
    softflowd-*) softflow "$flavour" ;;
    nfprobe-*) nfprobe "$flavour" ;;
    nfreplay-v9) nfreplay "$flavour" ;;
    *) echo "export.sh: no flavour $flavour" >&2; exit 2 ;;
    esac
done

if [ -n "${LAB_LOGS:-}" ]; then
    mkdir -p "$LAB_LOGS"
    cp "$tmp"/*.log "$LAB_LOGS"/ || true
fi
