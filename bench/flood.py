#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real services while nine of ten SYNs come from forged addresses: is any
exposure lost, is any made up, and does memory stay; see run.sh.

What is exposed is the generator's own account: services that ever answered,
all on ports below 1024, while probes and forged SYNs go to ports above. So many
services that most answer now and then only. The exit code is 1 when the map
differs from that account though the kernel dropped nothing, or when resident
memory was ever more than a tenth above what --dump says.
"""
import argparse
import json
import os
import sqlite3
import subprocess
import sys
import time

from collectors import Darkportd, flowgen, wait_until_read

SERVICES = 10000
ABOVE = 0.1  # of what --dump says
SAMPLE_S = 0.5
SERVICES_BELOW = 1024


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def said_kib(collector):
    """What it takes by its own account."""
    first = subprocess.run(collector.argv() + ["--dump"], check=True,
                           capture_output=True, text=True).stdout
    return int(first.partition("will take ")[2].split()[0]) // 1024


def exposed(path):
    """In the map: on the services' ports, and on others."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    row = db.execute("SELECT count(DISTINCT host || ' ' || proto || ' ' || "
                     "port) FILTER (WHERE port < ?1), count(*) FILTER "
                     "(WHERE port >= ?1) FROM nem",
                     (SERVICES_BELOW,)).fetchone()
    db.close()
    return row


def flood(options, collector):
    """The generator's report and the samples of resident memory."""
    samples = [resident_kib(collector.process.pid)]
    with subprocess.Popen(
            flowgen(options.build, "flood", "10", options.rate,
                    options.seconds) + ["--services", str(SERVICES)],
            stdout=subprocess.PIPE, text=True) as load:
        while load.poll() is None:
            time.sleep(SAMPLE_S)
            samples.append(resident_kib(collector.process.pid))
        return json.load(load.stdout), samples


def main():
    env = os.environ.get
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--box", required=True)
    parser.add_argument("--rate", type=int,
                        default=int(env("FLOOD_RATE", "200000")))
    parser.add_argument("--seconds", type=int,
                        default=int(env("FLOOD_SECONDS", "30")))
    options = parser.parse_args()
    box = f"{options.box}/flood"
    os.mkdir(box)
    collector = Darkportd(os.path.abspath(options.build), box)
    said = said_kib(collector)
    collector.start()
    report, samples = flood(options, collector)
    _, dropped = wait_until_read()
    samples.append(resident_kib(collector.process.pid))
    collector.stop()
    found, others = exposed(f"{box}/map.db")
    records = report["protocols"]["total"]["records"]
    print(f"flood: {records} records in {report['seconds']:.1f} s, "
          f"{report['conversations']['spoofed']} forged SYNs, {dropped} "
          f"datagrams dropped by the kernel, load {os.getloadavg()[0]:.1f}")
    print(f"exposures: {report['exposures']} by the generator's account, "
          f"{found} in the map, {others} that are none")
    print(f"resident memory: {samples[0] / 1024:.0f} MiB before, at most "
          f"{max(samples) / 1024:.0f}, {samples[-1] / 1024:.0f} after; "
          f"--dump says {said / 1024:.0f}")
    wrong = dropped == 0 and (found != report["exposures"] or others != 0)
    return 1 if wrong or max(samples) > (1 + ABOVE) * said else 0


if __name__ == "__main__":
    sys.exit(main())
