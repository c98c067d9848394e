#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""meter.py [OPTIONS] IN.pcap OUT.pcap - a router that meters flows.

Reads packets, and writes the datagrams that a router with the habits of
Cisco's IOS would export: NetFlow v5, v9 or IPFIX. No exporter that Debian
packages has these habits, so this is a test tool, and says so of itself:

  * Each direction of a conversation is a flow of its own, with its own first
    and last packet. The other direction is not looked at.
  * A flow ends when it was idle for --idle seconds, when it is older than
    --active seconds, or, unless --no-tcp-end, with the packet that carries a
    FIN or a RST. A later packet of the same 5-tuple begins another flow.
  * Once a second, by the clock of the packets, what has ended is exported. A
    datagram holds 24 records at most.

  --version 5|9|10  the protocol (9); v5 has no IPv6
  --idle S          15
  --active S        60
  --no-tcp-end      FIN and RST end nothing
  --sample N        of N packets, on average, look at one (seeded: --seed)
  --quiet-sampling  and do not tell the collector
  --only in|out     meter only what comes into, or goes out of, --internal
  --internal CIDR   may be given again
  --skew MS         the exporter's clock is so far ahead of the packets'
  --uptime MS       since its boot, at the first packet (3600000)
  --no-flags        report no TCP flags
  --no-v6           meter no IPv6
  --address A       the exporter's address (192.0.2.1); --domain N its domain

ICMP has type * 256 + code as its destination port. Fragments but the first
have no ports. Flow times are in milliseconds of uptime (v5, v9: elements 21
and 22) or absolute (IPFIX: 152 and 153).
"""
import argparse
import ipaddress
import os
import random
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pcap     # noqa: E402

FIN_OR_RST = 0x05
RECORDS_MAX = 24
TEMPLATE_EVERY_S = 30
TCP, UDP, SCTP = 6, 17, 132
EXTENSIONS = (0, 43, 44, 60)

# (element, octets); the last two are the times
ADDRESSES = {4: ((8, 4), (12, 4)), 6: ((27, 16), (28, 16))}
REST = ((7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4))
TIMES = {9: ((22, 4), (21, 4)), 10: ((152, 8), (153, 8))}
TEMPLATE_ID = {4: 256, 6: 257}
OPTIONS_ID = 258


class Flow:
    __slots__ = ("key", "first", "last", "packets", "octets", "flags")


def parse_ip(packet):
    """(src, dst, proto, payload or None, octets); None: not IP."""
    if len(packet) < 20:
        return None
    if packet[0] >> 4 == 4:
        size = (packet[0] & 15) * 4
        total = struct.unpack("!H", packet[2:4])[0]
        later = struct.unpack("!H", packet[6:8])[0] & 0x1fff
        return (packet[12:16], packet[16:20], packet[9],
                None if later else packet[size:], total)
    if packet[0] >> 4 != 6 or len(packet) < 40:
        return None
    proto, at = packet[6], 40
    while proto in EXTENSIONS and len(packet) >= at + 8:
        if proto == 44:
            if struct.unpack("!H", packet[at + 2:at + 4])[0] & 0xfff8:
                return packet[8:24], packet[24:40], packet[at], None, 40
            size = 8
        else:
            size = 8 + packet[at + 1] * 8
        proto, at = packet[at], at + size
    return (packet[8:24], packet[24:40], proto, packet[at:],
            40 + struct.unpack("!H", packet[4:6])[0])


def parse(packet):
    """(key, flags, octets) of a flow's packet, or None."""
    ip = parse_ip(packet)
    if ip is None:
        return None
    src, dst, proto, payload, octets = ip
    sport = dport = flags = 0
    if payload is not None and len(payload) >= 4:
        if proto in (TCP, UDP, SCTP):
            sport, dport = struct.unpack("!HH", payload[:4])
        elif proto in (1, 58):
            dport = payload[0] * 256 + payload[1]
        if proto == TCP and len(payload) >= 14:
            flags = payload[13]
    return (src, dst, proto, sport, dport), flags, octets


class Meter:
    def __init__(self, args, emit):
        self.args, self.emit = args, emit
        self.flows, self.pending = {}, []
        self.sequence = 0
        self.boot = None            # of the packets' clock, milliseconds
        self.now = None             # whole seconds already exported
        self.templates_at = None
        self.random = random.Random(args.seed)
        self.nets = [ipaddress.ip_network(n) for n in args.internal]

    def inside(self, address):
        a = ipaddress.ip_address(address)
        return any(a.version == n.version and a in n for n in self.nets)

    def is_metered(self, key):
        if len(key[0]) == 16 and (self.args.no_v6 or self.args.version == 5):
            return False
        if self.args.only is None:
            return True
        return self.inside(key[0 if self.args.only == "out" else 1])

    def take(self, when, key, flags, octets):
        ms = int(when * 1000)
        if self.boot is None:
            self.boot = ms - self.args.uptime
            self.now = ms // 1000
        self.tick(ms // 1000)
        if not self.is_metered(key):
            return
        if self.args.sample > 1 and self.random.randrange(self.args.sample):
            return
        f = self.flows.get(key)
        if f is None:
            f = self.flows[key] = Flow()
            f.key, f.first, f.packets, f.octets, f.flags = key, ms, 0, 0, 0
        f.last = ms
        f.packets += 1
        f.octets += octets
        f.flags |= flags
        if self.args.tcp_end and key[2] == TCP and flags & FIN_OR_RST:
            self.end(f)

    def end(self, f):
        del self.flows[f.key]
        self.pending.append(f)

    def tick(self, second):
        """Everything that had to happen until then, second by second."""
        while self.now < second:
            if not self.flows and not self.pending:
                self.now = second
                return
            self.now += 1
            ms = self.now * 1000
            for f in list(self.flows.values()):
                if (ms - f.last >= self.args.idle * 1000
                        or ms - f.first >= self.args.active * 1000):
                    self.end(f)
            self.export()

    def finish(self):
        while self.flows or self.pending:
            self.tick(self.now + 1)

    # ------------------------------------------------------------ the datagrams
    def export(self):
        build = {5: self.v5, 9: self.v9, 10: self.ipfix}[self.args.version]
        while self.pending:
            some = self.pending[:RECORDS_MAX]
            del self.pending[:RECORDS_MAX]
            self.emit(self.now, build(some))

    def clock(self):
        """(uptime in ms, epoch seconds) of the exporter, now."""
        ms = self.now * 1000 + self.args.skew
        return (ms - self.boot - self.args.skew) & 0xffffffff, ms // 1000

    def uptime_of(self, ms):
        return (ms - self.boot) & 0xffffffff

    def flags_of(self, f):
        return 0 if self.args.no_flags else f.flags

    def v5(self, flows):
        uptime, seconds = self.clock()
        nanos = self.args.skew % 1000 * 1000000
        sampling = 0
        if self.args.sample > 1 and not self.args.quiet_sampling:
            sampling = 1 << 14 | self.args.sample & 0x3fff
        out = struct.pack("!HHIIIIBBH", 5, len(flows), uptime, seconds, nanos,
                          self.sequence, 0, self.args.domain & 0xff, sampling)
        for f in flows:
            src, dst, proto, sport, dport = f.key
            out += struct.pack(
                "!4s4sIHHIIIIHHBBBBHHBBH", src, dst, 0, 1, 2, f.packets,
                f.octets, self.uptime_of(f.first), self.uptime_of(f.last),
                sport, dport, 0, self.flags_of(f), proto, 0, 0, 0, 0, 0, 0)
        self.sequence += len(flows)
        return out

    def fields(self, family):
        return (ADDRESSES[family] + REST + TIMES[self.args.version])

    def record(self, f):
        src, dst, proto, sport, dport = f.key
        if self.args.version == 9:
            times = struct.pack("!II", self.uptime_of(f.first),
                                self.uptime_of(f.last))
        else:
            times = struct.pack("!QQ", f.first + self.args.skew,
                                f.last + self.args.skew)
        return src + dst + struct.pack(
            "!HHBBII", sport, dport, proto, self.flags_of(f), f.packets,
            f.octets) + times

    def template_set(self, number):
        body = b""
        for family, template in TEMPLATE_ID.items():
            fields = self.fields(family)
            body += struct.pack("!HH", template, len(fields))
            body += b"".join(struct.pack("!HH", *x) for x in fields)
        return one_set(number, body)

    def sampling_sets(self):
        """What tells the sampling: an options template and its record."""
        n = self.args.sample
        if self.args.version == 9:
            # scope: the system; samplingInterval, samplingAlgorithm (random)
            template = struct.pack("!HHHHHHHHH", OPTIONS_ID, 4, 8, 1, 4,
                                   34, 4, 35, 1)
            return one_set(1, template) + one_set(
                OPTIONS_ID, struct.pack("!IIB", 0, n, 2))
        # scope: the observation domain; samplingPacketInterval and -Space
        template = struct.pack("!HHHHHHHHH", OPTIONS_ID, 3, 1, 149, 4,
                               305, 4, 306, 4)
        return one_set(3, template) + one_set(
            OPTIONS_ID, struct.pack("!III", self.args.domain, 1, n - 1))

    def sets(self, flows):
        """(octets, records that are no data) of a message's sets."""
        out, extra = b"", 0
        if (self.templates_at is None
                or self.now - self.templates_at >= TEMPLATE_EVERY_S):
            self.templates_at = self.now
            out += self.template_set(0 if self.args.version == 9 else 2)
            extra = 2
            if self.args.sample > 1 and not self.args.quiet_sampling:
                out += self.sampling_sets()
                extra += 2
        for family, size in ((4, 4), (6, 16)):
            body = b"".join(self.record(f) for f in flows
                            if len(f.key[0]) == size)
            if body:
                out += one_set(TEMPLATE_ID[family], body)
        return out, extra

    def v9(self, flows):
        uptime, seconds = self.clock()
        body, extra = self.sets(flows)
        out = struct.pack("!HHIIII", 9, len(flows) + extra, uptime, seconds,
                          self.sequence, self.args.domain) + body
        self.sequence += 1
        return out

    def ipfix(self, flows):
        body, extra = self.sets(flows)
        out = struct.pack("!HHIII", 10, 16 + len(body), self.clock()[1],
                          self.sequence, self.args.domain) + body
        # templates do not count, options records do (RFC 7011, 3.1)
        self.sequence += len(flows) + (1 if extra == 4 else 0)
        return out


def one_set(number, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("!HH", number, 4 + len(body)) + body


def arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--version", type=int, choices=(5, 9, 10), default=9)
    add("--idle", type=float, default=15)
    add("--active", type=float, default=60)
    add("--no-tcp-end", dest="tcp_end", action="store_false")
    add("--sample", type=int, default=1)
    add("--seed", type=int, default=1)
    add("--quiet-sampling", action="store_true")
    add("--only", choices=("in", "out"))
    add("--internal", action="append", default=[])
    add("--skew", type=int, default=0)
    add("--uptime", type=int, default=3600000)
    add("--no-flags", action="store_true")
    add("--no-v6", action="store_true")
    add("--address", default="192.0.2.1")
    add("--domain", type=int, default=0)
    add("input")
    add("output")
    return parser.parse_args(argv)


def main(argv):
    args = arguments(argv)
    writer = pcap.Writer(args.output)
    meter = Meter(args, lambda when, octets: writer.add(
        when, pcap.datagram(args.address, 2055, octets)))
    packets = sorted(((when, pcap.network(link, frame))
                      for when, link, frame in pcap.read(args.input)),
                     key=lambda x: x[0])
    for when, packet in packets:
        found = packet and parse(packet)
        if found:
            meter.take(when, *found)
    meter.finish()
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1:])
