# SPDX-License-Identifier: Apache-2.0
"""NetGauze's golden decodes: a message a line, as JSON."""
import json
import os

from compare import Case, without_ports

_PROTOCOLS = {"ICMP": 1, "IPv4": 4, "TCP": 6, "UDP": 17, "IPv6": 41,
              "GRE": 47, "IPv6ICMP": 58, "SCTP": 132}
_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32,
          "ECE": 64, "CWR": 128}


def protocol(value):
    return value if isinstance(value, int) else _PROTOCOLS[value]


def flags(value):
    return sum(bit for name, bit in _FLAGS.items() if value[name])


FIELDS = {
    "sourceIPv4Address": ("src", str),
    "sourceIPv6Address": ("src", str),
    "destinationIPv4Address": ("dst", str),
    "destinationIPv6Address": ("dst", str),
    "sourceTransportPort": ("src_port", int),
    "destinationTransportPort": ("dst_port", int),
    "protocolIdentifier": ("protocol", protocol),
    "packetDeltaCount": ("packets", int),
    "octetDeltaCount": ("octets", int),
    "ingressInterface": ("ingress_if", int),
    "egressInterface": ("egress_if", int),
    "flowStartSysUpTime": ("start_uptime_ms", int),
    "tcpControlBits": ("tcp_flags", flags),
    "ingressVRFID": ("ingress_vrf", int),
    "flowDirection": ("direction",
                      lambda v: {"ingress": 0, "egress": 1}[v]),
}

# Not kept: nothing of it tells who answers whom.
IGNORED = set("""
    egressVRFID ipClassOfService flowLabelIPv6 flowEndSysUpTime
    ipv6ExtensionHeaders bgpSourceAsNumber bgpDestinationAsNumber
    bgpNextHopIPv6Address bgpNextHopIPv4Address destinationIPv6PrefixLength
    sourceIPv6PrefixLength destinationIPv4PrefixLength
    sourceIPv4PrefixLength forwardingStatus selectorId minimumTTL maximumTTL
    octetDeltaSumOfSquares sourceMacAddress destinationMacAddress
    ethernetType dot1qVlanId dot1qCustomerVlanId dot1qPriority
    ipNextHopIPv6Address ipNextHopIPv4Address mplsLabelStackSection2
    mplsLabelStackSection3 mplsLabelStackSection4 mplsLabelStackSection5
    mplsLabelStackSection6 mplsTopLabelIPv4Address mplsTopLabelIPv6Address
    mplsTopLabelPrefixLength mplsTopLabelStackSection mplsTopLabelType
""".split())


UNFILLED = (None, "0.0.0.0", "::")


def flow_of(record, header, unknown):
    """One record; the first of an element that comes twice: the outer one;
    of both families' addresses the one that is filled.
    None: one of an options template, or without addresses."""
    flow = {"export_protocol": "ipfix", "domain": header["domain"]}
    if record["scope_fields"]:
        return None
    for field in record["fields"]:
        for theirs, value in field.items():
            if theirs in FIELDS:
                ours, convert = FIELDS[theirs]
                if flow.get(ours) in UNFILLED:
                    flow[ours] = convert(value)
            elif theirs not in IGNORED:
                unknown.add(theirs if isinstance(theirs, str) else str(theirs))
    if "src" not in flow or "protocol" not in flow:
        return None
    return without_ports(flow)


def read(path, case):
    case.options = 0
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            message = message.get("info", message)["IPFIX"]
            header = {"domain": message["observation_domain_id"]}
            for one in message["sets"]:
                for record in one.get("Data", {}).get("records", ()):
                    flow = flow_of(record, header, case.unknown)
                    if flow is not None:
                        case.flows.append(flow)
                    elif record["scope_fields"]:
                        case.options += 1
    case.complete = True


def cases(fixtures):
    folder = os.path.join(fixtures, "netgauze")
    case = Case("netgauze", "srv6", os.path.join(folder,
                                                 "flow/srv6/srv6.pcap"))
    read(os.path.join(folder, "flow/srv6/srv6-flow.json"), case)
    case.wireshark = os.path.join(folder,
                                  "tshark/flow__srv6__srv6.flows.tsv")
    yield case
    data = os.path.join(folder, "crates/pcap-decoder/tests/data")
    name = "502-IPFIXv10-BGP-IPv6-CISCO-SRv6-lcomms"
    case = Case("netgauze", "502-SRv6-lcomms",
                os.path.join(data, name + ".pcap"))
    read(os.path.join(data, name + "-flow.jsonl"), case)
    yield case
