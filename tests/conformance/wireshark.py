# SPDX-License-Identifier: Apache-2.0
"""Wireshark's decode, as tab separated values with a line of names."""
import gzip

# column: our field, base
FIELDS = {
    "domain": ("domain", 10),
    "sport": ("src_port", 10),
    "dport": ("dst_port", 10),
    "proto": ("protocol", 10),
    "tcpflags": ("tcp_flags", 16),
    "pkts": ("packets", 10),
    "bytes": ("octets", 10),
    "rpkts": ("reverse.packets", 10),
    "rbytes": ("reverse.octets", 10),
    "dir": ("direction", 10),
    "fwevent": ("firewall_event", 10),
}
# how it numbers its output, not what the exporter said
IGNORED = {"frame", "set", "icmp"}
VERSIONS = {"5": "netflow5", "9": "netflow9", "10": "ipfix"}


def read(path):
    """Returns the flows, the number of other records, the unknown columns."""
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as lines:
        names = lines.readline().rstrip("\n").split("\t")
        rows = [dict(zip(names, line.rstrip("\n").split("\t")))
                for line in lines]
    unknown = set(names) - set(FIELDS) - IGNORED - {"ver", "src", "dst"}
    flows = []
    for row in rows:
        if not row["src"] or not row["dst"] or not row["proto"]:
            continue
        flow = {"export_protocol": VERSIONS[row["ver"]],
                "src": row["src"], "dst": row["dst"]}
        for column, (name, base) in FIELDS.items():
            if row.get(column):
                flow[name] = int(row[column], base)
        if "tcp_flags" in flow:
            flow["tcp_flags"] &= 0xff
        flows.append(flow)
    return flows, len(rows) - len(flows), unknown
