#!/usr/bin/env python3
"""check.py lab.pcap TRUTHDIR EXPORT.pcap... - do the exports hold the truth?

Decodes every export with tshark (not with the collector) and compares it with
the packets and with the files that truth.py wrote:
  * the 5-tuples and the packet counts of the records against the packets;
  * a record for every attempt, and for its answer when there was one;
  * for every exposure, at least one attempt with both.
Prints one line per export and the differences. The exit code is 1 when an
attempt or an exposure has no evidence that the flavour is able to show.
"""
import ipaddress
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "truth"))
import truth    # noqa: E402

START = re.compile(r"^ +(Flow \d+|pdu \d+/\d+)$")
LINE = re.compile(r"^ +([A-Za-z0-9 ]+): (.*)$")
PROTO = re.compile(r"\((\d+)\)")
REVERSE = re.compile(r" \(Reverse Type \d+ [A-Z_]+\)")


def table(path):
    with open(path) as f:
        next(f)
        return [line.rstrip("\n").split("\t") for line in f]


def records(path):
    """Yield (arrival, src, sport, dst, proto, dport, packets, flags)."""
    port = subprocess.run(
        ["tshark", "-n", "-r", path, "-c", "1", "-T", "fields", "-e",
         "udp.dstport"], capture_output=True, text=True).stdout.strip()
    text = subprocess.run(
        ["tshark", "-n", "-r", path, "-d", "udp.port==%s,cflow" % port, "-V"],
        capture_output=True, text=True, errors="replace").stdout
    arrival, cur = 0.0, None

    def done(c):
        if not c or "SrcAddr" not in c:
            return
        tup = (c["SrcAddr"], int(c.get("SrcPort", 0)), c["DstAddr"],
               c["Protocol"], int(c.get("DstPort", 0)))
        yield (arrival,) + tup + (c.get("Packets", 0), c.get("flags", 0))
        if "rpackets" in c:
            yield (arrival, tup[2], tup[4], tup[0], tup[3], tup[1],
                   c["rpackets"], c.get("rflags", 0))

    for line in text.splitlines():
        if line.startswith("    Epoch Time: "):
            yield from done(cur)
            cur = None
            arrival = float(line.split()[2])
        elif START.match(line):
            yield from done(cur)
            cur = {}
        elif cur is not None:
            if re.match(r"^ +FlowSet \d", line):
                yield from done(cur)
                cur = None
                continue
            m = LINE.match(line)
            if not m:
                continue
            name, value = m.groups()
            back = bool(REVERSE.search(value))
            value = REVERSE.sub("", value)
            if name == "Packets":
                cur["rpackets" if back else name] = int(value)
            elif name == "TCP Flags":
                cur["rflags" if back else "flags"] = int(
                    value.split(",")[0], 16) & 0x3f
            elif name == "Protocol":
                cur[name] = int(PROTO.search(value).group(1))
            elif name in ("SrcAddr", "DstAddr"):
                cur[name] = str(ipaddress.ip_address(value))
            elif name in ("SrcPort", "DstPort"):
                cur[name] = value
    yield from done(cur)


def main(pcap, where, exports):
    attempts = table(os.path.join(where, "lab.attempts.tsv"))
    exposures = table(os.path.join(where, "lab.exposures.tsv"))
    seen = {}
    for p in truth.packets(pcap):   # ICMP without: exporters disagree there
        key = (str(p.src), p.sport, str(p.dst), p.proto, p.dport)
        seen[key] = seen.get(key, 0) + 1
    bad = 0
    for path in exports:
        name = os.path.basename(path)
        flows, count, empty, arrivals = {}, 0, 0, set()
        for rec in records(path):
            arrival, key, n, flags = rec[0], rec[1:6], rec[6], rec[7]
            arrivals.add(arrival)
            if n == 0:
                empty += 1      # a two-way record whose other half is empty
                continue
            if key[3] in (1, 58):
                key = (key[0], 0, key[2], key[3], 0)
            f = flows.setdefault(key, [0, 0, 0])
            f[0] += n
            f[1] |= flags
            f[2] += 1
            count += 1
        v6 = any(":" in k[0] for k in flows)
        expect = {k: n for k, n in seen.items() if v6 or ":" not in k[0]}
        lost = [k for k in expect if k not in flows]
        extra = [k for k in flows if k not in expect]
        odd = [(k, n, flows[k][0]) for k, n in expect.items()
               if k in flows and flows[k][0] != n]
        wrong, proven, tried = [], set(), 0
        for start, src, sport, dst, proto, dport, how, answer in attempts:
            if ":" in src and not v6:
                continue
            if proto not in ("tcp", "udp"):
                continue
            tried += 1
            p = {"tcp": 6, "udp": 17}[proto]
            there = flows.get((src, int(sport), dst, p, int(dport)))
            back = flows.get((dst, int(dport), src, p, int(sport)))
            if answer == "accepted":
                ok = there and back and (p == 17 or back[1] & 2)
                if ok:
                    proven.add((dst, proto, dport))
            elif answer == "refused" and p == 6:
                ok = there and back and back[1] & 4 and not back[1] & 2
            else:
                ok = there and not back
            if not ok:
                wrong.append((src, sport, dst, proto, dport, how, answer,
                              there, back))
        missing = [e for e in exposures
                   if (v6 or ":" not in e[0]) and tuple(e) not in proven]
        span = max(arrivals) - min(arrivals) if arrivals else 0
        print("%s: %d halves of %d, %d split, %d empty; %d lost, "
              "%d not in the packets, %d with another packet count; "
              "%d attempts, %d without their evidence; %d exposures, %d "
              "missing; IPv6 %s; exports span %.1f s"
              % (name, count, len(expect), sum(f[2] > 1 for f in flows.values()),
                 empty, len(lost), len(extra), len(odd), tried, len(wrong),
                 len(proven), len(missing), "yes" if v6 else "no", span))
        for what, rows in (("lost", lost), ("not in the packets", extra),
                           ("packet count", odd), ("no evidence", wrong),
                           ("exposure missing", missing)):
            for row in rows[:12]:
                print("    %s: %s" % (what, row))
            if len(rows) > 12:
                print("    %s: and %d more" % (what, len(rows) - 12))
        bad += len(wrong) + len(missing)
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("usage: check.py lab.pcap TRUTHDIR EXPORT.pcap...")
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
