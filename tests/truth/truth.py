#!/usr/bin/env python3
"""truth.py lab.pcap OUTDIR INTERNAL_PREFIX... - what the packets say happened.

Reads a packet capture through tshark and writes, from packets alone, what a
reader of flow records should find. It shares no code with the collector.
Every file is tab separated and has one heading line that starts with '#'.

  lab.exposures.tsv  host proto port
      every internal (host, proto, port) that accepted an attempt from outside
  lab.echo.tsv       host
      internal hosts that answered an ICMP echo request from outside
  lab.attempts.tsv   start src sport dst proto dport technique answer
      one row per opening of one 5-tuple by an outside host
  lab.hosts.tsv      host
      internal addresses that sent anything
  lab.outbound.tsv   start src sport dst proto dport
      what was opened from inside
  lab.backscatter.tsv  start src sport dst proto dport
      TCP answers (SYN-ACK or RST) from outside that answer nothing

Rules:
  * The first packet of a 5-tuple names the opener. Later SYNs of the same
    5-tuple are the same attempt; a retry from another source port is a new one.
  * TCP: SYN-ACK from the target is "accepted", RST from it is "refused". The
    first answer counts. A stealth probe that drew a reset is "refused".
  * UDP: any datagram back on the same 4-tuple is "accepted".
  * ICMP port unreachable from the target itself is "refused". Any other ICMP
    unreachable, from anyone, is "unreachable". Both are matched by the packet
    they quote.
  * ICMP echo: one attempt per (source, target), sport 0, dport 2048 (8/0), or
    for IPv6 32768 (128/0): type * 256 + code.
  * No answer in the capture is "silent".
"""
import ipaddress
import os
import subprocess
import sys

FIELDS = ("frame.time_epoch", "ip.src", "ip.dst", "ip.proto", "ipv6.src",
          "ipv6.dst", "ipv6.nxt", "tcp.srcport", "tcp.dstport", "tcp.flags",
          "udp.srcport", "udp.dstport", "icmp.type", "icmp.code",
          "icmpv6.type", "icmpv6.code")
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
TECHNIQUES = {SYN: "syn", FIN: "fin", 0: "null", FIN | PSH | URG: "xmas",
              FIN | ACK: "maimon", ACK: "ack", SYN | FIN: "synfin"}


def packets(path):
    """Yield (time, layers, flags, icmp); layers: (src, dst, proto, sp, dp)."""
    cmd = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=a",
           "-E", "aggregator=,", "-E", "separator=/t"]
    for f in FIELDS:
        cmd += ["-e", f]
    with subprocess.Popen(cmd, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL) as run:
        for line in run.stdout:
            v = line.rstrip("\n").split("\t")
            v = [x.split(",") if x else [] for x in v]
            (when, s4, d4, p4, s6, d6, p6, tsp, tdp, tfl, usp, udp,
             t4, c4, t6, c6) = v
            addrs = list(zip(s4 or s6, d4 or d6, p4 or p6))
            if not addrs:
                continue
            layers = []
            for s, d, p in addrs:
                layers.append([ipaddress.ip_address(s),
                               ipaddress.ip_address(d), int(p, 0), 0, 0])
            # Only ICMP errors quote a packet, so a packet has one set of ports
            # and it belongs to the last address pair.
            last = layers[-1]
            if tsp:
                last[2:] = [6, int(tsp[-1]), int(tdp[-1])]
            elif usp:
                last[2:] = [17, int(usp[-1]), int(udp[-1])]
            icmp = None
            if t4:
                icmp = (4, int(t4[0]), int(c4[0]) if c4 else 0)
            elif t6:
                icmp = (6, int(t6[0]), int(c6[0]) if c6 else 0)
                layers[0][2] = 58       # also behind a hop-by-hop header
            flags = int(tfl[-1], 16) & 0x3f if tfl else None
            yield float(when[0]), [tuple(x) for x in layers], flags, icmp
        if run.wait() != 0:
            sys.exit("truth.py: tshark failed on " + path)


class Attempt:
    def __init__(self, when, key, technique):
        self.when, self.key = when, key
        self.technique, self.answer = technique, "silent"

    def answered(self, answer):
        if self.answer == "silent":
            self.answer = answer


def main(path, outdir, prefixes):
    nets = [ipaddress.ip_network(p) for p in prefixes]

    def inside(a):
        return any(a.version == n.version and a in n for n in nets)

    attempts, outbound = {}, {}     # key (src, sport, dst, proto, dport)
    stray, hosts, unmatched = {}, set(), 0

    for when, layers, flags, icmp in packets(path):
        src, dst, proto, sport, dport = layers[0]
        if inside(src):
            hosts.add(src)
        if inside(src) == inside(dst) and not (icmp and len(layers) > 1):
            continue

        if icmp:
            family, kind, code = icmp
            unreachable = kind == (3 if family == 4 else 1)
            if len(layers) > 1:         # an ICMP error, with what it quotes
                if not unreachable:
                    continue
                qs, qd, qp, qsp, qdp = layers[1]
                attempt = attempts.get((qs, qsp, qd, qp, qdp))
                if attempt is None:
                    unmatched += 1
                    continue
                port = code == (3 if family == 4 else 4)
                attempt.answered("refused" if port and src == qd
                                 else "unreachable")
                continue
            name = "icmp" if family == 4 else "icmp6"
            ask, reply = (8, 0) if family == 4 else (128, 129)
            if kind == ask:
                key = (src, 0, dst, name, kind * 256 + code)
                if inside(src):
                    outbound.setdefault(key, when)
                else:
                    attempts.setdefault(key, Attempt(when, key, "icmp"))
            elif kind == reply and inside(src):
                attempt = attempts.get((dst, 0, src, name, ask * 256))
                if attempt:
                    attempt.answered("accepted")
            continue

        if proto not in (6, 17):
            continue
        key = (src, sport, dst, proto, dport)
        back = (dst, dport, src, proto, sport)
        if key in stray or back in stray:
            continue
        if key in attempts or key in outbound:
            continue                    # more from the opener
        if back in attempts:
            if proto == 17:
                attempts[back].answered("accepted")
            elif flags & RST:
                attempts[back].answered("refused")
            elif flags & (SYN | ACK) == SYN | ACK:
                attempts[back].answered("accepted")
            continue
        if back in outbound:
            continue
        # The first packet of a 5-tuple.
        if proto == 6 and (flags & RST or flags & (SYN | ACK) == SYN | ACK):
            stray[key] = when           # an answer to nothing in this capture
            continue
        if inside(src):
            outbound[key] = when
        else:
            attempts[key] = Attempt(
                when, key, TECHNIQUES.get(flags, "other") if proto == 6
                else "udp")

    names = {6: "tcp", 17: "udp"}

    def write(name, heading, rows):
        with open(os.path.join(outdir, name), "w") as f:
            f.write("#" + "\t".join(heading) + "\n")
            for row in rows:
                f.write("\t".join(str(x) for x in row) + "\n")

    def addr_key(a):
        return (a.version, int(a))

    tuple_head = ("start", "src", "sport", "dst", "proto", "dport")
    rows = sorted(attempts.values(), key=lambda a: a.when)
    write("lab.attempts.tsv", tuple_head + ("technique", "answer"),
          [("%.6f" % a.when, *a.key[:3], names.get(a.key[3], a.key[3]),
            a.key[4], a.technique, a.answer) for a in rows])
    won = [a for a in rows if a.answer == "accepted"]
    write("lab.exposures.tsv", ("host", "proto", "port"),
          [(h, p, n) for _, h, p, n in sorted(
              {(addr_key(a.key[2]), a.key[2], names[a.key[3]], a.key[4])
               for a in won if a.technique != "icmp"})])
    write("lab.echo.tsv", ("host",),
          [(h,) for h in sorted({a.key[2] for a in won
                                 if a.technique == "icmp"}, key=addr_key)])
    write("lab.hosts.tsv", ("host",),
          [(h,) for h in sorted(hosts, key=addr_key)])
    write("lab.outbound.tsv", tuple_head,
          [("%.6f" % w, *k[:3], names.get(k[3], k[3]), k[4])
           for k, w in sorted(outbound.items(), key=lambda x: x[1])])
    write("lab.backscatter.tsv", tuple_head,
          [("%.6f" % w, *k[:3], names[k[3]], k[4])
           for k, w in sorted(stray.items(), key=lambda x: x[1])
           if not inside(k[0])])
    print("%d attempts, %d outbound, %d hosts, %d strays, "
          "%d ICMP errors about other traffic"
          % (len(attempts), len(outbound), len(hosts), len(stray), unmatched))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("usage: truth.py lab.pcap OUTDIR INTERNAL_PREFIX...")
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
