# SPDX-License-Identifier: Apache-2.0
"""ipfixcol's records as its viewer prints them, all fields of each.

Numbers are printed as its host, with the other octet order, reads them, so
their length is needed, which the templates in the same text tell.
"""
import ipaddress
import os
import re

from compare import Case, without_ports

NUMBER, ADDRESS_V4, ADDRESS_V6, FLAGS = range(4)

FIELDS = {
    8: ("src", ADDRESS_V4),
    27: ("src", ADDRESS_V6),
    12: ("dst", ADDRESS_V4),
    28: ("dst", ADDRESS_V6),
    7: ("src_port", NUMBER),
    11: ("dst_port", NUMBER),
    4: ("protocol", NUMBER),
    2: ("packets", NUMBER),
    1: ("octets", NUMBER),
    152: ("start_ms", NUMBER),
    153: ("end_ms", NUMBER),
    6: ("tcp_flags", FLAGS),
    32: ("icmp", NUMBER),
    139: ("icmp", NUMBER),
    10: ("ingress_if", NUMBER),
    14: ("egress_if", NUMBER),
}
# ipClassOfService, ipVersion, ipTTL, the sampling it does not do, and the
# domain a record had before flows were joined: not kept.
IGNORED = {5, 60, 192, 34, 35, 405}
# Flowmon's elements about HTTP, of PEN 16982
HTTP = range(500, 600)

# its test folder: the captures it reads, whether their order is kept
CASES = {
    "two_inputs_with_same_ODID": (("03-odid0-a", "03-odid0-b"), True),
    "two_inputs_+_joinflows": (("02-odid0", "02-odid4"), False),
}


def value_of(text, length, kind):
    number = int(text, 16)
    if kind == ADDRESS_V6:
        return str(ipaddress.IPv6Address(number))
    if length > 8:
        return number
    number = int.from_bytes(number.to_bytes(length, "little"), "big")
    if kind == ADDRESS_V4:
        return str(ipaddress.IPv4Address(number))
    return number & 0xff if kind == FLAGS else number


def finish(flow):
    icmp = flow.pop("icmp", 0)
    if icmp and flow["protocol"] in (1, 58):
        flow["icmp_type"], flow["icmp_code"] = icmp >> 8, icmp & 0xff
    return without_ports(flow)


def read(path, unknown):
    flows = []
    lengths, template, lengths_now, exported = {}, None, {}, 0
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if m := re.search(r"Export Time: (\d+)", line):
                exported = int(m[1]) * 1000
            elif m := re.search(r"Template ID: (\d+)", line):
                template = lengths[m[1]] = {}
            elif m := re.search(r"IE ID: (\d+)\s+Field Length: (\d+)", line):
                template[int(m[1])] = int(m[2])
            elif m := re.search(r"Set ID: (\d+) \(Data", line):
                lengths_now = lengths.get(m[1], {})
            elif "Data Record (#" in line:
                flows.append({"export_protocol": "ipfix",
                              "exported_ms": exported})
            elif m := re.search(r"IE ID: (\d+)\s+Value: (\w+)", line):
                number = int(m[1])
                if number in FIELDS and number in lengths_now:
                    name, kind = FIELDS[number]
                    flows[-1][name] = value_of(m[2], lengths_now[number], kind)
                elif number not in IGNORED and number not in HTTP:
                    unknown.add(f"element {number}")
    return [finish(f) for f in flows]


def cases(fixtures):
    folder = os.path.join(fixtures, "ipfixcol")
    for name, (captures, in_order) in sorted(CASES.items()):
        case = Case("ipfixcol", name.replace("_", " "),
                    [os.path.join(folder, "pcap", c + ".pcap")
                     for c in captures])
        case.flows = read(os.path.join(folder, name, "expected"),
                          case.unknown)
        case.complete = in_order
        case.counters = {"records_announced": len(case.flows)}
        yield case
