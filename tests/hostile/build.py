# SPDX-License-Identifier: Apache-2.0
"""Builders of export datagrams, right or wrong as the case wants.

Sequence numbers count by themselves, per protocol and domain, as a sound
exporter's would: v5 by flows, v9 by datagrams, IPFIX by data records (n).
With seq=... a datagram has that number, and nothing is counted.
"""
import socket
import struct

EXPORT_S = 1700000000
UPTIME_MS = 12000
DOMAIN = 1
VARIABLE = 65535
REVERSE = 29305
CERT = 6871

_sequence = {}


def forget_sequence():
    _sequence.clear()


def _number(version, domain, seq, step):
    if seq is not None:
        return seq
    now = _sequence.get((version, domain), 0)
    _sequence[(version, domain)] = now + step
    return now


def u8(n):
    return struct.pack(">B", n)


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def v4(text):
    return socket.inet_aton(text)


def v6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def repeat(octets, times):
    return octets * times


# --- datagrams ---------------------------------------------------------------
def netflow5_record(proto=6, packets=5, octets=300, first=11000, last=11500,
                    src="203.0.113.9", dst="10.0.0.5", sport=40000, dport=80,
                    flags=0x1b):
    return (v4(src) + v4(dst) + bytes(4) + u16(1) + u16(2) + u32(packets) +
            u32(octets) + u32(first) + u32(last) + u16(sport) + u16(dport) +
            bytes(1) + u8(flags) + u8(proto) + bytes(9))


def netflow5(*records, count=None, seq=None, uptime=UPTIME_MS, time=EXPORT_S,
             nanoseconds=0, engine=0x0102, sampling=0, behind=b""):
    if count is None:
        count = len(records)
    number = _number(5, engine, seq, count)
    return (u16(5) + u16(count) + u32(uptime) + u32(time) + u32(nanoseconds) +
            u32(number) + u16(engine) + u16(sampling) + b"".join(records) +
            behind)


def netflow9(*sets, count=1, seq=None, uptime=UPTIME_MS, time=EXPORT_S,
             domain=DOMAIN):
    number = _number(9, domain, seq, 1)
    return (u16(9) + u16(count) + u32(uptime) + u32(time) + u32(number) +
            u32(domain) + b"".join(sets))


def ipfix(*sets, n=0, length=None, seq=None, time=EXPORT_S, domain=DOMAIN,
          behind=b""):
    """n: how many data records the exporter has put in."""
    body = b"".join(sets)
    number = _number(10, domain, seq, n)
    if length is None:
        length = 16 + len(body)
    return u16(10) + u16(length) + u32(time) + u32(number) + u32(domain) + \
        body + behind


class Protocol:
    """What v9 and IPFIX have in common, so that a case can be written once."""

    def __init__(self, name, message, template_set, header):
        self.name = name
        self.message = message
        self.template_set = template_set
        self.options_set = template_set + 1
        self.header = header

    def datagram(self, *sets, n=0, **more):
        if self.is_ipfix():
            more["n"] = n
        return self.message(*sets, **more)

    def is_ipfix(self):
        return self.template_set == 2

    def templates(self, *definitions):
        return any_set(self.template_set, *definitions)

    def options_template(self, number, scopes, options):
        fields = b"".join(field(*f) for f in scopes + options)
        if self.is_ipfix():
            head = u16(len(scopes + options)) + u16(len(scopes))
        else:
            head = u16(4 * len(scopes)) + u16(4 * len(options))
        return any_set(self.options_set, u16(number) + head + fields)


V9 = Protocol("netflow9", netflow9, 0, 20)
V10 = Protocol("ipfix", ipfix, 2, 16)


# --- sets --------------------------------------------------------------------
def any_set(number, *body, length=None):
    octets = b"".join(body)
    if length is None:
        length = 4 + len(octets)
    return u16(number) + u16(length) + octets


data = any_set


def field(number, length, pen=None):
    if pen is None:
        return u16(number) + u16(length)
    return u16(number | 0x8000) + u16(length) + u32(pen)


def template(number, *fields, count=None):
    if count is None:
        count = len(fields)
    return u16(number) + u16(count) + b"".join(field(*f) for f in fields)


def withdrawal(number):
    return u16(number) + u16(0)


# the template most cases use, and a record of it: 13 octets
PLAIN = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1)]
PLAIN_OCTETS = 13


def plain(sport=40000, dport=80, proto=6):
    return v4("203.0.113.9") + v4("10.0.0.5") + u16(sport) + u16(dport) + \
        u8(proto)


# the shortest that can be used: 9 octets
SHORTEST = [(8, 4), (12, 4), (4, 1)]


def shortest(proto=6):
    return v4("203.0.113.9") + v4("10.0.0.5") + u8(proto)


def short_length(octets):
    return u8(len(octets)) + octets


def long_length(octets):
    return u8(255) + u16(len(octets)) + octets
