#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares darkportd's decode with what others expect of the same exports.

Usage: conformance.py DAEMON FIXTURES [--differences]
Prints TAP, a line a case. A case passes when what differs is exactly what
DIFFERENCES.md lists of it. --differences prints that table's rows instead.
"""
import collections
import os
import sys

import ipfixcol
import logstash
import netgauze
import others
import telegraf
import wireshark
from compare import (Difference, compare_flows, compress, equal_fields,
                     field_of, read_differences, shown)
from decoded import decode

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = (logstash.cases, telegraf.cases, netgauze.cases, ipfixcol.cases,
           others.ipfixcol, others.ipfixcol2, others.graylog, others.fluent)


def compare_counts(case, decoded):
    """How many records, not which."""
    out = []
    if case.events is not None:
        ours = decoded.counter("records_announced") + \
            decoded.counter("options_records")
        if ours != case.events:
            out.append(Difference("events", case.events, ours))
    if case.options is not None and \
            case.options != decoded.counter("options_records"):
        out.append(Difference("options records", case.options,
                              decoded.counter("options_records")))
    for name, value in case.counters.items():
        if decoded.counter(name) != value:
            out.append(Difference(name, value, decoded.counter(name)))
    return out


def compare_asserted(case, decoded):
    """Fields asserted of the nth event: the nth record when there are no
    options records between, else the most like."""
    out, equal = [], 0
    records = decoded.records
    for event, flow in getattr(case, "asserted", {}).items():
        if case.events == len(records):
            record = records[event]
        elif records:
            record = max(records, key=lambda r, f=flow: equal_fields(f, r))
        else:
            record = {}
        for name, value in flow.items():
            if field_of(record, name) == value:
                equal += 1
            else:
                out.append(Difference(name, value, field_of(record, name)))
    return out, equal


def compare_wireshark(case, decoded):
    if case.wireshark is None:
        return [], 0, 0
    flows, _, unknown = wireshark.read(case.wireshark)
    case.unknown |= unknown
    without = [logstash.without_ports(f) for f in flows]
    differences, equal = compare_flows(without, decoded.records, True)
    return [Difference(f"Wireshark: {d.what}", d.theirs, d.ours)
            for d in differences], len(flows), equal


def summary(case, decoded, equal, shark_flows, shark_equal):
    text = f"{case.title}: {len(decoded.records)} flows"
    if decoded.counter("options_records"):
        text += f", {decoded.counter('options_records')} options records"
    if case.flows or equal:
        text += f", {equal} fields of {len(case.flows)} expected flows equal"
    if case.counters:
        text += f", {len(case.counters)} counters compared"
    if case.wireshark is not None:
        text += f", {shark_equal} fields of Wireshark's {shark_flows} equal"
    return text


def check(case, daemon):
    """Returns the line's text, the differences, what has no table."""
    try:
        decoded = decode(daemon, case.captures)
    finally:
        if case.temporary:
            os.unlink(case.captures[0])
    differences = compare_counts(case, decoded)
    found, equal = compare_flows(case.flows, decoded.records, case.complete)
    differences += found
    found, more = compare_asserted(case, decoded)
    differences += found
    equal += more
    found, flows, shark = compare_wireshark(case, decoded)
    differences += found
    return (summary(case, decoded, equal, flows, shark),
            compress(differences), sorted(case.unknown))


def complain(case, text, differences, listed, unknown):
    print(f"# {case.title}")
    for row in differences:
        if row not in listed:
            print(f"#   differs: {' | '.join(row)}")
    for row in listed:
        if row not in differences:
            print(f"#   listed, and no longer so: {' | '.join(row)}")
    for name in unknown:
        print(f"#   in no table: {name}")
    print(f"#   {text}")


def main():
    daemon, fixtures = sys.argv[1:3]
    printing = "--differences" in sys.argv[3:]
    known = read_differences(os.path.join(HERE, "DIFFERENCES.md"))
    number = failures = 0
    passed = collections.Counter()
    total = collections.Counter()
    for source in SOURCES:
        for case in source(fixtures):
            number += 1
            total[case.source] += 1
            text, differences, unknown = check(case, daemon)
            listed = known.pop(case.title, [])
            if printing:
                for row in differences:
                    print(f"| {case.title} | {' | '.join(row)} | |")
                continue
            if sorted(differences) == listed and not unknown:
                passed[case.source] += 1
                more = f", {len(listed)} known differences" if listed else ""
                print(f"ok {number} - {text}{more}")
            else:
                failures += 1
                print(f"not ok {number} - {text}")
                complain(case, text, differences, listed, unknown)
    if printing:
        return 0
    for title in known:  # a case that is not there any more
        failures += 1
        number += 1
        print(f"not ok {number} - DIFFERENCES.md lists {title}")
    for name, count in total.items():
        print(f"# {name}: {passed[name]} of {count}")
    print(f"1..{number}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
