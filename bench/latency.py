#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon an exposure can be seen, by SQL and over HTTP, under load; see
run.sh.

While flowgen sends, an exporter of its own sends a marked conversation now
and then: one with a port of an internal network that nothing else uses. Each
is one datagram; the time is from its send() until a query of the `exposures`
view, or a GET of /api/v1/exposures, has the port. Both are asked every
POLL_S, so what is printed is up to that too long.
"""
import argparse
import json
import os
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from collectors import PORT, Darkportd, flowgen, wait_until_read

POLL_S = 0.02
EVERY_S = 0.11  # between marks, so that they fall on all parts of a second
WAIT_S = 10  # for the last one
HTTP = "127.0.0.1:20580"
MARK_NET = "10.20.255"  # flowgen's services are elsewhere
MARK_FIRST = 20000  # the first mark's port
SOURCE = "127.9.9.9"
PORTS_A_HOST = 16  # of one /24, so that no host looks odd


class Observed(Darkportd):
    http = HTTP


def mark_of(number):
    return (f"{MARK_NET}.{1 + number // PORTS_A_HOST}",
            MARK_FIRST + number)


def datagram(number, sequence):
    """NetFlow v5: both halves of a connection that ran its course."""
    host, port = mark_of(number)
    now = time.time()
    uptime = 86400000 + int(now * 1000) % 10**9
    client = socket.inet_aton(f"198.51.100.{1 + number % 200}")
    inside = socket.inet_aton(host)
    out = struct.pack("!HHIIIIBBH", 5, 2, uptime, int(now),
                      int(now % 1 * 1e9), sequence, 0, 9, 0)
    for src, dst, sport, dport, ago in ((client, inside, 50000, port, 60),
                                        (inside, client, port, 50000, 59)):
        out += src + dst + struct.pack(
            "!IHHIIIIHHBBBBHHBBH", 0, 1, 2, 10, 1000, uptime - ago,
            uptime - 10, sport, dport, 0, 0x1b, 6, 0, 0, 0, 0, 0, 0)
    return out


class Seen(threading.Thread):
    """Asks again and again, and notes when each port was there first."""

    def __init__(self, ask):
        super().__init__(daemon=True)
        self.ask = ask
        self.first = {}
        self.done = threading.Event()

    def run(self):
        while not self.done.is_set():
            start = time.monotonic()
            try:
                ports = self.ask()
            except (sqlite3.Error, OSError, urllib.error.URLError,
                    ValueError):
                ports = ()
            now = time.monotonic()
            for port in ports:
                self.first.setdefault(port, now)
            self.done.wait(max(0.0, POLL_S - (now - start)))


def sql_ask(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True,
                         check_same_thread=False)
    low = socket.inet_pton(socket.AF_INET6, f"::ffff:{MARK_NET}.0")
    high = socket.inet_pton(socket.AF_INET6, f"::ffff:{MARK_NET}.255")
    return lambda: [row[0] for row in db.execute(
        "SELECT port FROM exposures WHERE host_ip BETWEEN ? AND ?",
        (low, high))]


def http_ask():
    def ask():
        url = f"http://{HTTP}/api/v1/exposures?net={MARK_NET}.0/24&limit=1000"
        with urllib.request.urlopen(url, timeout=5) as reply:
            rows = json.load(reply)
        return [row["port"] for row in rows["data"]]
    return ask


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def send_marks(until):
    """Returns when each port was sent."""
    sent = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((SOURCE, 0))
        while time.monotonic() < until and len(sent) < 1000:
            number = len(sent)
            s.sendto(datagram(number, 2 * number), ("127.0.0.1", PORT))
            sent[mark_of(number)[1]] = time.monotonic()
            time.sleep(EVERY_S)
    return sent


def observe(options, collector):
    """The generator's report, when marks were sent, and when seen."""
    watchers = {"SQL": Seen(sql_ask(f"{collector.box}/map.db")),
                "HTTP": Seen(http_ask())}
    for watcher in watchers.values():
        watcher.start()
    with subprocess.Popen(
            flowgen(options.build, options.mix, "10", options.rate,
                    options.seconds), stdout=subprocess.PIPE,
            text=True) as load:
        time.sleep(1)
        sent = send_marks(time.monotonic() + options.seconds - 2)
        report = json.loads(load.communicate()[0])
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until and any(
            len(w.first) < len(sent) for w in watchers.values()):
        time.sleep(POLL_S)
    for watcher in watchers.values():
        watcher.done.set()
        watcher.join()
    return report, sent, {n: w.first for n, w in watchers.items()}


def main():
    env = os.environ.get
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--box", required=True)
    parser.add_argument("--mix", default=env("LATENCY_MIX", "steady"))
    parser.add_argument("--rate", type=int,
                        default=int(env("LATENCY_RATE", "1000000")))
    parser.add_argument("--seconds", type=int,
                        default=int(env("LATENCY_SECONDS", "20")))
    options = parser.parse_args()
    box = f"{options.box}/latency"
    os.mkdir(box)
    collector = Observed(os.path.abspath(options.build), box)
    collector.start()
    report, sent, seen = observe(options, collector)
    _, dropped = wait_until_read()
    collector.stop()
    records = report["protocols"]["total"]["records"]
    print(f"latency, {options.mix} mix: asked for {options.rate} records/s, "
          f"sent {records / report['seconds']:.0f}, {dropped} datagrams "
          f"dropped by the kernel, load {os.getloadavg()[0]:.1f}")
    print(f"{'by':5} {'marks':>6} {'seen':>6} {'median s':>9} {'p99 s':>7} "
          f"{'worst s':>8}")
    for name, first in seen.items():
        took = [first[p] - at for p, at in sent.items() if p in first]
        if not took:
            print(f"{name:5} {len(sent):6} {0:6}")
            continue
        print(f"{name:5} {len(sent):6} {len(took):6} "
              f"{quantile(took, 0.5):9.2f} {quantile(took, 0.99):7.2f} "
              f"{max(took):8.2f}")
    # what the kernel dropped under load cannot be seen; nor is that hidden
    return 1 if any(len(first) == 0 for first in seen.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
