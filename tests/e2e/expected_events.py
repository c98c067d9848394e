#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scan events that the packets' truth asks for, without training.

usage: expected_events.py ATTEMPTS.tsv HOSTS.tsv [--no-v6]

Reads the attempts that tests/truth/truth.py found in the packets, and applies
C18 to C21: an attempt at what is not in the exposure map at its time is an
event; so is every stealth probe; the attempt that opens an exposure is one;
a source that has such an event has one for each attempt at the map as well.

Prints: src dst proto port technique answer place, tab separated, sorted,
one row an event.
"""
import sys

STEALTH = {"fin", "null", "xmas", "maimon", "ack"}


def rows(path):
    with open(path, encoding="ascii") as file:
        for line in file:
            if not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def main():
    attempts_path, hosts_path = sys.argv[1:3]
    no_v6 = "--no-v6" in sys.argv
    hosts = {row[0] for row in rows(hosts_path)}
    attempts = []
    for start, src, sport, dst, proto, dport, technique, answer in rows(attempts_path):
        if no_v6 and ":" in src:
            continue
        port = 0 if technique == "icmp" else int(dport)
        attempts.append((float(start), src, int(sport), dst, proto, port, technique, answer))
    opened = {}
    for a in attempts:
        key = a[3:6]
        if a[7] == "accepted" and (key not in opened or a[:3] < opened[key]):
            opened[key] = a[:3]
    dark, at_nem, scanners = [], [], set()
    for a in attempts:
        start, src, _, dst, proto, port, technique, answer = a
        first = opened.get(a[3:6])
        holds = first is not None and first[0] <= start
        place = "darkport" if dst in hosts else "darkspace"
        if answer == "accepted":
            is_opener = technique != "icmp" and first == a[:3]
            (dark if is_opener else at_nem).append(
                (src, dst, proto, port, technique, answer, place if is_opener else "nem"))
        elif technique in STEALTH:
            dark.append((src, dst, proto, port, technique, answer, "nem" if holds else place))
        elif holds:
            at_nem.append((src, dst, proto, port, technique, answer, "nem"))
        else:
            dark.append((src, dst, proto, port, technique, answer, place))
    scanners = {event[0] for event in dark}
    events = dark + [event for event in at_nem if event[0] in scanners]
    for event in sorted(events):
        print("\t".join(str(column) for column in event))


main()
