# SPDX-License-Identifier: Apache-2.0
"""Expected flow records against decoded ones, field by field."""
import collections
import re

# Fields we leave out when they are 0, as the standard's "unknown".
ZERO_IS_ABSENT = {"ingress_if", "egress_if", "ingress_vrf"}
KEY = ("src", "dst", "src_port", "dst_port", "protocol")
FEW = 400      # records among which a lost one is looked for by likeness
PROTOCOLS_WITHOUT_PORTS = (1, 58)

Difference = collections.namedtuple("Difference", "what theirs ours")


class Case:
    """What one source says of one capture, or of several one after
    the other.

    flows: dicts of our field names, each as far as the source tells; in
    order and complete when `complete`. counters: name to value. unknown:
    field names of the source that no table has. wireshark: a .flows.tsv.
    """

    def __init__(self, source, name, captures):
        self.source = source
        self.name = name
        self.captures = [captures] if isinstance(captures, str) else captures
        self.flows = []
        self.complete = False
        self.events = None       # flows and options together
        self.options = None
        self.counters = {}
        self.unknown = set()
        self.wireshark = None
        self.temporary = False   # unlink the capture afterwards

    @property
    def title(self):
        return f"{self.source} {self.name}"


def without_ports(flow):
    """ICMP has no ports: its destination port is type and code, unless a
    firewall puts the echo's identifier there; its source port is not kept."""
    if flow.get("protocol") in PROTOCOLS_WITHOUT_PORTS:
        flow.pop("src_port", None)
        port = flow.pop("dst_port", None)
        if port and "icmp_type" not in flow and "firewall_event" not in flow:
            flow["icmp_type"], flow["icmp_code"] = port >> 8, port & 0xff
    return flow


def without_untranslated(flow):
    """An end that NAT left as it was, or did not tell, is no NAT."""
    for end in ("src", "dst"):
        if flow.get(f"post_{end}") in ("0.0.0.0", "::", flow.get(end)) and \
                flow.get(f"post_{end}_port", 0) in \
                (0, flow.get(f"{end}_port")):
            flow.pop(f"post_{end}", None)
            flow.pop(f"post_{end}_port", None)
    return flow


def field_of(record, name):
    value = record.get(name)
    if value is None and name.rsplit(".", 1)[-1] in ZERO_IS_ABSENT:
        return 0
    return value


def equal_fields(flow, record):
    return sum(field_of(record, name) == value for name, value in flow.items())


class _Pool:
    """Decoded records not yet matched, found by the fields of KEY."""

    def __init__(self, records):
        self.records = records
        self.free = dict.fromkeys(range(len(records)))
        self.by_pair = collections.defaultdict(list)
        for i, r in enumerate(records):
            self.by_pair[(r["src"], r["dst"])].append(i)

    def take_equal(self, flow):
        """The first free record with all fields of flow; None."""
        for i in self.by_pair.get((flow.get("src"), flow.get("dst")), ()):
            if i in self.free and \
                    equal_fields(flow, self.records[i]) == len(flow):
                del self.free[i]
                return i
        return None

    def take_like(self, flow):
        """The free record most like flow, the first of equals; None: none
        has either address."""
        if len(self.free) > FEW:
            return None
        near = [i for i in self.free
                if any(field_of(self.records[i], k) == flow.get(k)
                       for k in KEY[:2])]
        if not near:
            return None
        best = max(near, key=lambda i: (equal_fields(flow, self.records[i]),
                                        -i))
        del self.free[best]
        return best


def pair_up(flows, records, complete):
    """(flow, index of its record or None): in order when all are there,
    else those that are wholly equal first, then the most like."""
    if complete and len(flows) == len(records):
        return [(flow, i) for i, flow in enumerate(flows)]
    pool = _Pool(records)
    found = [(flow, pool.take_equal(flow)) for flow in flows]
    return [(flow, at if at is not None else pool.take_like(flow))
            for flow, at in found]


def compare_flows(flows, records, complete):
    """Returns the differences and how many fields were equal."""
    differences = []
    equal = 0
    if complete and len(flows) != len(records):
        differences.append(Difference("flows", len(flows), len(records)))
    for flow, at in pair_up(flows, records, complete):
        if at is None:
            if not complete:
                differences.append(
                    Difference("a flow", describe(flow), "none"))
            continue
        for name, value in flow.items():
            ours = field_of(records[at], name)
            if ours == value:
                equal += 1
            else:
                differences.append(Difference(name, value, ours))
    return differences, equal


def describe(flow):
    return " ".join(str(flow[k]) for k in KEY if k in flow)


def shown(value):
    return "none" if value is None else str(value)


def compress(differences):
    """The same field with the same two values is one difference, with how
    many flows it is of; more than three of one field are one as well."""
    same = collections.Counter(differences)
    of_field = collections.Counter(d.what for d in same)
    out = []
    for (what, theirs, ours), count in same.items():
        if of_field[what] <= 3:
            out.append((what if count == 1 else f"{what}, {count} flows",
                        shown(theirs), shown(ours)))
    for what, count in of_field.items():
        if count > 3:
            all_of_it = [d for d in differences if d.what == what]
            out.append((f"{what}, {len(all_of_it)} flows",
                        f"first {shown(all_of_it[0].theirs)}",
                        f"first {shown(all_of_it[0].ours)}"))
    return sorted(set(out))


def read_differences(path):
    """The table of DIFFERENCES.md: title to a list of its differences."""
    known = collections.defaultdict(list)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            cells = [c.strip() for c in
                     re.split(r"(?<!\\)\|", line.strip().strip("|"))]
            if line.startswith("|") and len(cells) == 5 and \
                    cells[0] != "case" and set(cells[0]) != {"-"}:
                known[cells[0]].append(tuple(cells[1:4]))
    return {title: sorted(rows) for title, rows in known.items()}
