#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""truth.py CAPTURE OUTDIR INTERNAL_PREFIX... - what the packets say happened.

Reads a packet capture through tshark and writes, from packets alone, what a
reader of flow records should find. It shares no code with the collector.
Every file is tab separated and has one heading line that starts with '#'.
NAME is the capture's name without its ending.

  NAME.exposures.tsv  host proto port
      every internal (host, proto, port) that accepted an attempt from outside
  NAME.echo.tsv       host
      internal hosts that answered an ICMP echo request from outside
  NAME.attempts.tsv   start src sport dst proto dport technique answer
      one row per attempt of an outside host
  NAME.hosts.tsv      host
      internal addresses that sent anything
  NAME.outbound.tsv   start src sport dst proto dport
      what was opened from inside
  NAME.backscatter.tsv  start src sport dst proto dport
      TCP answers (SYN-ACK or RST) from outside that answer nothing
  NAME.midstream.tsv  start src sport dst proto dport
      conversations whose beginning no packet shows; src sent the first seen

Rules:
  * A conversation is all packets of one 5-tuple, in both directions. TCP has
    generations: a SYN begins a new one when the one before was closed (a RST,
    or a FIN from each side) more than 1 s ago, or was quiet for 130 s, or
    never began with a SYN at all. Any other SYN is a retransmission, and so is
    one with the sequence number of the first: some ask again after a RST.
  * A generation that begins with a SYN was opened by who sent it. So was one
    that begins with a segment that no connection has in it without an ACK
    (none, FIN, FIN-PSH-URG, ...): a stealth probe.
  * One that begins with an ACK and no SYN is the middle of a connection. It is
    a probe (ACK or Maimon scan) only when that one packet drew a bare RST and
    there is nothing else.
  * One that begins with a SYN-ACK or a RST answers nothing: backscatter.
  * TCP answers, the first one counts: SYN-ACK from the target, or data from
    it, is "accepted"; RST from it is "refused".
  * UDP: the first datagram of a 5-tuple names the opener; any datagram back
    is "accepted". Later ones belong to the same attempt.
  * Some answers come from elsewhere. TFTP answers from a new port: port 69
    accepted, and so did the new port. Who asked all (broadcast, multicast) is
    answered by each from its own address: such an answer opens nothing. An
    answer so comes within 5 s, to the port that asked.
  * ICMP port unreachable from the target itself is "refused". Any other ICMP
    unreachable, from anyone, is "unreachable". Both are matched by the packet
    they quote; behind NAT, what it was sent to is who sends the error.
  * ICMP echo: one attempt per (source, target), sport 0, dport 2048 (8/0), or
    for IPv6 32768 (128/0): type * 256 + code.
  * No answer in the capture is "silent".
  * What both ends of are inside, or outside, is left out.
"""
import ipaddress
import os
import subprocess
import sys

FIELDS = ("frame.time_epoch", "ip.src", "ip.dst", "ip.proto", "ip.frag_offset",
          "ipv6.src", "ipv6.dst", "ipv6.nxt", "tcp.srcport", "tcp.dstport",
          "tcp.flags", "tcp.len", "tcp.seq_raw", "udp.srcport", "udp.dstport", "icmp.type",
          "icmp.code", "icmpv6.type", "icmpv6.code")
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
TECHNIQUES = {FIN: "fin", 0: "null", FIN | PSH | URG: "xmas",
              FIN | ACK: "maimon", ACK: "ack"}
CLOSED_GAP = 1.0        # a SYN so long after the end is a new opening
QUIET_GAP = 130.0       # Linux sends a SYN again for 127 s, at most 64 s apart
ELSEWHERE_GAP = 5.0     # an answer from elsewhere comes so soon
TCP, UDP, TFTP = 6, 17, 69
NAMES = {TCP: "tcp", UDP: "udp"}


class Packet:
    """What matters of a packet. quote: the (src, sport, dst, proto, dport)
    that an ICMP error is about, else None."""
    __slots__ = ("when", "src", "dst", "proto", "sport", "dport", "flags",
                 "length", "seq", "icmp", "quote")


def addresses(src, dst, proto):
    return [(ipaddress.ip_address(s), ipaddress.ip_address(d), int(p, 0))
            for s, d, p in zip(src, dst, proto)]


def parse(line):
    """A line of tshark's as a Packet, or None when it is not IP."""
    v = [x.split(",") if x else [] for x in line.rstrip("\n").split("\t")]
    (when, s4, d4, p4, fragment, s6, d6, p6, tsp, tdp, flags, length, seq,
     usp, udp, t4, c4, t6, c6) = v
    layers = addresses(s4, d4, p4) or addresses(s6, d6, p6)
    if not layers or (s4 and s6):   # one in the other: a tunnel
        return None
    p = Packet()
    p.when = float(when[0])
    p.src, p.dst, p.proto = layers[0]
    p.sport = p.dport = p.flags = p.length = p.seq = 0
    p.icmp = p.quote = None
    if fragment and int(fragment[0], 0) != 0:
        return None                 # it has no ports
    if t4 or t6:
        kind, code = (t4, c4) if t4 else (t6, c6)
        p.icmp = (4 if t4 else 6, int(kind[0]), int(code[0]) if code else 0)
        p.proto = 1 if t4 else 58   # also behind a hop-by-hop header
        if len(layers) > 1:
            src, dst, proto = layers[1]
            sp, dp = (tsp, tdp) if tsp else (usp, udp)
            if sp:
                proto = TCP if tsp else UDP
                p.quote = (src, int(sp[-1]), dst, proto, int(dp[-1]))
            else:
                p.quote = (src, 0, dst, proto, 0)
    elif tsp and (len(layers) == 1 or p.proto == TCP):
        p.proto = TCP
        p.sport, p.dport = int(tsp[0]), int(tdp[0])
        p.flags = int(flags[0], 16) & 0x3f
        p.length = int(length[0]) if length else 0
        p.seq = int(seq[0]) if seq else 0
    elif usp and (len(layers) == 1 or p.proto == UDP):
        p.proto = UDP
        p.sport, p.dport = int(usp[0]), int(udp[0])
    return p


def packets(path):
    """Yield a Packet for each IP packet of the capture, as it stands."""
    cmd = ["tshark", "-n", "-r", path, "-o", "ip.defragment:FALSE",
           "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,",
           "-E", "separator=/t"]
    for field in FIELDS:
        cmd += ["-e", field]
    with subprocess.Popen(cmd, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL) as run:
        for line in run.stdout:
            packet = parse(line)
            if packet is not None:
                yield packet
        if run.wait() != 0:
            sys.exit("truth.py: tshark failed on " + path)


def asks_all(address):
    """Broadcast, of a network that ends at an octet, or multicast."""
    return address.is_multicast or (address.version == 4
                                    and address.packed[3] == 255)


class Conversation:
    """One generation of a 5-tuple. src is who opened it, or spoke first.
    kind: attempt, outbound, stray, midstream or answer."""

    def __init__(self, packet, kind, technique):
        self.when = self.last = packet.when
        self.src, self.sport = packet.src, packet.sport
        self.dst, self.dport = packet.dst, packet.dport
        self.proto, self.seq = packet.proto, packet.seq
        self.kind, self.technique = kind, technique
        self.answer = "silent"
        self.fins = set()
        self.closed = False
        self.packets = 0
        self.with_syn = technique in ("syn", "synfin")

    def answered(self, answer):
        if self.answer == "silent":
            self.answer = answer

    def key(self):
        return (self.src, self.sport, self.dst, self.proto, self.dport)


class Reader:
    def __init__(self, prefixes):
        self.nets = [ipaddress.ip_network(p) for p in prefixes]
        self.live = {}      # (address, port) pairs in order, proto -> newest
        self.all = []       # every Conversation, in the order of beginning
        self.echoes = {}    # (src, dst) -> Conversation
        self.asked = {}     # (src, sport) -> [(when, dst, dport)], by UDP
        self.hosts = set()
        self.unmatched = 0

    def inside(self, a):
        return any(a.version == n.version and a in n for n in self.nets)

    def add(self, packet, kind, technique):
        c = Conversation(packet, kind, technique)
        self.all.append(c)
        return c

    @staticmethod
    def tuple_of(src, sport, dst, proto, dport):
        ends = sorted(((src.packed, sport), (dst.packed, dport)))
        return (ends[0], ends[1], proto)

    def begin_tcp(self, p):
        """The Conversation whose first packet this is."""
        side = "outbound" if self.inside(p.src) else "attempt"
        if p.flags & (SYN | ACK) == SYN | ACK or (
                p.flags & RST and not p.flags & SYN):
            return self.add(p, "stray", "")
        if p.flags & SYN:
            return self.add(p, side, "synfin" if p.flags & FIN else
                            "other" if p.flags & RST else "syn")
        if p.flags & ACK and p.flags not in (ACK, ACK | FIN):
            return self.add(p, "midstream", "")
        # of those with an ACK, what follows tells whether it was a probe
        return self.add(p, side, TECHNIQUES.get(p.flags, "other"))

    @staticmethod
    def begins_anew(c, p):
        if p.flags & (SYN | ACK) != SYN:
            return False
        if not c.with_syn:
            return True
        gap = p.when - c.last
        return p.seq != c.seq and (gap > QUIET_GAP
                                   or (c.closed and gap > CLOSED_GAP))

    def take_tcp(self, p):
        key = self.tuple_of(p.src, p.sport, p.dst, p.proto, p.dport)
        c = self.live.get(key)
        if c is None or self.begins_anew(c, p):
            c = self.live[key] = self.begin_tcp(p)
        c.packets += 1
        c.last = p.when
        forward = (p.src, p.sport) == (c.src, c.sport)
        if p.flags & FIN:
            c.fins.add(forward)
        c.closed = c.closed or bool(p.flags & RST) or len(c.fins) == 2
        if not forward:
            if p.flags & RST:
                c.answered("refused")
            elif p.flags & (SYN | ACK) == SYN | ACK or p.length > 0:
                c.answered("accepted")
        if c.technique in ("ack", "maimon") and not (
                c.packets == 1 or (c.packets == 2 and not forward
                                   and p.flags == RST)):
            c.kind = "midstream"

    def take_udp(self, p):
        key = self.tuple_of(p.src, p.sport, p.dst, p.proto, p.dport)
        c = self.live.get(key)
        if c is None:
            self.live[key] = self.begin_udp(p)
        elif (p.src, p.sport) != (c.src, c.sport):
            c.answered("accepted")

    def begin_udp(self, p):
        side = "outbound" if self.inside(p.src) else "attempt"
        for when, dst, dport in self.asked.get((p.dst, p.dport), ()):
            if p.when - when > ELSEWHERE_GAP:
                continue
            if dport == TFTP and dst == p.src:
                return self.begin_tftp(p)
            if asks_all(dst) and dport == p.sport:
                return self.add(p, "answer", "udp")
        return self.add(p, side, "udp")

    def begin_tftp(self, p):
        """p is the first answer, from a new port; it opens nothing."""
        first = self.live[self.tuple_of(p.dst, p.dport, p.src, UDP, TFTP)]
        first.answered("accepted")
        p.src, p.sport, p.dst, p.dport = p.dst, p.dport, p.src, p.sport
        c = self.add(p, first.kind, "udp")
        c.answered("accepted")
        return c

    def take_error(self, p):
        """An ICMP error, with the packet it quotes."""
        family, kind, code = p.icmp
        if kind != (3 if family == 4 else 1):
            return
        c = self.live.get(self.tuple_of(*p.quote))
        if c is None:
            src, sport, _, proto, dport = p.quote
            p.quote = (src, sport, p.src, proto, dport)
            c = self.live.get(self.tuple_of(*p.quote))
        if c is None or c.key() != p.quote:
            self.unmatched += 1
            return
        port = code == (3 if family == 4 else 4)
        c.answered("refused" if port and p.src == c.dst else "unreachable")

    def take_echo(self, p):
        family, kind, code = p.icmp
        ask, reply = (8, 0) if family == 4 else (128, 129)
        if kind == ask:
            if (p.src, p.dst) not in self.echoes:
                p.dport = kind * 256 + code
                side = "outbound" if self.inside(p.src) else "attempt"
                self.echoes[p.src, p.dst] = self.add(p, side, "icmp")
        elif kind == reply and (p.dst, p.src) in self.echoes:
            self.echoes[p.dst, p.src].answered("accepted")

    def take(self, p):
        if self.inside(p.src):
            self.hosts.add(p.src)
        if p.proto == UDP:
            self.asked.setdefault((p.src, p.sport), []).append(
                (p.when, p.dst, p.dport))
        if p.quote is not None:
            self.take_error(p)
        elif self.inside(p.src) == self.inside(p.dst):
            return
        elif p.icmp is not None:
            self.take_echo(p)
        elif p.proto == TCP:
            self.take_tcp(p)
        elif p.proto == UDP:
            self.take_udp(p)

    def finish(self):
        """No packet comes any more: a lone ACK that drew nothing is the
        middle of a connection."""
        for c in self.all:
            if c.technique in ("ack", "maimon") and c.answer != "refused":
                c.kind = "midstream"


def read(path, prefixes):
    reader = Reader(prefixes)
    for packet in packets(path):
        reader.take(packet)
    reader.finish()
    return reader


def proto_name(c):
    if c.technique == "icmp":
        return "icmp" if c.src.version == 4 else "icmp6"
    return NAMES[c.proto]


def row(c):
    return ("%.6f" % c.when, c.src, c.sport, c.dst, proto_name(c), c.dport)


def write(reader, outdir, name):
    def table(what, heading, rows):
        with open(os.path.join(outdir, "%s.%s.tsv" % (name, what)), "w",
                  encoding="ascii") as f:
            f.write("#" + "\t".join(heading) + "\n")
            for r in rows:
                f.write("\t".join(str(x) for x in r) + "\n")

    def order(a):
        return (a.version, int(a))

    def kind(k):
        return [c for c in conversations if c.kind == k]

    head = ("start", "src", "sport", "dst", "proto", "dport")
    conversations = sorted(reader.all, key=lambda c: c.when)
    attempts = kind("attempt")
    table("attempts", head + ("technique", "answer"),
          [row(c) + (c.technique, c.answer) for c in attempts])
    won = [c for c in attempts if c.answer == "accepted"]
    table("exposures", ("host", "proto", "port"),
          [e[1:] for e in sorted({(order(c.dst), c.dst, proto_name(c), c.dport)
                                  for c in won if c.technique != "icmp"})])
    table("echo", ("host",),
          [(h,) for h in sorted({c.dst for c in won if c.technique == "icmp"},
                                key=order)])
    table("hosts", ("host",), [(h,) for h in sorted(reader.hosts, key=order)])
    table("outbound", head, [row(c) for c in kind("outbound")])
    table("backscatter", head,
          [row(c) for c in kind("stray") if not reader.inside(c.src)])
    table("midstream", head, [row(c) for c in kind("midstream")])


def main(path, outdir, prefixes):
    reader = read(path, prefixes)
    write(reader, outdir, os.path.basename(path).rsplit(".", 1)[0])
    count = {k: sum(c.kind == k for c in reader.all)
             for k in ("attempt", "outbound", "stray", "midstream")}
    print("%d attempts, %d outbound, %d hosts, %d strays, %d midstream, "
          "%d ICMP errors about other traffic"
          % (count["attempt"], count["outbound"], len(reader.hosts),
             count["stray"], count["midstream"], reader.unmatched))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("usage: truth.py CAPTURE OUTDIR INTERNAL_PREFIX...")
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
