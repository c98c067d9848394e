#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The metering router of the lab (tests/lab/meter.py) has the habits it says:
# its exports, read back record by record.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v python3 >/dev/null; then
    skip "the_meter_has_the_habits_of_ios" "no python3"
    done_testing
fi
export PYTHONDONTWRITEBYTECODE=1

# packets.pcap from lines "seconds src sport dst dport flags [octets]"
packets() {
    python3 -c '
import ipaddress, struct, sys
sys.path.insert(0, "tests/lab")
import pcap
out = pcap.Writer(sys.argv[1])
for line in sys.stdin:
    when, src, sport, dst, dport, flags, *size = line.split()
    size = int(size[0]) if size else 40
    tcp = struct.pack("!HHIIBBHHH", int(sport), int(dport), 0, 0, 0x50,
                      int(flags, 16), 0, 0, 0)
    a, b = (ipaddress.ip_address(x).packed for x in (src, dst))
    if len(a) == 4:
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, 6, 0, a, b)
    else:
        ip = struct.pack("!IHBB", 6 << 28, size - 40, 6, 64) + a + b
    out.add(1700000000 + float(when), ip + tcp)
' "$work/packets.pcap"
}
# One line a record: seconds of export, src, dst_port, flags, packets, and
# milliseconds of first and last packet since 1700000000.
records() { # flags...
    python3 tests/lab/meter.py "$@" "$work/packets.pcap" "$work/out.pcap" &&
        "$daemon" --read "$work/out.pcap" --flows 2>"$log" | python3 -c '
import json, sys
for line in sys.stdin:
    f = json.loads(line)
    print("%g %s:%d %s %d %d %d" % (
        f["received_ms"] / 1000 - 1700000000, f["src"], f.get("dst_port", 0),
        f.get("tcp_flags", "-"), f["packets"],
        f["start_ms"] - 1700000000000, f["end_ms"] - 1700000000000))'
}
exports() { # flags... ; what is expected on standard input
    records "$@" | diff - /dev/stdin
}

C=203.0.113.10 S=192.0.2.10
# A whole connection; the server's last ACK comes after its FIN.
connection() {
    packets <<END
0.100 $C 40000 $S 80 02
0.110 $S 80 $C 40000 12
0.120 $C 40000 $S 80 10
0.130 $C 40000 $S 80 18
0.140 $S 80 $C 40000 19
0.150 $C 40000 $S 80 11
0.160 $S 80 $C 40000 10
END
}

halves_end_with_their_fin() {
    connection && exports "$@" <<END
1 $S:40000 27 2 110 140
1 $C:80 27 4 100 150
16 $S:40000 16 1 160 160
END
}
fin_ends_nothing() {
    connection && exports --no-tcp-end <<END
16 $C:80 27 4 100 150
16 $S:40000 27 3 110 160
END
}
refusal_comes_before_its_question() {
    packets <<END && exports <<DONE
0 $C 40000 $S 81 02
0.001 $S 81 $C 40000 14
END
1 $S:40000 20 1 1 1
15 $C:81 2 1 0 0
DONE
}
long_ones_are_cut() {
    {
        echo "0 $C 40000 $S 22 02"
        for s in 10 20 30 40 50 59 61 70; do echo "$s $C 40000 $S 22 18"; done
    } | packets && exports <<END
60 $C:22 26 7 0 59000
85 $C:22 24 2 61000 70000
END
}
one_direction_only() {
    connection && exports --internal 192.0.2.0/24 --only in <<END
1 $C:80 27 4 100 150
END
}
no_flags_are_told() {
    connection && records --no-flags | awk '$3 != 0 && $3 != "-" { exit 1 }'
}
skewed() { # the datagram comes as before, its times do not
    connection && exports --version 10 --skew 120000 <<END
1 $S:40000 27 2 120110 120140
1 $C:80 27 4 120100 120150
16 $S:40000 16 1 120160 120160
END
}
# Every packet of the lab is in one record.
nothing_is_lost() {
    local wanted
    cp "$fixtures/lab.pcap" "$work/packets.pcap"
    wanted=$(python3 -c '
import sys
sys.path.insert(0, "tests/lab")
import meter, pcap
print(sum(1 for _, link, frame in pcap.read(sys.argv[1])
          if meter.parse(pcap.network(link, frame) or b"")))' "$work/packets.pcap")
    [ "$wanted" -gt 1000 ] && [ "$(records --version "$1" |
        awk '{ n += $4 } END { print n }')" -eq "$wanted" ]
}
samples() { # version: about one in ten, and says so
    cp "$fixtures/lab.pcap" "$work/packets.pcap"
    records --version "$1" --sample 10 |
        awk '{ n += $4 } END { exit !(n > 100 && n < 400) }' &&
        "$daemon" --read "$work/out.pcap" --flows 2>/dev/null |
        tail -n 1 | grep '"sampling":10[,}]'
}

check "each_half_ends_with_its_own_fin" halves_end_with_their_fin
check "each_half_ends_with_its_own_fin_in_v5" halves_end_with_their_fin --version 5
check "each_half_ends_with_its_own_fin_in_ipfix" halves_end_with_their_fin --version 10
check "fin_ends_nothing_when_told_so" fin_ends_nothing
check "a_refusal_is_exported_before_the_attempt" refusal_comes_before_its_question
check "a_long_flow_is_cut_at_the_active_timeout" long_ones_are_cut
check "one_direction_is_metered_alone" one_direction_only
check "flags_can_be_left_out" no_flags_are_told
check "a_clock_can_be_ahead" skewed
check "no_packet_is_lost_in_v9" nothing_is_lost 9
check "no_packet_is_lost_in_ipfix" nothing_is_lost 10
check "sampling_is_told_in_v5" samples 5
check "sampling_is_told_in_v9" samples 9
check "sampling_is_told_in_ipfix" samples 10
done_testing
