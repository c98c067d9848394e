#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""darkportd's CPU time by thread, and by start, stream and end; see run.sh.

The stream's includes the commit of its last second. Nanoseconds are those of a
record taken, not of those the kernel dropped. The API answers nobody: what it
takes is what it costs to have it.
"""
import argparse
import glob
import json
import os
import subprocess
import sys

from collectors import TICK_NS, Darkportd, flowgen, wait_until_read


class Whole(Darkportd):
    """The API process, too."""
    http = "127.0.0.1:20580"

    def threads(self):
        """User and system ns by thread until now."""
        sums = {}
        for pid in self.pids():
            for path in glob.glob(f"/proc/{pid}/task/[0-9]*/stat"):
                with open(path, encoding="ascii") as file:
                    head, _, tail = file.read().rpartition(")")
                fields = tail.split()
                name = head.partition("(")[2]
                if pid != self.process.pid:
                    name = "api process"
                elif name == "darkportd":
                    name = "ingest"
                old = sums.get(name, (0, 0))
                sums[name] = (old[0] + int(fields[11]) * TICK_NS,
                              old[1] + int(fields[12]) * TICK_NS)
        return sums


def minus(after, before):
    return {name: tuple(a - b for a, b in zip(value,
                                              before.get(name, (0, 0))))
            for name, value in after.items()}


def print_phase(phase, threads, records):
    for name, (user, system) in sorted(threads.items()):
        print(f"{phase:7} {name:12} {user / 1e6:8.0f} {system / 1e6:9.0f} "
              f"{(user + system) / records:8.0f}")


def main():
    env = os.environ.get
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--box", required=True)
    parser.add_argument("--mix", default=env("SPLIT_MIX", "steady"))
    parser.add_argument("--rate", type=int,
                        default=int(env("SPLIT_RATE", "200000")))
    parser.add_argument("--seconds", type=int,
                        default=int(env("SPLIT_SECONDS", "10")))
    options = parser.parse_args()
    box = f"{options.box}/split"
    os.mkdir(box)
    collector = Whole(os.path.abspath(options.build), box)
    collector.start()
    before = collector.threads()
    report = json.loads(subprocess.run(
        flowgen(options.build, options.mix, "10", options.rate,
                options.seconds), check=True, capture_output=True,
        text=True).stdout)
    _, dropped = wait_until_read()
    after = collector.threads()
    total = collector.stop()
    records = max(collector.taken(), 1)
    print(f"split, {options.mix} mix: {records} records taken in "
          f"{report['seconds']:.1f} s, {dropped} datagrams dropped, load "
          f"{os.getloadavg()[0]:.1f}")
    print(f"{'phase':7} {'thread':12} {'user ms':>8} {'system ms':>9} "
          f"{'ns/rec':>8}")
    print_phase("start", before, records)
    streamed = minus(after, before)
    print_phase("stream", streamed, records)
    # by what the kernel says of all at the end
    print_phase("end", {"all": tuple(
        total[i] - sum(value[i] for value in streamed.values())
        for i in range(2))}, records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
