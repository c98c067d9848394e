# SPDX-License-Identifier: Apache-2.0
"""The events that logstash-codec-netflow's specification expects."""
import csv
import datetime
import ipaddress
import json
import os
import re

from compare import Case, without_ports, without_untranslated

NUMBER, ADDRESS, TIME, FLAGS, SAMPLING = range(5)

# their field: our field, how it is written. Where a record has two for one of
# ours, the first in this table counts.
FIELDS = {
    "ipv4_src_addr": ("src", ADDRESS),
    "sourceIPv4Address": ("src", ADDRESS),
    "sourceIPv6Address": ("src", ADDRESS),
    "ipv4_dst_addr": ("dst", ADDRESS),
    "destinationIPv4Address": ("dst", ADDRESS),
    "destinationIPv6Address": ("dst", ADDRESS),
    "l4_src_port": ("src_port", NUMBER),
    "sourceTransportPort": ("src_port", NUMBER),
    "l4_dst_port": ("dst_port", NUMBER),
    "destinationTransportPort": ("dst_port", NUMBER),
    "protocol": ("protocol", NUMBER),
    "protocolIdentifier": ("protocol", NUMBER),
    "in_pkts": ("packets", NUMBER),
    "packetDeltaCount": ("packets", NUMBER),
    "packetTotalCount": ("packets", NUMBER),
    "in_bytes": ("octets", NUMBER),
    "octetDeltaCount": ("octets", NUMBER),
    "in_permanent_bytes": ("octets", NUMBER),
    "octetTotalCount": ("octets", NUMBER),
    "fwd_flow_delta_bytes": ("octets", NUMBER),
    "flow_start_msec": ("start_ms", TIME),
    "flowStartMilliseconds": ("start_ms", TIME),
    "flowStartMicroseconds": ("start_ms", TIME),
    "flowStartSeconds": ("start_ms", TIME),
    "first_switched": ("start_ms", TIME),
    "flowEndMilliseconds": ("end_ms", TIME),
    "flowEndMicroseconds": ("end_ms", TIME),
    "flowEndSeconds": ("end_ms", TIME),
    "last_switched": ("end_ms", TIME),
    "flowStartSysUpTime": ("start_uptime_ms", NUMBER),
    "tcp_flags": ("tcp_flags", FLAGS),
    "tcpControlBits": ("tcp_flags", FLAGS),
    "initialTCPFlags": ("initial_flags", FLAGS),
    "icmp_code": ("icmp_code", NUMBER),
    "input_snmp": ("ingress_if", NUMBER),
    "ingressInterface": ("ingress_if", NUMBER),
    "output_snmp": ("egress_if", NUMBER),
    "egressInterface": ("egress_if", NUMBER),
    "ingressVRFID": ("ingress_vrf", NUMBER),
    "direction": ("direction", NUMBER),
    "flowDirection": ("direction", NUMBER),
    "fw_event": ("firewall_event", NUMBER),
    "firewallEvent": ("firewall_event", NUMBER),
    "fw_ext_event": ("firewall_ext", NUMBER),
    "flowEndReason": ("end_reason", NUMBER),
    "flow_end_reason": ("end_reason", NUMBER),
    "sampling_interval": ("sampling", SAMPLING),
    "xlate_src_addr_ipv4": ("post_src", ADDRESS),
    "postNATSourceIPv4Address": ("post_src", ADDRESS),
    "xlate_src_port": ("post_src_port", NUMBER),
    "xlate_dst_addr_ipv4": ("post_dst", ADDRESS),
    "postNATDestinationIPv4Address": ("post_dst", ADDRESS),
    "xlate_dst_port": ("post_dst_port", NUMBER),
    "reverseOctetTotalCount": ("reverse.octets", NUMBER),
    "rev_flow_delta_bytes": ("reverse.octets", NUMBER),
    "reversePacketTotalCount": ("reverse.packets", NUMBER),
    "reverseInitialTCPFlags": ("reverse.initial_flags", FLAGS),
    # those that need another of the record: see add_rest()
    "icmp_type": None,
    "icmpTypeCodeIPv4": None,
    "unionTCPFlags": None,
    "reverseFlowDeltaMilliseconds": None,
    "reverseUnionTCPFlags": None,
}

# Not kept: nothing of it tells who answers whom. By name, so that a new one
# cannot be overlooked.
IGNORED = set("""
    flow_seq_num flowset_id flow_records engine_id engine_type version
    ipVersion ip_protocol_version sampling_algorithm flow_sampler_id
    selectorAlgorithm samplingInterval samplingPacketInterval
    samplingPacketSpace
    src_as dst_as src_mask dst_mask src_tos src_vlan dst_vlan vlanId
    ipClassOfService ip_dscp ipPrecedence ipDiffServCodePoint
    postIpDiffServCodePoint ipv4_ident ipv4_src_prefix
    ipv4_next_hop bgp_ipv4_next_hop ipNextHopIPv4Address
    ipNextHopIPv6Address bgpSourceAsNumber bgpDestinationAsNumber
    in_src_mac in_dst_mac out_src_mac out_dst_mac sourceMacAddress
    ethernetType out_bytes out_pkts flows flowEndSysUpTime
    flowDurationMilliseconds event_time_msec conn_id flowId
    egressVRFID egressPhysicalInterface ingressPhysicalInterface
    ingress_acl_id egress_acl_id username user_id app_id application_id
    application_name forwarding_status mpls_label_stack_octets
    src_traffic_index dst_traffic_index VRFname layer2SegmentId
    maximumTTL maximumIpTotalLength minimumIpTotalLength tcpOptions
    tcp_src_port udp_dst_port privateEnterpriseNumber observationPointId
    exportingProcessId flowAttributes tcpSequenceNumber
    meanFlowRate meanPacketRate silkAppLabel reverseFlowAttributes
    reverseIcmpTypeCodeIPv4
    reverseIpClassOfService reverseTcpSequenceNumber reverseVlanId
    nprobe_proto nprobe_proto_name
    AuditCounter BindIPv4Address BindTransportPort ConnIPv4Address
    ConnTransportPort FW_Rule LogOp Reason ReasonText ServiceName Timestamp
    TrafficType viptelaVPNId natInsideSvcid natOutsideSvcid natSubString
    ixiaBrowserId ixiaBrowserName ixiaDeviceId ixiaDeviceName ixiaDstAsName
    ixiaDstLatitude ixiaDstLongitude ixiaHttpHostName ixiaHttpUri
    ixiaHttpUserAgent ixiaL7AppId ixiaL7AppName ixiaLatency
    ixiaRevOctetDeltaCount ixiaRevPacketDeltaCount ixiaSrcAsName
    ixiaSrcLatitude ixiaSrcLongitude ixiaThreatIPv4 ixiaThreatType
    netscalerAaaUsername netscalerAppNameAppId netscalerAppUnitNameAppId
    netscalerConnectionChainHopCount netscalerConnectionChainID
    netscalerConnectionId netscalerFlowFlags netscalerHttpContentType
    netscalerHttpDomainName netscalerHttpReqAuthorization
    netscalerHttpReqCookie netscalerHttpReqHost netscalerHttpReqMethod
    netscalerHttpReqReferer netscalerHttpReqUrl netscalerHttpReqUserAgent
    netscalerHttpReqVia netscalerHttpReqXForwardedFor netscalerHttpResForwFB
    netscalerHttpResForwLB netscalerTransactionId netscalerUnknown330
    netscalerRoundTripTime
    proceraBaseService proceraContentCategories proceraFlowBehavior
    proceraHttpContentType proceraHttpFileLength proceraHttpLocation
    proceraHttpUrl proceraIncomingOctets proceraOutgoingOctets
    proceraService proceraSubscriberIdentifier proceraTemplateName
    streamcore_call_direction streamcore_hostname streamcore_id_rule_1
    reamcore_id_rule_1 streamcore_id_rule_10 streamcore_id_rule_2
    streamcore_id_rule_3 streamcore_id_rule_4 streamcore_id_rule_5
    streamcore_id_rule_6 streamcore_id_rule_7 streamcore_id_rule_8
    streamcore_id_rule_9 streamcore_net_app_resp_time
    streamcore_tcp_retrans_rate streamcore_total_app_resp_time
    streamcore_url streamcore_wan_rtt
    vmwareEgressInterfaceAttr vmwareIngressInterfaceAttr vmwareUnknown888
    vmwareUnknown889 vmwareUnknown890 vmwareVxlanExportRole
""".split())

VERSIONS = {5: "netflow5", 9: "netflow9", 10: "ipfix"}


def time_ms(value):
    if isinstance(value, int):  # seconds or milliseconds
        return value * 1000 if value < 100000000000 else value
    value = re.sub(r"\.(\d{3})\D*Z$", r".\1Z", value)
    when = datetime.datetime.fromisoformat(value)
    return round(when.timestamp() * 1000)


def convert(value, kind):
    if kind == ADDRESS:
        return str(ipaddress.ip_address(value))
    if kind == TIME:
        return time_ms(value)
    if kind == FLAGS:
        return int(value) & 0xff
    if kind == SAMPLING:
        return max(1, int(value))
    return int(value)


def add_rest(event, flow):
    """icmp_type holds the type alone beside icmp_code, else both; the union
    of CERT's flags leaves out those of the first packet."""
    both = event.get("icmp_type", event.get("icmpTypeCodeIPv4"))
    if both is not None and flow.get("protocol") == 1:
        if "icmp_code" in event:
            flow["icmp_type"] = both
        elif both != 0:
            flow["icmp_type"], flow["icmp_code"] = both >> 8, both & 0xff
    if flow.get("protocol") != 1:
        flow.pop("icmp_code", None)
    if "reverseFlowDeltaMilliseconds" in event:
        flow["reverse.start_ms"] = \
            flow["start_ms"] + event["reverseFlowDeltaMilliseconds"]
    for union, initial, name in (
            ("unionTCPFlags", "initialTCPFlags", "tcp_flags"),
            ("reverseUnionTCPFlags", "reverseInitialTCPFlags",
             "reverse.tcp_flags")):
        if union in event:
            flow[name] = event[union] | event[initial]


def flow_of(event, unknown):
    """One of their events in our names; None: not a flow."""
    n = event["netflow"]
    flow = {}
    for theirs, row in FIELDS.items():
        if row is not None and theirs in n and row[0] not in flow:
            flow[row[0]] = convert(n[theirs], row[1])
    if "src" not in flow or "protocol" not in flow:
        return None
    # both families' fields, one of them filled
    for name in ("src", "dst"):
        for theirs, row in FIELDS.items():
            if row is not None and row[0] == name and theirs in n and \
                    flow[name] in ("0.0.0.0", "::"):
                flow[name] = convert(n[theirs], ADDRESS)
    unknown.update(set(n) - set(FIELDS) - IGNORED)
    add_rest(n, flow)
    if "version" in n:
        flow["export_protocol"] = VERSIONS[n["version"]]
    if "@timestamp" in event:
        flow["exported_ms"] = time_ms(event["@timestamp"])
    return without_ports(without_untranslated(flow))


def asserted(assertions, unknown):
    """Single fields that are asserted of events, as flows of those fields."""
    events = {}
    for a in assertions:
        name = re.search(r"\[netflow\]\[(\w+)\]", a["path"]).group(1)
        value = a["value"].strip("'\"").replace("#{nanos}", "")
        row = FIELDS.get(name, ())
        if row:
            flow = events.setdefault(a["event"], {})
            flow.setdefault(row[0], convert(
                int(value) if value.isdigit() else value, row[1]))
        elif row == () and name not in IGNORED | OPTIONS:
            unknown.add(name)
    return events


# Asserted of options records, which are counted, not compared.
OPTIONS = set("""
    systemInitTimeMilliseconds exporterIPv4Address flowTablePeakCount if_desc
    application_description total_bytes_exp scope_system total_flows_exp
    staIPv4Address sampling_algorithm meteringProcessId
""".split())


def cases(fixtures):
    folder = os.path.join(fixtures, "logstash-codec-netflow")
    with open(os.path.join(folder, "expected", "INDEX.tsv"),
              encoding="utf-8") as lines:
        names = [row["case"] for row in csv.DictReader(lines, delimiter="\t")]
    for name in names:
        with open(os.path.join(folder, "expected", name + ".json"),
                  encoding="utf-8") as text:
            spec = json.load(text)
        case = Case("logstash", name, os.path.join(folder, "pcap",
                                                   name + ".pcap"))
        flows = [flow_of(e, case.unknown) for e in spec["expected_events"]]
        case.events = spec["decoded_events"]
        case.flows = [f for f in flows if f is not None]
        case.options_seen = len(flows) - len(case.flows)
        case.asserted = asserted(spec["field_asserts"], case.unknown)
        case.wireshark = os.path.join(folder, "tshark", name + ".flows.tsv")
        yield case
    for name in sorted(os.listdir(os.path.join(folder, "pcap"))):
        stem = name.removesuffix(".pcap")
        if stem not in names:
            case = Case("logstash", stem, os.path.join(folder, "pcap", name))
            case.wireshark = os.path.join(folder, "tshark",
                                          stem + ".flows.tsv")
            yield case
