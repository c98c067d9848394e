# SPDX-License-Identifier: Apache-2.0
"""The lines that telegraf's netflow input expects, in Influx's protocol."""
import ipaddress
import os
import re

from compare import Case, without_ports

_TOKEN = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^, ]+)')
_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58}
_END_REASONS = {"idle timeout": 1, "active timeout": 2, "end of flow": 3,
                "forced end": 4, "lack of resources": 5}
_FLAGS = "CEUAPRSF"
_VERSIONS = {"NetFlowV5": "netflow5", "NetFlowV9": "netflow9",
             "IPFIX": "ipfix"}


def number(text):
    return int(text.strip('"').rstrip("u"), 0)


def flags(text):
    """"...AP..." is ACK and PSH."""
    return sum(0x80 >> i for i, c in enumerate(text.strip('"')) if c != ".")


FIELDS = {
    "src": ("src", lambda t: str(ipaddress.ip_address(t.strip('"')))),
    "dst": ("dst", lambda t: str(ipaddress.ip_address(t.strip('"')))),
    "src_port": ("src_port", number),
    "dst_port": ("dst_port", number),
    "protocol": ("protocol", lambda t: _PROTOCOLS[t.strip('"')]),
    "in_packets": ("packets", number),
    "in_total_packets": ("packets", number),
    "in_bytes": ("octets", number),
    "in_total_bytes": ("octets", number),
    "flow_start_ms": ("start_ms", number),
    "flow_end_ms": ("end_ms", number),
    "flow_start": ("start_ms", lambda t: number(t) * 1000),
    "flow_end": ("end_ms", lambda t: number(t) * 1000),
    "first_switched": ("start_uptime_ms", number),
    "tcp_flags": ("tcp_flags", flags),
    "in_snmp": ("ingress_if", number),
    "out_snmp": ("egress_if", number),
    "direction": ("direction", lambda t: {"ingress": 0, "egress": 1}[
        t.strip('"')]),
    "flow_end_reason": ("end_reason", lambda t: _END_REASONS[t.strip('"')]),
    "sampling_interval": ("sampling", lambda t: max(1, number(t))),
    "type_29305_85": ("reverse.octets", number),
    "type_29305_86": ("reverse.packets", number),
}

# Not kept: nothing of it tells who answers whom.
IGNORED = set("""
    app_latency_ms bgp_dst_as bgp_src_as client_nw_latency_ms dst_mask
    dst_tos engine_id engine_type flows fwd_reason fwd_status icmp_code
    icmp_type in_src_mac ip_version ja3c_hash ja3s_hash l7_proto
    last_switched next_hop out_dst_mac padding retransmitted_in_bytes
    retransmitted_in_pkts retransmitted_out_bytes retransmitted_out_pkts
    seq_number server_nw_latency_ms src_mask src_tos ssl_cipher
    ssl_server_name ssl_unsafe_cipher ssl_version sys_uptime vlan_src
    observation_domain_id
    type_29305_5 type_29305_58 type_6871_40 type_6871_rev_40
    type_35632_109 type_35632_110 type_35632_118 type_35632_123
    type_35632_124 type_35632_125 type_35632_127 type_35632_128
    type_35632_188 type_35632_489 type_35632_490 type_35632_493
    type_35632_494 type_35632_495
""".split())


def flow_of(line, unknown):
    """None: a line of an options record."""
    head, body = line.split(" ", 1)
    fields = dict(_TOKEN.findall(body.strip()))
    if "src" not in fields or "protocol" not in fields:
        return None
    unknown.update(set(fields) - set(FIELDS) - {"type_6871_21"} - IGNORED)
    flow = {"export_protocol": _VERSIONS[
        re.search(r"version=(\w+)", head).group(1)]}
    for theirs, (ours, convert) in FIELDS.items():
        if theirs in fields:
            flow.setdefault(ours, convert(fields[theirs]))
    if "type_6871_21" in fields:  # reverseFlowDeltaMilliseconds
        flow["reverse.start_ms"] = \
            flow["start_ms"] + number(fields["type_6871_21"])
    if flow.get("start_ms") == 0 and flow.get("end_ms") == 0:
        del flow["start_ms"], flow["end_ms"]  # no time is told
    return without_ports(flow)


def cases(fixtures):
    folder = os.path.join(fixtures, "telegraf-netflow")
    for name in sorted(os.listdir(folder)):
        expected = os.path.join(folder, name, "expected.out")
        if not os.path.exists(expected):
            continue
        case = Case("telegraf", name,
                    os.path.join(folder, "pcap", name + ".pcap"))
        with open(expected, encoding="utf-8") as lines:
            flows = [flow_of(line, case.unknown)
                     for line in lines if line.strip()]
        case.flows = [f for f in flows if f is not None]
        case.options = len(flows) - len(case.flows)
        case.complete = True
        case.wireshark = os.path.join(folder, "tshark", name + ".flows.tsv")
        yield case
