#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the hostile corpus: NNN-name.bin and NNN-name.expect in this folder.

A case says what it sends, what it shows, and what the rules of the gate make
of it, in counters. Nothing here is recorded from a run. What goes without
saying: every datagram not refused is decoded, every record announced is
delivered or unusable, and a record delivered is one flow. Behind the case
comes a sound datagram of another domain, which must still be decoded.
"""
import glob
import os
import sys

sys.dont_write_bytecode = True
from build import *  # noqa: E402

folder = os.path.dirname(os.path.abspath(__file__))
number = 0
names = set()


def group(first):
    global number
    assert number < first
    number = first - 1


def sound_datagram():
    return ipfix(V10.templates(template(65535, *PLAIN)),
                 data(65535, plain()), domain=4711, seq=0)


def case(name, says, datagrams, flows=None, sound_behind=True, **expected):
    global number
    number += 1
    assert name not in names and len(says) < 76, (name, len(says))
    names.add(name)
    sent = list(datagrams)
    want = dict(expected)

    def add(counter, n):
        want[counter] = want.get(counter, 0) + n

    if flows is None:
        flows = want.get("records_delivered", 0)
    if sound_behind:
        sent.append(sound_datagram())
        flows += 1
        for counter in "templates_learned", "records_delivered":
            add(counter, 1)
    refused = sum(n for c, n in want.items()
                  if c.startswith("datagrams_refused"))
    add("datagrams_decoded", len(sent) - refused)
    add("records_announced", want.get("records_delivered", 0) +
        want.get("records_unusable", 0))
    path = os.path.join(folder, f"{number:03}-{name}")
    with open(path + ".bin", "wb") as out:
        for d in sent:
            out.write(u16(len(d)) + d)
    with open(path + ".expect", "w", encoding="ascii") as out:
        out.write(f"# {says}\nflow_records {flows}\n")
        for counter in sorted(c for c, n in want.items() if n != 0):
            out.write(f"{counter} {want[counter]}\n")
    forget_sequence()


for old in glob.glob(os.path.join(folder, "[0-9]*.bin")) + \
        glob.glob(os.path.join(folder, "[0-9]*.expect")):
    os.remove(old)

# --- 1: no flow export at all -------------------------------------------------
group(1)
NOT = "datagrams_refused_not_export"
TOO_MANY = {"templates_refused": 1, "templates_refused_fields": 1}
SHORT = "datagrams_refused_short"
BAD = "datagrams_refused_malformed"

case("empty", "an empty datagram is nothing", [b""], **{NOT: 1})
case("one-octet", "one octet is too short for a version", [b"\x00"],
     **{NOT: 1})
case("one-octet-of-each", "nor is any other octet a version",
     [bytes([i]) for i in range(256)], **{NOT: 256})
case("two-octets-unknown", "two octets of no version", [b"\xff\xff"],
     **{NOT: 1})
case("version-0", "version 0 is none", [bytes(20)], **{NOT: 1})
case("longest-of-zeros", "65,507 zeros are no export", [bytes(65507)],
     **{NOT: 1})
case("longest-of-ones", "65,507 octets of 255 are no export",
     [b"\xff" * 65507], **{NOT: 1})
for version in 1, 2, 3, 4, 6, 7, 8, 11, 255, 256, 0x0500, 0x0900, 0x0a00:
    case(f"version-{version}", f"version {version} is not read",
         [u16(version) + netflow5(netflow5_record(), seq=0)[2:]], **{NOT: 1})
case("every-other-version", "no version but 5, 9 and 10 is read",
     [u16(v) for v in range(1024) if v not in (5, 9, 10)], **{NOT: 1021})
case("dns-query", "a DNS query is no export",
     [bytes.fromhex("123401000001000000000000") + b"\7example\3org\0" +
      u16(1) + u16(1)], **{NOT: 1})
case("dns-whose-id-is-a-version", "DNS queries with ids 5, 9 and 10",
     [u16(v) + bytes.fromhex("01000001000000000000") + b"\7example\3org\0" +
      u16(1) + u16(1) for v in (5, 9, 10)],
     # v5: 256 records said; v9: shows 9 octets, one set with length 0x6d70;
     # IPFIX: a length of 256 in 29 octets
     **{BAD: 1, SHORT: 1}, sets_malformed=1)
case("sflow-5", "sFlow version 5 has 32 bits of version",
     [u32(5) + u32(1) + v4("192.0.2.1") + u32(0) + u32(7) + u32(1000) +
      u32(0)], **{NOT: 1})
case("sflow-2-and-4", "nor are its older versions exports",
     [u32(2) + bytes(24), u32(4) + bytes(24)], **{NOT: 2})
case("snmp", "an SNMP get request is no export",
     [bytes.fromhex("302602010104067075626c6963a019020101020100020100300e"
                    "300c06082b060102010101000500")], **{NOT: 1})
case("syslog", "a syslog line is no export",
     [b"<34>1 2023-11-14T22:13:20Z host app - - - hello"], **{NOT: 1})
case("http", "an HTTP request is no export", [b"GET / HTTP/1.1\r\n\r\n"],
     **{NOT: 1})
case("quic-initial", "a QUIC packet is no export",
     [bytes.fromhex("c300000001088394c8f03e5157080000449e") + bytes(1182)],
     **{NOT: 1})
case("ntp-and-radius", "NTP and RADIUS are no exports",
     [b"\x23" + bytes(47), bytes.fromhex("01010014") + bytes(16)],
     **{NOT: 2})

# --- 40: NetFlow v5 -----------------------------------------------------------
group(40)
one = netflow5_record()


def whole5():
    return netflow5(one, one, seq=0)


case("v5-header-cut", "a v5 header cut at every octet",
     [whole5()[:n] for n in range(2, 24)], **{SHORT: 22})
case("v5-records-cut", "v5 records cut at every octet",
     [whole5()[:n] for n in range(24, 24 + 96)], **{SHORT: 96})
case("v5-no-records", "a v5 datagram may have no record", [netflow5()])
case("v5-no-records-but-octets", "octets that no record counts are trailing",
     [netflow5(behind=one)], octets_trailing=48)
case("v5-30-records", "30 records are the most",
     [netflow5(*[one] * 30)], records_delivered=30)
case("v5-30-of-29", "30 said, 29 there: none is read",
     [netflow5(*[one] * 29, count=30, seq=0)], **{SHORT: 1})
for count in 31, 32, 255, 256, 1365, 32768, 65535:
    case(f"v5-count-{count}", f"a count of {count} cannot be",
         [netflow5(one, count=count, seq=0)], **{BAD: 1})
case("v5-count-31-all-there", "31 records are refused, even when all come",
     [netflow5(*[one] * 31, seq=0)], **{BAD: 1})
case("v5-longest", "a v5 datagram of 65,507 octets has its 30 records",
     [netflow5(*[one] * 30, behind=bytes(65507 - 24 - 30 * 48))],
     records_delivered=30, octets_trailing=65507 - 24 - 30 * 48)
case("v5-one-octet-behind", "one octet behind the last record",
     [netflow5(one, behind=b"\xff")], records_delivered=1, octets_trailing=1)
case("v5-zero-addresses", "a record without addresses is not usable",
     [netflow5(netflow5_record(src="0.0.0.0", dst="0.0.0.0"), one)],
     records_delivered=1, records_unusable=1)
case("v5-all-zeros", "a record of zeros is not usable",
     [netflow5(bytes(48))], records_unusable=1)
case("v5-all-ones", "a record of 255s is read as it is",
     [netflow5(b"\xff" * 48)], records_delivered=1)
case("v5-every-protocol", "every protocol number is taken",
     [netflow5(*[netflow5_record(proto=p) for p in range(k, min(k + 30, 256))])
      for k in range(0, 256, 30)], records_delivered=256)
case("v5-every-flags", "every combination of flags is taken",
     [netflow5(*[netflow5_record(flags=p) for p in range(k, min(k + 30, 256))])
      for k in range(0, 256, 30)], records_delivered=256)
case("v5-huge-counters", "packets and octets of 2^32-1",
     [netflow5(netflow5_record(packets=2**32 - 1, octets=2**32 - 1))],
     records_delivered=1)
case("v5-no-packets", "a flow of no packets and no octets",
     [netflow5(netflow5_record(packets=0, octets=0))], records_delivered=1)
case("v5-ends-before-it-starts", "a flow that ends before it starts",
     [netflow5(netflow5_record(first=11500, last=11000))],
     records_delivered=1)
case("v5-before-boot", "a flow that starts after the exporter's uptime",
     [netflow5(netflow5_record(first=2**31, last=2**32 - 1), uptime=5)],
     records_delivered=1)
case("v5-uptime-wrapped", "an uptime that wrapped during the flow",
     [netflow5(netflow5_record(first=2**32 - 500, last=200), uptime=1000)],
     records_delivered=1)
case("v5-time-0", "an export time of 0", [netflow5(one, time=0)],
     records_delivered=1)
case("v5-time-largest", "an export time of 2^32-1, with 2^32-1 nanoseconds",
     [netflow5(one, time=2**32 - 1, nanoseconds=2**32 - 1)],
     records_delivered=1)
case("v5-sampling-largest", "a sampling interval of 16383, in each mode",
     [netflow5(one, sampling=m << 14 | 0x3fff) for m in range(4)],
     records_delivered=4)
case("v5-sampling-0", "a sampling mode with an interval of 0",
     [netflow5(one, sampling=m << 14) for m in range(4)],
     records_delivered=4)
case("v5-broadcast-and-multicast", "addresses no host has",
     [netflow5(*[netflow5_record(src=s, dst=d) for s, d in
                 (("255.255.255.255", "10.0.0.5"), ("10.0.0.5", "224.0.0.1"),
                  ("127.0.0.1", "127.0.0.1"), ("10.0.0.5", "10.0.0.5"),
                  ("0.0.0.0", "10.0.0.5"))])], records_delivered=5)

# --- 80: the walk from set to set, in both protocols --------------------------
group(80)
for p in V9, V10:
    learn = p.templates(template(256, *PLAIN))

    def whole():
        return p.datagram(learn, data(256, plain(), plain()), seq=0)

    def relength(octets):
        """The datagram, with an IPFIX length that fits."""
        if not p.is_ipfix():
            return octets
        return octets[:2] + u16(len(octets)) + octets[4:]

    def cuts(first, last):
        """Each time from a domain of its own, so that nothing is known."""
        return [relength(p.datagram(learn, data(256, plain(), plain()),
                                    domain=100 + n % 8, seq=0)[:n])
                for n in range(first, last)]
    start = p.header
    learnt = start + len(learn)  # the template set ends here
    case(f"{p.name}-header-cut", "a header cut at every octet",
         [whole()[:n] for n in range(2, start)], **{SHORT: start - 2})
    case(f"{p.name}-header-alone", "a header alone is a datagram without sets",
         [relength(whole()[:start])])
    case(f"{p.name}-cut-before-a-set", "1 to 3 octets are too few for a set",
         [relength(whole()[:start + n]) for n in (1, 2, 3)]
         if p.is_ipfix() else
         [netflow9(bytes(n)) for n in (1, 2, 3)])
    case(f"{p.name}-template-cut", "a template set cut at every octet",
         [relength(p.datagram(learn, seq=i)[:n]) if not p.is_ipfix() else
          relength(p.datagram(learn, seq=0)[:n])
          for i, n in enumerate(range(start + 4, learnt))],
         sets_malformed=learnt - start - 4)
    case(f"{p.name}-data-cut", "a data set cut at every octet",
         [relength(p.datagram(learn, data(256, plain(), plain()),
                              domain=n, seq=0)[:n])
          for n in range(learnt + 4, learnt + 12)],
         sets_malformed=8, templates_learned=8)
    case(f"{p.name}-data-cut-late", "a data set that lacks its last octets",
         [relength(p.datagram(learn, data(256, plain(), plain()),
                              domain=n, seq=0)[:n])
          for n in range(learnt + 22, learnt + 30)],
         sets_malformed=8, templates_learned=8)
    for length in 0, 1, 2, 3:
        case(f"{p.name}-set-length-{length}",
             f"a set of length {length} ends the walk",
             [p.datagram(learn, any_set(256, plain(), length=length),
                         data(256, plain()))],
             templates_learned=1, sets_malformed=1)
    case(f"{p.name}-set-length-4", "a data set of no octets has no record",
         [p.datagram(learn, data(256), data(256, plain()), n=1)],
         templates_learned=1, sets_malformed=1, records_delivered=1)
    case(f"{p.name}-set-too-long-by-1", "a set one octet beyond the datagram",
         [p.datagram(learn, any_set(256, plain(), length=18))],
         templates_learned=1, sets_malformed=1)
    case(f"{p.name}-set-of-65535", "a set of 65,535 octets in 49",
         [p.datagram(learn, any_set(256, plain(), length=65535))],
         templates_learned=1, sets_malformed=1)
    case(f"{p.name}-template-set-too-long",
         "a template set beyond the datagram teaches nothing",
         [p.datagram(any_set(p.template_set, template(256, *PLAIN),
                             length=29))], sets_malformed=1)
    case(f"{p.name}-template-set-too-short",
         "a template set that ends inside its template",
         [p.datagram(any_set(p.template_set, template(256, *PLAIN),
                             length=12), seq=0)],
         # the rest, "12 4 ...", is read as a set: id 12, length 4, and so on
         templates_refused=1, sets_reserved=1, sets_malformed=1)
    case(f"{p.name}-empty-template-set", "a template set without a template",
         [p.datagram(any_set(p.template_set), any_set(p.options_set))])
    case(f"{p.name}-padded-template-set", "padding behind a template",
         [p.datagram(any_set(p.template_set, template(256, *PLAIN), bytes(n)),
                     data(256, plain()), domain=n, n=1) for n in range(1, 9)],
         templates_learned=8, records_delivered=8)
    case(f"{p.name}-padded-data-set", "padding behind records, up to 12 octets",
         [p.datagram(p.templates(template(256, *PLAIN)),
                     data(256, plain(), bytes(n)), domain=n, n=1)
          for n in range(0, PLAIN_OCTETS)],
         templates_learned=13, records_delivered=13)
    case(f"{p.name}-zeros-behind", "zeros behind the last set end the walk",
         [p.datagram(learn, data(256, plain()), bytes(n), domain=n, n=1)
          for n in (4, 8, 1000)],
         templates_learned=3, records_delivered=3)
    reserved = [i for i in range(256)
                if i not in (p.template_set, p.options_set)]
    case(f"{p.name}-reserved-set-ids", "sets with reserved ids are skipped",
         [p.datagram(*[any_set(i, b"\xff\xff") for i in reserved], learn,
                     data(256, plain()), n=1)],
         sets_reserved=254, templates_learned=1, records_delivered=1)
    case(f"{p.name}-16000-empty-sets", "16,000 sets of no octets",
         [p.datagram(*[any_set(4)] * 16000)], sets_reserved=16000)
    case(f"{p.name}-16000-unknown-sets", "16,000 data sets nobody announced",
         [p.datagram(*[any_set(300)] * 16000)], sets_unknown_template=16000)
    case(f"{p.name}-16000-short-sets", "16,000 sets too short for a record",
         [p.datagram(learn, *[any_set(256)] * 16000)],
         templates_learned=1, sets_malformed=16000)
    case(f"{p.name}-short-set-after-a-good-one",
         "no record is read from what the one before left",
         [p.datagram(learn, data(256, plain()), n=1),
          *[p.datagram(data(256, plain()[:n])) for n in range(1, 13)]],
         templates_learned=1, records_delivered=1, sets_malformed=12)
    case(f"{p.name}-longest", "a datagram of 65,507 octets, full of records",
         [p.datagram(p.templates(template(256, *SHORTEST)),
                     data(256, repeat(shortest(),
                                      (65507 - start - 20 - 4) // 9)),
                     n=(65507 - start - 20 - 4) // 9)],
         templates_learned=1,
         records_delivered=(65507 - start - 20 - 4) // 9)
    case(f"{p.name}-set-header-in-each-octet", "sets of 4 to 12 octets, mixed",
         [p.datagram(learn, *[any_set(256 + n % 2, bytes(n % 9))
                              for n in range(1, 200)])],
         # 100 of 256 too short; 99 of 257, of which the octets are counted
         templates_learned=1, sets_malformed=99,
         sets_unknown_template=100,
         set_octets_unknown_template=sum(n % 9 for n in range(1, 200, 2)))
case("ipfix-length-0", "an IPFIX length of 0 contradicts itself",
     [ipfix(length=0)], **{BAD: 1})
case("ipfix-length-below-16", "nor can it be less than its header",
     [ipfix(length=n) for n in range(1, 16)], **{BAD: 15})
case("ipfix-length-one-more", "an IPFIX length one octet too long",
     [ipfix(V10.templates(template(256, *PLAIN)), length=45, seq=0)],
     **{SHORT: 1})
case("ipfix-length-65535", "an IPFIX length of 65,535 in 16 octets",
     [ipfix(length=65535)], **{SHORT: 1})
case("ipfix-length-16", "an IPFIX length of 16 hides the sets behind it",
     [ipfix(V10.templates(template(256, *PLAIN)), length=16)],
     octets_trailing=28)
case("ipfix-length-cuts-a-set", "an IPFIX length that ends inside a set",
     [ipfix(V10.templates(template(256, *PLAIN)), length=30)],
     sets_malformed=1, octets_trailing=14)
case("ipfix-octets-behind", "octets behind the IPFIX length are trailing",
     [ipfix(V10.templates(template(256, *PLAIN)), data(256, plain()), n=1,
            behind=b"\xff" * 1000)],
     templates_learned=1, records_delivered=1, octets_trailing=1000)
case("ipfix-two-messages", "a second message in the datagram is trailing",
     [ipfix(V10.templates(template(256, *PLAIN)), data(256, plain()), n=1,
            behind=ipfix(data(256, plain()), seq=1))],
     templates_learned=1, records_delivered=1, octets_trailing=16 + 17)
case("netflow9-count-lies", "the v9 count is not believed",
     [netflow9(V9.templates(template(256, *PLAIN)), data(256, plain()),
               count=c) for c in (0, 1, 2, 3, 255, 65535)],
     templates_learned=1, records_delivered=6)
case("netflow9-count-without-sets", "a v9 count of 65,535 and no set",
     [netflow9(count=65535)])

# --- 160: templates, in both protocols ----------------------------------------
group(160)
for p in V9, V10:
    good = data(256, plain())
    case(f"{p.name}-data-first", "data before its template is counted, not kept",
         [p.datagram(good, n=1),
          p.datagram(p.templates(template(256, *PLAIN)), good, n=1)],
         sets_unknown_template=1, set_octets_unknown_template=13,
         templates_learned=1, records_delivered=1)
    case(f"{p.name}-data-first-in-one", "nor is data before it in one datagram",
         [p.datagram(good, p.templates(template(256, *PLAIN)), good, n=2)],
         sets_unknown_template=1, set_octets_unknown_template=13,
         templates_learned=1, records_delivered=1)
    case(f"{p.name}-other-domain", "a template is its domain's alone",
         [p.datagram(p.templates(template(256, *PLAIN)), domain=1),
          p.datagram(good, domain=2, n=1), p.datagram(good, domain=1, n=1)],
         sets_unknown_template=1, set_octets_unknown_template=13,
         templates_learned=1, records_delivered=1)
    case(f"{p.name}-ids-below-256", "template ids 1 to 255 are refused",
         [p.datagram(*[p.templates(template(i, *PLAIN))
                       for i in range(1, 256)])], templates_refused=255)
    case(f"{p.name}-id-0", "template id 0 is refused, and gets no other",
         [p.datagram(p.templates(template(0, *PLAIN)),
                     *[any_set(256 + i, plain()) for i in range(4)], n=4)],
         templates_refused=1, sets_unknown_template=4,
         set_octets_unknown_template=4 * 13)
    case(f"{p.name}-id-65535", "template id 65,535 is as good as any",
         [p.datagram(p.templates(template(65535, *PLAIN)),
                     data(65535, plain()), n=1)],
         templates_learned=1, records_delivered=1)
    case(f"{p.name}-256-templates-in-a-set", "256 templates in one set",
         [p.datagram(p.templates(*[template(256 + i, *PLAIN)
                                   for i in range(256)]),
                     data(511, plain()), n=1)],
         templates_learned=256, records_delivered=1)
    case(f"{p.name}-257-templates", "the 257th template of an exporter is refused",
         [p.datagram(p.templates(*[template(256 + i, *PLAIN)
                                   for i in range(257)]),
                     data(511, plain()), data(512, plain()), n=2)],
         templates_learned=256, templates_refused_limit=1,
         sets_unknown_template=1, set_octets_unknown_template=13,
         records_delivered=1)
    case(f"{p.name}-many-templates", "5,000 templates in a datagram",
         [p.datagram(p.templates(*[template(256 + i, *SHORTEST)
                                   for i in range(4000)]),
                     data(256, shortest()), n=1)],
         templates_learned=256, templates_refused_limit=4000 - 256,
         records_delivered=1)
    case(f"{p.name}-full-keeps-the-old", "a full table goes on refreshing",
         [p.datagram(p.templates(*[template(256 + i, *PLAIN)
                                   for i in range(300)])),
          p.datagram(p.templates(*[template(256 + i, *PLAIN)
                                   for i in range(300)]), good, n=1)],
         templates_learned=256, templates_refused_limit=88,
         records_delivered=1)
    for count in 1, 5, 6, 100, 65535:
        if count == 5:
            continue
        case(f"{p.name}-field-count-{count}",
             f"5 fields, and a count of {count}",
             [p.datagram(p.templates(template(256, *PLAIN, count=count)),
                         good, n=1)],
             # one: a usable template it is not, and what follows is read as
             # templates: 12 of 4 fields fits, the last 0 of octets does not
             **({"templates_learned": 1, "templates_refused": 1,
                 "records_unusable": 3} if count == 1 else
                {"templates_refused": 1, "sets_unknown_template": 1,
                 "set_octets_unknown_template": 13}))
    case(f"{p.name}-zero-length-fields", "a record of no octets is refused",
         [p.datagram(p.templates(template(256, (8, 0), (12, 0), (4, 0))),
                     data(256, bytes(400)))],
         templates_refused=1, sets_unknown_template=1,
         set_octets_unknown_template=400)
    case(f"{p.name}-one-zero-length-field", "nor is one field of no length good",
         [p.datagram(p.templates(template(256, (1, 0))), data(256, bytes(4)))],
         templates_refused=1, sets_unknown_template=1,
         set_octets_unknown_template=4)
    case(f"{p.name}-zero-length-among-others",
         "a field of no length among others means nothing",
         [p.datagram(p.templates(template(256, (1, 0), *PLAIN, (2, 0))),
                     good, n=1)],
         templates_learned=1, records_delivered=1)
    case(f"{p.name}-128-zero-length-fields",
         "127 fields of no length, and one of one octet",
         [p.datagram(p.templates(template(256, *[(1, 0)] * 127, (4, 1))),
                     data(256, b"\6" * 100), n=100)],
         templates_learned=1, records_unusable=100)
    case(f"{p.name}-128-fields", "128 fields are the most",
         [p.datagram(p.templates(template(256, *PLAIN, *[(210, 1)] * 123)),
                     data(256, plain() + bytes(123)), n=1)],
         templates_learned=1, records_delivered=1)
    case(f"{p.name}-129-fields", "129 fields are too many",
         [p.datagram(p.templates(template(256, *PLAIN, *[(210, 1)] * 124)),
                     data(256, plain() + bytes(124)), n=1)],
         **TOO_MANY, sets_unknown_template=1,
         set_octets_unknown_template=137)
    case(f"{p.name}-16360-equal-fields", "16,360 times the same element",
         [p.datagram(p.templates(template(256, *[(8, 4)] * 16360)))],
         **TOO_MANY)
    case(f"{p.name}-128-equal-fields", "128 times the same element: the first",
         [p.datagram(p.templates(template(256, *PLAIN, *[(7, 2)] * 123)),
                     data(256, plain() + b"\xff" * 246), n=1)],
         templates_learned=1, records_delivered=1)
    case(f"{p.name}-record-of-4096", "a record of 4,096 octets is the longest",
         [p.datagram(p.templates(template(256, *PLAIN, (210, 4083))),
                     data(256, plain() + bytes(4083)), n=1)],
         templates_learned=1, records_delivered=1)
    case(f"{p.name}-record-of-4097", "a record of 4,097 octets is refused",
         [p.datagram(p.templates(template(256, *PLAIN, (210, 4084))),
                     data(256, plain() + bytes(4084)), n=1)],
         templates_refused=1, sets_unknown_template=1,
         set_octets_unknown_template=4097)
    case(f"{p.name}-lengths-that-wrap", "lengths whose sum wraps 16 bits",
         [p.datagram(p.templates(template(256, (8, 65534), (12, 2), (4, 1))),
                     data(256, bytes(9)), n=1)],
         templates_refused=1, sets_unknown_template=1,
         set_octets_unknown_template=9)
    case(f"{p.name}-lengths-of-65534", "128 lengths of 65,534",
         [p.datagram(p.templates(template(256, *[(1, 65534)] * 128)))],
         templates_refused=1)
    case(f"{p.name}-odd-lengths", "known elements in lengths they cannot have",
         # the address is not readable: no record is usable
         [p.datagram(p.templates(template(256, (8, 3), (12, 4), (4, 1))),
                     data(256, bytes(8)), n=1),
          p.datagram(p.templates(template(257, (8, 50), (12, 4), (4, 1))),
                     data(257, bytes(55)), n=1),
          p.datagram(p.templates(template(258, (27, 4), (28, 16), (4, 1))),
                     data(258, bytes(21)), n=1)],
         templates_learned=3, records_unusable=3)
    case(f"{p.name}-long-ports", "ports of 3 octets are not read, the rest is",
         [p.datagram(p.templates(template(256, *SHORTEST, (7, 3), (11, 3))),
                     data(256, shortest() + bytes(6)), n=1)],
         templates_learned=1, records_delivered=1)
    case(f"{p.name}-reduced-sizes", "counters of 1 to 8 octets",
         [p.datagram(p.templates(*[template(256 + n, *SHORTEST, (1, n), (2, n))
                                   for n in range(1, 9)]),
                     *[data(256 + n, shortest() + b"\xff" * 2 * n)
                       for n in range(1, 9)], n=8)],
         templates_learned=8, records_delivered=8)
    case(f"{p.name}-counters-of-9", "counters of 9 octets are not read",
         [p.datagram(p.templates(template(256, *SHORTEST, (1, 9), (2, 255))),
                     data(256, shortest() + b"\xff" * 264), n=1)],
         templates_learned=1, records_delivered=1)
    case(f"{p.name}-no-addresses", "a template without addresses is not usable",
         [p.datagram(p.templates(template(256, (7, 2), (11, 2), (4, 1))),
                     data(256, bytes(50)), n=10)],
         templates_learned=1, records_unusable=10)
    case(f"{p.name}-one-address", "nor is one with one address",
         [p.datagram(p.templates(template(256, (8, 4), (4, 1))),
                     data(256, bytes(50)), n=10)],
         templates_learned=1, records_unusable=10)
    case(f"{p.name}-addresses-of-two-families", "nor an IPv4 and an IPv6 one",
         [p.datagram(p.templates(template(256, (8, 4), (28, 16), (4, 1))),
                     data(256, bytes(42)), n=2)],
         templates_learned=1, records_unusable=2)
    case(f"{p.name}-no-protocol", "nor one without a protocol",
         [p.datagram(p.templates(template(256, (8, 4), (12, 4))),
                     data(256, bytes(80)), n=10)],
         templates_learned=1, records_unusable=10)
    case(f"{p.name}-both-families", "both families, neither filled",
         [p.datagram(p.templates(template(256, *SHORTEST, (27, 16),
                                          (28, 16))),
                     data(256, bytes(41)), n=1)],
         templates_learned=1, records_unusable=1)
    case(f"{p.name}-both-families-filled", "both families, both filled",
         [p.datagram(p.templates(template(256, *SHORTEST, (27, 16),
                                          (28, 16))),
                     data(256, shortest() + v6("2001:db8::1") +
                          v6("2001:db8::2")), n=1)],
         templates_learned=1, records_delivered=1)
    case(f"{p.name}-one-octet-records", "65,000 records of one octet",
         [p.datagram(p.templates(template(256, (4, 1))),
                     data(256, b"\6" * 65000), n=65000)],
         templates_learned=1, records_unusable=65000)
    case(f"{p.name}-redefined-in-flight",
         "ports and addresses swap places: the new definition counts",
         [p.datagram(p.templates(template(256, *PLAIN)), good, n=1),
          p.datagram(p.templates(template(256, (12, 4), (8, 4), (11, 2),
                                          (7, 2), (4, 1))), good, n=1)],
         templates_learned=1, templates_changed=1, records_delivered=2)
    case(f"{p.name}-redefined-shorter", "a template redefined with fewer fields",
         [p.datagram(p.templates(template(256, *PLAIN)), good, n=1),
          p.datagram(p.templates(template(256, *SHORTEST)),
                     data(256, shortest(), shortest()), n=2)],
         templates_learned=1, templates_changed=1, records_delivered=3)
    case(f"{p.name}-redefined-in-one-set",
         "one id twice in a set: the last definition counts",
         [p.datagram(p.templates(template(256, *PLAIN),
                                 template(256, *SHORTEST)),
                     data(256, shortest()), n=1)],
         templates_learned=1, templates_changed=1, records_delivered=1)
    case(f"{p.name}-redefined-each-time", "a template that changes 100 times",
         [p.datagram(p.templates(template(256, *PLAIN, (210, n))),
                     data(256, plain() + bytes(n)), n=1)
          for n in range(1, 101)],
         templates_learned=1, templates_changed=99, records_delivered=100)
    case(f"{p.name}-redefined-badly", "a bad new definition takes the old away",
         [p.datagram(p.templates(template(256, *PLAIN)), good, n=1),
          p.datagram(p.templates(template(256, (8, 0), (12, 0))), good, n=1)],
         templates_learned=1, templates_refused=1, records_delivered=1,
         sets_unknown_template=1, set_octets_unknown_template=13)
    case(f"{p.name}-refreshed", "a template refreshed 100 times is learnt once",
         [p.datagram(p.templates(template(256, *PLAIN)), good, n=1)
          for n in range(100)],
         templates_learned=1, records_delivered=100)
    case(f"{p.name}-grown-old", "after 1,800 s unrefreshed it is not believed",
         [p.datagram(p.templates(template(256, *PLAIN)), good, n=1),
          *[b""] * 1801, p.datagram(good, n=1)],
         **{NOT: 1801}, templates_learned=1, templates_expired=1,
         records_delivered=1, sets_unknown_template=1,
         set_octets_unknown_template=13)
    case(f"{p.name}-not-yet-old", "after 1,790 s it still is",
         [p.datagram(p.templates(template(256, *PLAIN)), good, n=1),
          *[b""] * 1788, p.datagram(good, n=1)],
         **{NOT: 1788}, templates_learned=1, records_delivered=2)
    case(f"{p.name}-three-bad-of-four", "a bad template hides only what follows",
         [p.datagram(p.templates(template(255, *PLAIN),
                                 template(256, *PLAIN),
                                 template(257, (8, 0)),
                                 template(258, *PLAIN, count=100)),
                     good, n=1)],
         templates_learned=1, templates_refused=3, records_delivered=1)
    case(f"{p.name}-unknown-elements", "elements nobody knows are skipped",
         [p.datagram(p.templates(template(256, *[(n, 1) for n in
                                                 range(20000, 20100)],
                                          *PLAIN)),
                     data(256, bytes(100) + plain()), n=1)],
         templates_learned=1, records_delivered=1)
case("netflow9-zero-fields", "a v9 template of no fields is refused",
     [netflow9(V9.templates(template(256)), data(256, bytes(8)))],
     templates_refused=1, sets_unknown_template=1,
     set_octets_unknown_template=8)
case("netflow9-zero-fields-36-octets", "the 36 octets that divided by zero",
     [netflow9(V9.templates(template(256)), data(256, bytes(4)))],
     templates_refused=1, sets_unknown_template=1,
     set_octets_unknown_template=4)
case("netflow9-enterprise-bit", "v9 has no enterprise numbers, but 16 bits",
     [netflow9(V9.templates(template(256, (0x8008, 4), *PLAIN)),
               data(256, bytes(4) + plain()))],
     templates_learned=1, records_delivered=1)
case("netflow9-variable-length", "v9 has none, but H3C sends them: read",
     [netflow9(V9.templates(template(256, *PLAIN, (82, VARIABLE))),
               data(256, plain() + short_length(b"eth0")))],
     templates_learned=1, records_delivered=1)
case("netflow9-ipfix-template-set", "an IPFIX template set in v9 is reserved",
     [netflow9(any_set(2, template(256, *PLAIN)),
               any_set(3, template(256, *PLAIN)), data(256, plain()))],
     sets_reserved=2, sets_unknown_template=1,
     set_octets_unknown_template=13)

# --- 260: IPFIX alone: enterprise numbers, withdrawals, variable length -------
group(260)
case("ipfix-v9-template-set", "v9 template sets in IPFIX are reserved",
     [ipfix(any_set(0, template(256, *PLAIN)),
            any_set(1, template(256, *PLAIN)), data(256, plain()), n=1)],
     sets_reserved=2, sets_unknown_template=1,
     set_octets_unknown_template=13)
case("ipfix-withdraw-unknown", "a withdrawal of what is not known",
     [ipfix(V10.templates(withdrawal(256)), data(256, bytes(8)), n=1)],
     template_withdrawals_ignored=1, sets_unknown_template=1,
     set_octets_unknown_template=8)
case("ipfix-withdraw-known", "over UDP a withdrawal takes nothing away",
     [ipfix(V10.templates(template(256, *PLAIN)), data(256, plain()), n=1),
      ipfix(V10.templates(withdrawal(256)), data(256, plain()), n=1)],
     templates_learned=1, template_withdrawals_ignored=1,
     records_delivered=2)
case("ipfix-withdraw-all", "nor does the withdrawal of all templates",
     [ipfix(V10.templates(template(256, *PLAIN)), data(256, plain()), n=1),
      ipfix(any_set(2, withdrawal(2)), any_set(3, withdrawal(3)),
            data(256, plain()), n=1)],
     templates_learned=1, template_withdrawals_ignored=2,
     records_delivered=2)
case("ipfix-withdraw-options", "nor the withdrawal of an options template",
     [ipfix(V10.options_template(256, [(149, 4)], [(41, 8)]),
            data(256, bytes(12)), n=1),
      ipfix(any_set(3, withdrawal(256)), data(256, bytes(12)), n=1)],
     templates_learned=1, options_templates=1, options_records=2,
     template_withdrawals_ignored=1)
case("ipfix-withdraw-many", "16,000 withdrawals in a datagram",
     [ipfix(any_set(2, *[withdrawal(256 + i) for i in range(16000)]))],
     template_withdrawals_ignored=16000)
case("ipfix-withdraw-then-define", "withdrawn and defined anew in one set",
     [ipfix(V10.templates(template(256, *PLAIN)), data(256, plain()), n=1),
      ipfix(any_set(2, withdrawal(256), template(256, *PLAIN)),
            data(256, plain()), n=1)],
     templates_learned=1, template_withdrawals_ignored=1,
     records_delivered=2)
case("ipfix-withdraw-low-ids", "withdrawals of ids 1 to 255",
     [ipfix(any_set(2, *[withdrawal(i) for i in range(1, 256)]))],
     template_withdrawals_ignored=255)
case("ipfix-colliding-pens", "enterprise numbers equal in their low 16 bits",
     [ipfix(V10.templates(template(256, *[(1, 1, k << 16 | 9)
                                          for k in range(100)], *PLAIN)),
            data(256, bytes(100) + plain()), n=1)],
     templates_learned=1, records_delivered=1)
case("ipfix-8000-pens", "8,000 enterprise elements in a template",
     [ipfix(V10.templates(template(256, *[(1, 1, k << 16 | 9)
                                          for k in range(8000)])))],
     **TOO_MANY)
case("ipfix-pens-in-many-templates", "12,000 enterprise elements in 100",
     [ipfix(V10.templates(*[template(256 + i, *[(k, 1, 1000 + i)
                                                for k in range(60)])
                            for i in range(100)]))],
     templates_learned=100)
case("ipfix-pen-0", "the enterprise bit with number 0",
     [ipfix(V10.templates(template(256, (8, 4, 0), *PLAIN)),
            data(256, bytes(4) + plain()), n=1)],
     templates_learned=1, records_delivered=1)
case("ipfix-pen-largest", "enterprise number 2^32-1, element 32767",
     [ipfix(V10.templates(template(256, (32767, 1, 2**32 - 1), *PLAIN)),
            data(256, bytes(1) + plain()), n=1)],
     templates_learned=1, records_delivered=1)
case("ipfix-pen-cut", "a template that ends inside an enterprise number",
     [ipfix(any_set(2, u16(256), u16(1), u16(0x8001), u16(4), u16(0)))],
     templates_refused=1)
case("ipfix-element-0", "element 0 is none, and is skipped",
     [ipfix(V10.templates(template(256, (0, 4), *PLAIN)),
            data(256, bytes(4) + plain()), n=1)],
     templates_learned=1, records_delivered=1)
case("ipfix-reverse-of-all", "a reverse twin for each element",
     [ipfix(V10.templates(template(256, *PLAIN, *[(k, 1, REVERSE) for k in
                                                  range(1, 120)])),
            data(256, plain() + bytes(119)), n=1)],
     templates_learned=1, records_delivered=1, flows=2)
case("ipfix-biflow-longest", "13,084 flows in a datagram of biflows",
     [ipfix(V10.templates(template(256, *SHORTEST, (6, 1, REVERSE))),
            data(256, repeat(shortest() + b"\x12", 6542)), n=6542)],
     templates_learned=1, records_delivered=6542, flows=13084)
case("ipfix-biflow-zero-addresses", "a biflow without addresses is not two",
     [ipfix(V10.templates(template(256, *SHORTEST, (6, 1, REVERSE))),
            data(256, bytes(10)), n=1)],
     templates_learned=1, records_unusable=1)
case("ipfix-biflow-directions", "every biflowDirection",
     [ipfix(V10.templates(template(256, *SHORTEST, (239, 1),
                                   (6, 1, REVERSE))),
            data(256, *[shortest() + u8(n) + b"\x12" for n in range(256)]),
            n=256)],
     templates_learned=1, records_delivered=256, flows=512)
VARIED = SHORTEST + [(371, VARIABLE)]
case("ipfix-variable", "a variable length in its short and its long form",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + short_length(b"abc"),
                 shortest() + long_length(b"abcd"),
                 shortest() + short_length(b"")), n=3)],
     templates_learned=1, records_delivered=3)
case("ipfix-variable-long-of-0", "the long form of no octets",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + long_length(b"")), n=1)],
     templates_learned=1, records_delivered=1)
case("ipfix-variable-at-the-end", "a variable length in the last octet",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + b"\x00"), n=1)],
     templates_learned=1, records_delivered=1)
case("ipfix-variable-255-at-the-end", "255 in the last octet announces two more",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + b"\xff"), n=1)],
     templates_learned=1, sets_malformed=1)
case("ipfix-variable-255-and-one", "and there is one of them",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + b"\xff\x00"), n=1)],
     templates_learned=1, sets_malformed=1)
case("ipfix-variable-too-long", "a variable length beyond the set",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + b"\x04abc"), n=1)],
     templates_learned=1, sets_malformed=1)
case("ipfix-variable-65535", "a variable length of 65,535 in 3 octets",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + b"\xff\xff\xff"), n=1)],
     templates_learned=1, sets_malformed=1)
case("ipfix-variable-crosses-the-set", "nor may it run into the next set",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + b"\x14"),
            data(256, shortest() + short_length(b"x")), n=2)],
     templates_learned=1, sets_malformed=1, records_delivered=1)
case("ipfix-variable-good-then-bad", "records before the bad one are kept",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + short_length(b"abc"),
                 shortest() + b"\xc8abc"), n=2)],
     templates_learned=1, records_delivered=1, sets_malformed=1)
case("ipfix-variable-padding", "padding shorter than the shortest record",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + short_length(b"abc"), bytes(9)), n=1)],
     templates_learned=1, records_delivered=1)
case("ipfix-variable-too-much-padding", "10 octets of it are a record of zeros",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + short_length(b"abc"), bytes(10)), n=2)],
     templates_learned=1, records_delivered=1, records_unusable=1)
case("ipfix-variable-short-set", "a set below the shortest record",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + short_length(b"abc")),
            data(256, shortest()), n=1)],
     templates_learned=1, records_delivered=1, sets_malformed=1)
case("ipfix-variable-alone", "a template of one variable length",
     [ipfix(V10.templates(template(256, (371, VARIABLE))),
            data(256, bytes(1000)), n=1000)],
     templates_learned=1, records_unusable=1000)
case("ipfix-variable-128", "a template of 128 variable lengths",
     [ipfix(V10.templates(template(256, *[(371, VARIABLE)] * 128)),
            data(256, bytes(128 * 20)), n=20)],
     templates_learned=1, records_unusable=20)
case("ipfix-variable-everywhere", "3 to 125 variable lengths, and addresses",
     [ipfix(V10.templates(template(256, *SHORTEST,
                                   *[(371, VARIABLE)] * 125)),
            data(256, repeat(shortest() + short_length(b"a") * 125, 3)),
            n=3)],
     templates_learned=1, records_delivered=3)
case("ipfix-variable-most-records", "6,500 records with a variable length",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, repeat(shortest() + b"\x00", 6500)), n=6500)],
     templates_learned=1, records_delivered=6500)
case("ipfix-variable-of-60000", "a field of 60,000 octets",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + long_length(bytes(60000))), n=1)],
     templates_learned=1, records_delivered=1)
case("ipfix-variable-address", "addresses of variable length are not read",
     [ipfix(V10.templates(template(256, (8, VARIABLE), (12, VARIABLE),
                                   (4, 1))),
            data(256, short_length(v4("10.0.0.1")) +
                 short_length(v4("10.0.0.2")) + b"\6"), n=1)],
     templates_learned=1, records_unusable=1)
case("ipfix-variable-counters", "nor are ports and counters; the rest is",
     [ipfix(V10.templates(template(256, *SHORTEST, (7, VARIABLE),
                                   (11, VARIABLE), (1, VARIABLE))),
            data(256, shortest() + short_length(u16(5)) +
                 short_length(u16(6)) + short_length(u64(7))), n=1)],
     templates_learned=1, records_delivered=1)
case("ipfix-variable-changes-each-time", "a variable template that changes",
     [ipfix(V10.templates(template(256, *VARIED, (210, n))),
            data(256, shortest() + b"\1x" + bytes(n)), n=1)
      for n in range(1, 101)],
     templates_learned=1, templates_changed=99, records_delivered=100)
case("ipfix-variable-many-templates", "200 templates of variable length",
     [ipfix(V10.templates(*[template(256 + i, *VARIED)
                            for i in range(200)]),
            *[data(256 + i, shortest() + b"\1x") for i in range(200)],
            n=200)],
     templates_learned=200, records_delivered=200)
case("ipfix-variable-to-fixed", "from variable to fixed length and back",
     [ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + b"\1x"), n=1),
      ipfix(V10.templates(template(256, *PLAIN)), data(256, plain()), n=1),
      ipfix(V10.templates(template(256, *VARIED)),
            data(256, shortest() + b"\1x"), n=1)],
     templates_learned=1, templates_changed=2, records_delivered=3)

# --- 320: structured data, RFC 6313 -------------------------------------------
group(320)
LISTED = {"basic": 291, "sub": 292, "multi": 293}
FLAGS = template(257, (6, 2))


def listed(kind):
    return template(256, *SHORTEST, (LISTED[kind], VARIABLE))


def list_case(name, says, kind, lists, **expected):
    wanted = {"templates_learned": 2, "records_delivered": len(lists)}
    wanted.update(expected)
    case(f"ipfix-{kind}-list-{name}", says,
         [ipfix(V10.templates(listed(kind), FLAGS),
                data(256, *[shortest() + one for one in lists]),
                n=len(lists))], **wanted)


basic = u8(3) + field(6, 2)
list_case("empty", "a list field of no octets", "basic", [b"\0"])
list_case("no-elements", "a list without elements", "basic",
          [short_length(basic)])
list_case("one", "a list of one element", "basic",
          [short_length(basic + u16(2))])
list_case("element-length-0", "elements of no length", "basic",
          [short_length(u8(3) + field(6, 0) + bytes(20))])
list_case("uneven", "octets that are no whole number of elements", "basic",
          [short_length(basic + bytes(3))])
list_case("cut", "a list header cut at every octet", "basic",
          [short_length(basic[:n]) for n in range(1, 5)])
list_case("variable", "elements of variable length that do not fit", "basic",
          [short_length(u8(3) + field(371, VARIABLE) + b"\xff\xff\xff")])
list_case("enterprise", "an enterprise element whose number is cut", "basic",
          [short_length(u8(3) + field(0x8001, 4) + b"\0\0")])
list_case("beyond-the-set", "a list longer than its set", "basic",
          [b"\xff" + u16(60000) + basic], records_delivered=0,
          sets_malformed=1)
list_case("semantics", "every list semantic, known or not", "basic",
          [short_length(u8(n) + field(6, 2) + u16(2)) for n in range(256)])
list_case("empty", "a list field of no octets", "sub", [b"\0"])
list_case("cut", "a list header cut at every octet", "sub",
          [short_length((u8(3) + u16(257))[:n]) for n in range(1, 3)])
list_case("one", "a list of one record", "sub",
          [short_length(u8(3) + u16(257) + u16(2))])
list_case("unknown-template", "a list of a template that is not known", "sub",
          [short_length(u8(3) + u16(300) + u16(2))])
list_case("low-id", "a list of template ids 0 to 255", "sub",
          [short_length(u8(3) + u16(n) + u16(2)) for n in range(256)])
list_case("of-itself", "a list of records of its own template", "sub",
          [short_length(u8(3) + u16(256) + shortest() + b"\0")])
list_case("uneven", "octets that are no whole number of records", "sub",
          [short_length(u8(3) + u16(257) + bytes(5))])


def nested(depth):
    inner = b""
    for _ in range(depth):
        inner = long_length(u8(3) + u16(256) + shortest() + inner) \
            if inner else long_length(u8(3) + u16(256))
    return inner


list_case("nested-10", "lists of lists, 10 deep", "sub", [nested(10)])
list_case("nested-1000", "lists of lists, 1,000 deep", "sub", [nested(1000)])
list_case("nested-4000", "lists of lists, 4,000 deep", "sub", [nested(4000)])


def multi(*entries):
    return short_length(u8(3) + b"".join(u16(i) + u16(n) + o
                                         for i, n, o in entries))


list_case("empty", "a list field of no octets", "multi", [b"\0"])
list_case("one", "TCP flags in a list, as YAF sends them", "multi",
          [multi((257, 6, u16(2)))])
list_case("entry-length-below-4", "entry lengths 0 to 3", "multi",
          [multi((257, n, u16(2))) for n in range(4)])
list_case("entry-too-long", "an entry beyond the list", "multi",
          [multi((257, 100, u16(2))), multi((257, 65535, u16(2)))])
list_case("entry-cut", "an entry header cut at every octet", "multi",
          [short_length((u8(3) + u16(257) + u16(4))[:n])
           for n in range(1, 5)])
list_case("unknown-template", "an entry of a template that is not known",
          "multi", [multi((300, 6, u16(2)), (257, 6, u16(2)))])
list_case("of-itself", "an entry of its own template", "multi",
          [multi((256, 14, shortest() + b"\0"))])
list_case("many-empty-entries", "10,000 entries of no octets", "multi",
          [long_length(u8(3) + (u16(257) + u16(4)) * 10000)])
list_case("record-cut", "an entry shorter than its template's record",
          "multi", [multi((257, 5, b"\2"))])
case("ipfix-list-template-later", "the list's template comes after its data",
     [ipfix(V10.templates(listed("multi")),
            data(256, shortest() + multi((257, 6, u16(2)))), n=1),
      ipfix(V10.templates(FLAGS),
            data(256, shortest() + multi((257, 6, u16(2)))), n=1)],
     templates_learned=2, records_delivered=2)
case("ipfix-list-template-changes", "the list's template changes in between",
     [ipfix(V10.templates(listed("multi"), FLAGS),
            data(256, shortest() + multi((257, 6, u16(2)))), n=1),
      ipfix(V10.templates(template(257, (371, VARIABLE))),
            data(256, shortest() + multi((257, 6, u16(2)))), n=1)],
     templates_learned=2, templates_changed=1, records_delivered=2)
case("ipfix-list-fixed-length", "a list element of fixed length is skipped",
     [ipfix(V10.templates(template(256, *SHORTEST, (293, 10))),
            data(256, shortest() + b"\xff" * 10), n=1)],
     templates_learned=1, records_delivered=1)

# --- 360: options -------------------------------------------------------------
group(360)
SAMPLING = [(34, 4), (35, 1)]
for p in V9, V10:
    scope = [(149, 4)] if p.is_ipfix() else [(1, 4)]
    rate = u32(1) + u32(100) + u8(2)
    sampler = p.options_template(257, scope, SAMPLING)
    case(f"{p.name}-options", "options are counted apart from flows",
         [p.datagram(sampler, data(257, rate), n=1)],
         templates_learned=1, options_templates=1, options_records=1)
    case(f"{p.name}-options-interval", "intervals of 0 and of 2^32-1",
         [p.datagram(sampler, data(257, u32(1) + u32(0) + u8(2)), n=1),
          p.datagram(data(257, u32(1) + u32(2**32 - 1) + u8(255)), n=1),
          p.datagram(p.templates(template(256, *PLAIN)), data(256, plain()),
                     n=1)],
         templates_learned=2, options_templates=1, options_records=2,
         records_delivered=1)
    case(f"{p.name}-options-ids-below-256", "options template ids 1 to 255",
         [p.datagram(*[p.options_template(i, scope, SAMPLING)
                       for i in range(1, 256)])],
         options_templates=255, templates_refused=255)
    case(f"{p.name}-options-cut", "an options template cut at every field",
         [p.datagram(any_set(p.options_set, sampler[4:n]))
          for n in (10, 12, 14, 16, 18, 20)],
         templates_refused=6)
    case(f"{p.name}-options-short-set", "an options set below one record",
         [p.datagram(sampler, data(257, rate[:8]))],
         templates_learned=1, options_templates=1, sets_malformed=1)
    case(f"{p.name}-options-zero-length", "options of no length are refused",
         [p.datagram(p.options_template(257, [(scope[0][0], 0)], [(34, 0)]),
                     data(257, bytes(8)))],
         options_templates=1, templates_refused=1, sets_unknown_template=1,
         set_octets_unknown_template=8)
    case(f"{p.name}-options-many-records", "7,000 options records",
         [p.datagram(sampler, data(257, rate * 7000), n=7000)],
         templates_learned=1, options_templates=1, options_records=7000)
    case(f"{p.name}-options-with-addresses", "options that look like a flow",
         [p.datagram(p.options_template(257, scope, SHORTEST),
                     data(257, u32(1) + shortest()), n=1)],
         templates_learned=1, options_templates=1, options_records=1)
    case(f"{p.name}-options-many-fields", "16,000 fields in an options template",
         [p.datagram(p.options_template(257, scope, [(34, 4)] * 16000))],
         options_templates=1, **TOO_MANY)
    case(f"{p.name}-options-redefined-as-data", "an id goes from options to data",
         [p.datagram(p.options_template(256, scope, [(34, 4), (210, 5)]),
                     data(256, bytes(13)), n=1),
          p.datagram(p.templates(template(256, *PLAIN)), data(256, plain()),
                     n=1)],
         templates_learned=1, options_templates=1, options_records=1,
         templates_changed=1, records_delivered=1)
    case(f"{p.name}-options-many", "300 options templates: 256 at most",
         [p.datagram(*[p.options_template(256 + i, scope, SAMPLING)
                       for i in range(300)])],
         options_templates=300, templates_learned=256,
         templates_refused_limit=44)
    case(f"{p.name}-options-samplers", "3,000 samplers",
         [p.datagram(p.options_template(257, scope, [(48, 2), (50, 4)]),
                     *[data(257, *[u32(1) + u16(k * 1000 + i) + u32(i + 1)
                                   for i in range(1000)]) for k in range(3)],
                     n=3000)],
         templates_learned=1, options_templates=1, options_records=3000)
    case(f"{p.name}-options-interfaces", "3,000 interface names of zeros",
         [p.datagram(p.options_template(257, scope, [(10, 4), (82, 8)]),
                     data(257, *[u32(1) + u32(i) + bytes(8)
                                 for i in range(3000)]), n=3000)],
         templates_learned=1, options_templates=1, options_records=3000)
    case(f"{p.name}-options-boot", "a time of boot of 0, and of 2^64-1",
         [p.datagram(p.options_template(257, scope, [(160, 8)]),
                     data(257, u32(1) + u64(0)), n=1),
          p.datagram(data(257, u32(1) + u64(2**64 - 1)), n=1),
          p.datagram(p.templates(template(256, *PLAIN, (22, 4), (21, 4))),
                     data(256, plain() + u32(1) + u32(2)), n=1)],
         templates_learned=2, options_templates=1, options_records=2,
         records_delivered=1)
    case(f"{p.name}-options-timeouts", "timeouts of 0 and of 65,535",
         [p.datagram(p.options_template(257, scope, [(36, 2), (37, 2)]),
                     data(257, u32(1) + u16(0) + u16(65535)), n=1)],
         templates_learned=1, options_templates=1, options_records=1)
case("ipfix-options-scope-over-fields", "more scope fields than fields",
     [ipfix(any_set(3, u16(257), u16(1), u16(c), field(34, 4)),
            data(257, u32(1))) for c in (2, 65535)],
     options_templates=2, templates_refused=2, sets_unknown_template=2,
     set_octets_unknown_template=8)
case("ipfix-options-no-scope", "no scope: against RFC 7011, 3.4.2.2, and read",
     [ipfix(any_set(3, u16(257), u16(1), u16(0), field(34, 4)),
            data(257, u32(1)), n=1)],
     # every length is right, so it does no harm
     options_templates=1, templates_learned=1, options_records=1)
case("ipfix-options-variable", "an interface name of variable length",
     [ipfix(V10.options_template(257, [(10, 4)], [(82, VARIABLE)]),
            data(257, u32(1) + short_length(b"eth0"),
                 u32(2) + long_length(b"eth1")), n=2)],
     templates_learned=1, options_templates=1, options_records=2)
case("ipfix-options-variable-too-long", "and one longer than the set",
     [ipfix(V10.options_template(257, [(10, 4)], [(82, VARIABLE)]),
            data(257, u32(1) + b"\xc8eth0"))],
     templates_learned=1, options_templates=1, sets_malformed=1)
case("netflow9-options-lengths-odd", "v9 scope and option lengths of 1 octet",
     [netflow9(any_set(1, u16(257), u16(1), u16(1), field(1, 4)))],
     # 2 octets are no field; the one behind is then read as a template that
     # does not fit
     options_templates=1, templates_refused=2)
case("netflow9-options-lengths-huge", "v9 scope and option lengths of 65,535",
     [netflow9(any_set(1, u16(257), u16(65535), u16(65535), field(1, 4),
                       field(34, 4)))],
     templates_refused=1)
case("netflow9-options-no-fields", "a v9 options template of no fields",
     [netflow9(any_set(1, u16(257), u16(0), u16(0)), data(257, bytes(4)))],
     options_templates=1, templates_refused=1, sets_unknown_template=1,
     set_octets_unknown_template=4)

# --- 420: times and counters ---------------------------------------------------
group(420)
TIMES = [
    ("uptime", (22, 4), (21, 4), u32, 2**32 - 1, 11000),
    ("seconds", (150, 4), (151, 4), u32, 2**32 - 1, EXPORT_S),
    ("milliseconds", (152, 8), (153, 8), u64, 2**64 - 1, EXPORT_S * 1000),
    ("microseconds", (154, 8), (155, 8), u64, 2**64 - 1,
     (EXPORT_S + 2208988800) << 32),
    ("nanoseconds", (156, 8), (157, 8), u64, 2**64 - 1,
     (EXPORT_S + 2208988800) << 32),
    ("delta", (158, 4), (159, 4), u32, 2**32 - 1, 1000),
]
for unit, first, last, encode, largest, usual in TIMES:
    sent = [encode(a) + encode(b) for a, b in
            ((0, 0), (0, usual), (usual, 0), (usual, usual),
             (largest, largest), (0, largest), (largest, 0), (1, 2),
             (usual + 1000, usual), (largest // 2, largest // 2 + 1))]
    for p in V9, V10:
        case(f"{p.name}-times-{unit}",
             "zero, usual, largest, turned and half-way times",
             [p.datagram(p.templates(template(256, *PLAIN, first, last)),
                         data(256, *[plain() + t for t in sent]),
                         n=len(sent))],
             templates_learned=1, records_delivered=len(sent))
case("ipfix-times-all-at-once", "all kinds of times, each the largest",
     [ipfix(V10.templates(template(256, *PLAIN, *[f for t in TIMES
                                                  for f in t[1:3]])),
            data(256, plain() + b"\xff" * (4 * 6 + 8 * 6)), n=1)],
     templates_learned=1, records_delivered=1)
case("netflow9-header-times", "header times of 0 and of 2^32-1",
     [netflow9(V9.templates(template(256, *PLAIN, (22, 4), (21, 4))),
               data(256, plain() + u32(2**31) + u32(5)), time=t, uptime=u)
      for t in (0, 1, 2**31, 2**32 - 1) for u in (0, 1, 2**32 - 1)],
     templates_learned=1, records_delivered=12)
case("ipfix-header-times", "the same in IPFIX",
     [ipfix(V10.templates(template(256, *PLAIN, (152, 8), (153, 8))),
            data(256, plain() + u64(0) + u64(2**63)), n=1, time=t)
      for t in (0, 1, 2**31, 2**32 - 1)],
     templates_learned=1, records_delivered=4)
case("ipfix-boot-in-the-record", "a time of boot of 2^64-1 in the record",
     [ipfix(V10.templates(template(256, *PLAIN, (160, 8), (22, 4),
                                   (21, 4))),
            data(256, plain() + u64(2**64 - 1) + u32(5) + u32(6)), n=1)],
     templates_learned=1, records_delivered=1)
case("counters-largest", "packets and octets of 2^64-1",
     [ipfix(V10.templates(template(256, *PLAIN, (1, 8), (2, 8), (85, 8),
                                   (86, 8), (231, 8), (298, 8))),
            data(256, *[plain() + u64(2**64 - 1) * 6] * 50), n=50)],
     templates_learned=1, records_delivered=50)
case("counters-largest-both-ways", "and of the way back",
     [ipfix(V10.templates(template(256, *PLAIN, (1, 8), (2, 8), (232, 8),
                                   (299, 8), (1, 8, REVERSE),
                                   (2, 8, REVERSE))),
            data(256, *[plain() + u64(2**64 - 1) * 6] * 50), n=50)],
     templates_learned=1, records_delivered=50, flows=100)
case("counters-zero", "packets and octets of 0",
     [ipfix(V10.templates(template(256, *PLAIN, (1, 8), (2, 8))),
            data(256, *[plain() + bytes(16)] * 50), n=50)],
     templates_learned=1, records_delivered=50)
case("every-protocol", "every protocol number, with ports",
     [ipfix(V10.templates(template(256, *PLAIN)),
            data(256, *[plain(proto=n) for n in range(256)]), n=256)],
     templates_learned=1, records_delivered=256)
case("every-icmp", "every ICMP type and code, in three elements",
     [ipfix(V10.templates(template(256, *SHORTEST, (32, 2), (176, 1),
                                   (177, 1))),
            data(256, *[shortest(proto=1) + u16(n * 257) + u8(n) + u8(255 - n)
                        for n in range(256)]), n=256)],
     templates_learned=1, records_delivered=256)
case("every-firewall-event", "every firewall event and end reason",
     [ipfix(V10.templates(template(256, *PLAIN, (233, 1), (136, 1))),
            data(256, *[plain() + u8(n) + u8(255 - n) for n in range(256)]),
            n=256)],
     templates_learned=1, records_delivered=256)
case("every-flags", "every TCP flag, CERT's elements against IANA's",
     [ipfix(V10.templates(template(256, *PLAIN, (6, 2), (14, 1, CERT),
                                   (15, 1, CERT))),
            data(256, *[plain() + u16(n * 257) + u8(255 - n) + u8(n ^ 0x12)
                        for n in range(256)]), n=256)],
     templates_learned=1, records_delivered=256)
case("every-port", "a scan of 4,000 ports in one datagram",
     [ipfix(V10.templates(template(256, *PLAIN)),
            data(256, *[plain(dport=n) for n in range(4000)]), n=4000)],
     templates_learned=1, records_delivered=4000)

# --- 460: sequence numbers, domains, floods in small --------------------------
group(460)
KNOWN = V9.templates(template(256, *PLAIN))
KNOWN10 = V10.templates(template(256, *PLAIN))
case("v9-sequence-gap", "9 datagrams missing",
     [netflow9(KNOWN, data(256, plain()), seq=n) for n in (0, 10)],
     templates_learned=1, records_delivered=2, sequence_lost=9)
case("v9-sequence-wraps", "2^32-1 is followed by 0",
     [netflow9(KNOWN, data(256, plain()), seq=n)
      for n in (2**32 - 2, 2**32 - 1, 0, 1)],
     templates_learned=1, records_delivered=4)
case("v9-sequence-gap-over-the-wrap", "10 missing around the wrap",
     [netflow9(KNOWN, data(256, plain()), seq=n) for n in (2**32 - 5, 6)],
     templates_learned=1, records_delivered=2, sequence_lost=10)
case("ipfix-sequence-gap", "100 records missing",
     [ipfix(KNOWN10, data(256, plain()), seq=n) for n in (0, 101)],
     templates_learned=1, records_delivered=2, sequence_lost=100)
case("v5-sequence-gap", "100 flows missing",
     [netflow5(one, seq=n) for n in (0, 101)],
     records_delivered=2, sequence_lost=100)
case("v5-sequence-wraps", "a v5 sequence over the wrap",
     [netflow5(one, one, seq=n) for n in (2**32 - 2, 0, 2)],
     records_delivered=6)
case("unknown-set-hides-no-loss", "v9 counts datagrams, whatever is in them",
     [netflow9(KNOWN, data(256, plain()), seq=0),
      netflow9(data(999, bytes(100)), seq=1),
      netflow9(data(256, plain()), seq=2)],
     templates_learned=1, records_delivered=2, sets_unknown_template=1,
     set_octets_unknown_template=100)
case("domains-16", "16 domains of one exporter are the most",
     [netflow9(domain=d) for d in range(16)], sound_behind=False)
case("domains-17", "the 17th is refused, the others go on",
     [*[netflow9(KNOWN, domain=d) for d in range(17)],
      *[netflow9(data(256, plain()), domain=d) for d in range(17)]],
     sound_behind=False, datagrams_refused_domain_limit=2,
     templates_learned=16, records_delivered=16)
case("domains-4000", "4,000 domains in bare headers of IPFIX",
     [ipfix(domain=d) for d in range(4000)], sound_behind=False,
     datagrams_refused_domain_limit=4000 - 16)
case("domains-of-v5", "256 engines of v5",
     [netflow5(engine=d) for d in range(256)], sound_behind=False,
     datagrams_refused_domain_limit=240)
case("domains-of-three-protocols", "a domain is counted per protocol",
     [*[netflow9(domain=d) for d in range(6)],
      *[ipfix(domain=d) for d in range(6)],
      *[netflow5(engine=d) for d in range(6)]],
     sound_behind=False, datagrams_refused_domain_limit=2)
case("templates-of-16-domains", "16 domains of 300 templates each",
     [ipfix(V10.templates(*[template(256 + i, *SHORTEST)
                            for i in range(300)]),
            data(256, shortest()), n=1, domain=d) for d in range(16)],
     sound_behind=False, templates_learned=16 * 256,
     templates_refused_limit=16 * 44, records_delivered=16)
case("churn-128-fields", "a template of 128 fields that changes 50 times",
     [ipfix(V10.templates(template(256, *[(1 + (i * 7 + n) % 400, 1)
                                          for i in range(128)])))
      for n in range(50)],
     templates_learned=1, templates_changed=49)
case("churn-in-one-datagram", "127 templates of 128 fields, one id",
     [netflow9(V9.templates(*[template(256, *[(1 + (i * 7 + n) % 400, 1)
                                              for i in range(128)])
                              for n in range(126)]))],
     templates_learned=1, templates_changed=125)
case("churn-variable", "600 templates of variable length, one id",
     [ipfix(V10.templates(*[template(256, *SHORTEST, (371, VARIABLE),
                                     (1000 + n, 1)) for n in range(600)]))],
     templates_learned=1, templates_changed=599)
case("churn-variable-ids", "1,000 templates of variable length, 1,000 ids",
     [ipfix(V10.templates(*[template(256 + n, *SHORTEST, (371, VARIABLE))
                            for n in range(1000)]))],
     templates_learned=256, templates_refused_limit=744)
case("churn-variable-128-fields", "125 of 128 fields, the last variable",
     [ipfix(V10.templates(*[template(256, *SHORTEST,
                                     *[(1 + (i * 7 + n) % 400, 1)
                                       for i in range(124)],
                                     (371, VARIABLE))
                            for n in range(125)]))],
     templates_learned=1, templates_changed=124)
case("alternating-templates", "two definitions take turns 500 times",
     [ipfix(V10.templates(*[template(256, *(PLAIN if n % 2 else SHORTEST))
                            for n in range(1000)]))],
     templates_learned=1, templates_changed=999)
case("pens-each-new", "7,000 enterprise numbers, never seen before",
     [ipfix(V10.templates(*[template(256 + n, *[(1, 1, 100 * n + k + 50000)
                                                for k in range(70)])
                            for n in range(100)]))],
     templates_learned=100)
case("sound-between-hostile", "a sound exporter beside a hostile one",
     [x for n in range(50) for x in
      (ipfix(V10.templates(template(256 + n, (8, 0))), domain=1),
       ipfix(KNOWN10, data(256, plain()), n=1, domain=2))],
     templates_learned=1, templates_refused=50, records_delivered=50)

print(f"{len(names)} cases")
