#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Darkport and other collectors on the same stream, in turn; see run.sh."""
import argparse
import csv
import os
import statistics
import sys

from collectors import KINDS, run_stream

SLOWEST = 25_000  # records/s: where the search for the highest rate starts,
FASTEST = 16_000_000  # and ends
REACHED = 0.95  # of the rate asked for: below, the generator is the limit
BEHIND = 0.1  # of the stream's time: so long may be left to read at its end


def cells(options):
    """Mix and protocol; v5 has no IPv6."""
    return [(mix, protocol) for mix in options.mixes.split()
            for protocol in options.protocols.split()
            if (mix, protocol) != ("v6", "5")]


def is_lossless(kind, options, mix, protocol, rate):
    """The rate there really was, when in one of two tries nothing was lost
    and the receive buffer did not just hold what was not read; else 0."""
    best = 0
    for _ in range(2):
        row = run_stream(kind, options, mix, protocol, rate,
                         options.search_seconds)
        print(f"# search {kind.name} {mix} {protocol}: asked {rate:.0f}, "
              f"sent {row['rate']}, lost {row['lost']}, behind "
              f"{row['behind_s']} s", file=sys.stderr, flush=True)
        if (row["lost"] == 0 and
                row["behind_s"] <= BEHIND * options.search_seconds):
            best = max(best, row["rate"])
            if best >= REACHED * rate:
                break
    return best


def highest_rate(kind, options, mix, protocol):
    """By doubling, then halving the interval, to a tenth; and whether it is
    only what the generator can send."""
    best, rate = 0, SLOWEST
    while rate <= FASTEST:
        got = is_lossless(kind, options, mix, protocol, rate)
        if got == 0:
            break
        best = max(best, got)
        if got < REACHED * rate:
            return best, True
        rate *= 2
    low, high = rate / 2, rate
    while best and high > 1.1 * low:
        middle = (low * high) ** 0.5
        got = is_lossless(kind, options, mix, protocol, middle)
        best = max(best, got)
        low, high = (middle, high) if got else (low, middle)
    return best, False


def median_of(rows, key):
    return statistics.median(row[key] for row in rows)


def total_ns(rows):
    return statistics.median(r["user_ns"] + r["system_ns"] for r in rows)


def rate_ratio(base, other):
    """Each a highest rate and whether it is the generator's: a bound then,
    and of two bounds no ratio."""
    if not base[0] or not other[0] or (base[1] and other[1]):
        return "-"
    mark = ">" if base[1] else "<" if other[1] else ""
    return f"{mark}{base[0] / other[0]:.2f}"


def print_table(rows, options):
    print(f"{'mix':7} {'proto':5} {'program':10} {'sent':>9} {'lost':>8} "
          f"{'user':>6} {'system':>6} {'ns/rec':>6} {'peak MiB':>8} "
          f"{'highest':>9} {'CPU x':>6} {'rate x':>6}")
    for mix, protocol in cells(options):
        base = None
        for kind in KINDS:
            some = [r for r in rows if (r["mix"], r["protocol"], r["program"])
                    == (mix, protocol, kind.name)]
            highest = some[0]["highest"]
            rate = highest, some[0]["sender_limit"]
            base = base or (total_ns(some), rate)
            mark = ">" if some[0]["sender_limit"] else ""
            print(f"{mix:7} {protocol:5} {kind.name:10} "
                  f"{median_of(some, 'sent'):9.0f} "
                  f"{median_of(some, 'lost'):8.0f} "
                  f"{median_of(some, 'user_ns'):6.0f} "
                  f"{median_of(some, 'system_ns'):6.0f} "
                  f"{total_ns(some):6.0f} "
                  f"{median_of(some, 'peak_kib') / 1024:8.0f} "
                  f"{mark + str(highest) if highest else '-':>9} "
                  f"{base[0] / total_ns(some):6.2f} "
                  f"{rate_ratio(base[1], rate):>6}")
    print("CPU x, rate x: darkportd's, divided by this one's; >: the "
          "generator could not\nsend faster; then the ratio is a bound, and "
          "of two such rates there is none")


def write_csv(rows, path):
    with open(path, "w", encoding="ascii", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def parse():
    env = os.environ.get
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--box", required=True)
    parser.add_argument("--rounds", type=int, default=int(env("ROUNDS", "3")))
    parser.add_argument("--rate", type=int, default=int(env("RATE", "200000")))
    parser.add_argument("--seconds", type=int,
                        default=int(env("SECONDS_EACH", "4")))
    parser.add_argument("--mixes", default=env("MIXES", "steady border"))
    parser.add_argument("--protocols", default=env("PROTOCOLS", "10 9 5"))
    parser.add_argument("--search", default=env("SEARCH", "steady"))
    parser.add_argument("--search-seconds", type=int,
                        default=int(env("SEARCH_SECONDS", "2")))
    parser.add_argument("--csv", default=env("CSV", ""))
    return parser.parse_args()


def main():
    options = parse()
    rows = []
    for mix, protocol in cells(options):
        for number in range(options.rounds):
            for kind in KINDS:
                row = run_stream(kind, options, mix, protocol, options.rate,
                                 options.seconds)
                rows.append({"round": number, **row, "highest": 0,
                             "sender_limit": False})
                print(f"# {rows[-1]}", file=sys.stderr, flush=True)
        if mix not in options.search.split():
            continue
        for kind in KINDS:
            highest, limit = highest_rate(kind, options, mix, protocol)
            for row in rows:
                if (row["mix"], row["protocol"], row["program"]) == (
                        mix, protocol, kind.name):
                    row["highest"], row["sender_limit"] = highest, limit
    print(f"{options.rounds} rounds, medians; {options.rate or 'all the'} "
          f"records/s for {options.seconds} s; {os.cpu_count()} CPUs, load "
          f"{os.getloadavg()[0]:.1f}")
    print_table(rows, options)
    if options.csv:
        write_csv(rows, options.csv)


if __name__ == "__main__":
    main()
