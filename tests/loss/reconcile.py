#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""reconcile.py SENT.json STORE [--on-the-way N]

The identity of loss accounting, error 0: what flowgen says it sent against
what the daemon's store says, read after the daemon has ended.

    sent - dropped + duplicated = received + kernel drops
    received = decoded + refused by reason
    records announced = delivered + unusable + refused
    sequence loss = the units of what was dropped, per exporter

What the kernel, or a queue on the way (--on-the-way: how many datagrams it
dropped), took is not known by datagram. Then the units lost are those sent
less those received, which is exact when nothing was duplicated and no
options were sent. Exit 1 and a line for each sum that does not close.
"""
import argparse
import json
import sqlite3
import sys


class Check:
    def __init__(self):
        self.sums = 0
        self.errors = 0

    def equal(self, what, left, right):
        self.sums += 1
        if left != right:
            self.errors += 1
            print(f"{what}: {left} is not {right}, error {left - right}")


def read_store(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    counters = dict(db.execute("SELECT name, value FROM counters").fetchall())
    exporters = {
        (row["domain"], row["protocol"]): dict(row)
        for row in db.execute("SELECT * FROM exporters")
    }
    db.close()
    return counters, exporters


def refused(counters):
    return sum(
        value
        for name, value in counters.items()
        if name.startswith("datagrams_refused")
    )


def check_datagrams(check, sent, counters, gone):
    total = sent["protocols"]["total"]
    delivered = total["generated"] - total["dropped"] + total["duplicated"]
    received = counters.get("datagrams_received", 0)
    check.equal("generated - dropped + duplicated = put on the wire",
                delivered, sent["datagrams"])
    check.equal("put on the wire = received + dropped behind the generator",
                sent["datagrams"], received + gone)
    check.equal("received = decoded + refused", received,
                counters.get("datagrams_decoded", 0) + refused(counters))


def check_records(check, sent, counters, gone):
    total = sent["protocols"]["total"]
    announced = counters.get("records_announced", 0)
    check.equal("announced = delivered + unusable + refused", announced,
                counters.get("records_delivered", 0)
                + counters.get("records_unusable", 0)
                + counters.get("records_refused", 0))
    check.equal("no set is of an unknown template",
                counters.get("sets_unknown_template", 0), 0)
    if gone == 0:
        check.equal("records that got through = announced",
                    total["records"], announced)
        check.equal("options that got through = options seen",
                    total["options"], counters.get("options_records", 0))


def check_exporter(check, sent, seen, gone):
    who = f"{sent['protocol']} domain {sent['domain']}: "
    lost = sent["units_lost"]
    if gone == 0:
        check.equal(who + "datagrams", seen["datagrams"], sent["delivered"])
        check.equal(who + "records", seen["records"], sent["records"])
    else:
        if sent["duplicated"] or sent["options"]:
            sys.exit("duplicates or options, and drops nobody knows by name")
        unit = "datagrams" if sent["protocol"] == "netflow9" else "records"
        lost = sent["units"] - seen[unit]
    check.equal(who + "units lost", seen["lost"], lost)
    # the generator knows the order only of what it lost itself
    if gone == 0 and "duplicates" in seen:
        check.equal(who + "duplicates", seen["duplicates"], sent["again"])
        check.equal(who + "late", seen["reordered"], sent["late"])
    return lost


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sent")
    parser.add_argument("store")
    parser.add_argument("--on-the-way", type=int, default=0)
    arguments = parser.parse_args()
    with open(arguments.sent, encoding="utf-8") as file:
        sent = json.load(file)
    counters, exporters = read_store(arguments.store)
    kernel = counters.get("datagrams_lost_kernel", 0)
    gone = kernel + arguments.on_the_way
    check = Check()

    check_datagrams(check, sent, counters, gone)
    check_records(check, sent, counters, gone)
    check.equal("exporters", len(exporters), len(sent["exporters"]))
    lost = 0
    through = 0
    for one in sent["exporters"]:
        seen = exporters.get((one["domain"], one["protocol"]))
        if seen is None:
            sys.exit(f"no exporter {one['protocol']} domain {one['domain']}")
        lost += check_exporter(check, one, seen, gone)
        through += seen["datagrams"]
    check.equal("datagrams of the exporters = decoded", through,
                counters.get("datagrams_decoded", 0))
    check.equal("units lost of all exporters = lost - recovered", lost,
                counters.get("sequence_lost", 0)
                - counters.get("sequence_recovered", 0))
    total = sent["protocols"]["total"]
    print(f"{check.sums} sums, {check.errors} errors: "
          f"{total['generated']} datagrams, {total['dropped']} dropped, "
          f"{total['duplicated']} duplicated, {total['late']} late, "
          f"{kernel} by the kernel, {arguments.on_the_way} on the way, "
          f"{lost} units lost")
    sys.exit(check.errors != 0)


if __name__ == "__main__":
    main()
