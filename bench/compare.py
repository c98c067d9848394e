#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Darkport and other collectors on the same stream, in turn; see run.sh.

CPU time is that of the collector's processes from before the stream until it
has ended, its last write included. Peak memory is the largest process's.
Taken: darkportd, records decoded, by its store; nfcapd, flows in its files;
nfacctd, which aggregates, records in the datagrams its socket did not drop.
"""
import argparse
import csv
import glob
import json
import os
import resource
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import time

PORT = 20550
TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
FILE_LIMIT = 1 << 30  # octets
CPU_LIMIT = 120  # seconds
RCVBUF = 32 << 20
NFACCTD = """
nfacctd_ip: 127.0.0.1
nfacctd_port: {port}
nfacctd_pipe_size: {rcvbuf}
nfacctd_time_new: true
plugins: print
plugin_pipe_size: 67108864
plugin_buffer_size: 262144
aggregate: src_host, dst_host, src_port, dst_port, proto, tcpflags
print_output: csv
print_output_file: {box}/flows.csv
print_refresh_time: 86400
"""


class Collector:
    """One that is running. Each has an argv and says what it took."""

    stop_with = signal.SIGTERM

    def __init__(self, build, box):
        self.build = build
        self.box = box

    def start(self):
        def limit():
            os.setpgrp()
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT,) * 2)
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT,) * 2)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        self.log = open(f"{self.box}/log", "wb")
        self.process = subprocess.Popen(
            self.argv(), cwd=self.box, preexec_fn=limit,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        for _ in range(200):
            if socket_line() is not None:
                break
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start")
            time.sleep(0.05)
        time.sleep(0.5)
        self.before = self.cpu_ns()

    def pids(self):
        """Of its process group."""
        found = []
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path, encoding="ascii", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue
            if int(text.rpartition(")")[2].split()[2]) == self.process.pid:
                found.append(int(text.split()[0]))
        return found

    def cpu_ns(self):
        """User and system time until now, with those that have ended."""
        sums = [0, 0]
        for pid in self.pids():
            with open(f"/proc/{pid}/stat", encoding="ascii",
                      errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
            sums[0] += (int(fields[11]) + int(fields[13])) * TICK_NS
            sums[1] += (int(fields[12]) + int(fields[14])) * TICK_NS
        return sums

    def peak_kib(self):
        peak = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/status", encoding="ascii",
                      errors="replace") as file:
                for line in file:
                    if line.startswith("VmHWM:"):
                        peak = max(peak, int(line.split()[1]))
        return peak

    def stop(self):
        """Returns user and system ns, and the peak."""
        peak = self.peak_kib()
        running = self.cpu_ns()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.process.send_signal(self.stop_with)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # the last write; a child nobody waited for is seen only while it runs
        user = max(running[0], int((after.ru_utime - before.ru_utime) * 1e9))
        system = max(running[1], int((after.ru_stime - before.ru_stime) * 1e9))
        for _ in range(600):  # children that write on
            if not self.pids():
                break
            time.sleep(0.1)
        self.log.close()
        return user - self.before[0], system - self.before[1], peak


class Darkportd(Collector):
    name = "darkportd"

    def argv(self):
        with open(f"{self.box}/conf", "w", encoding="ascii") as file:
            file.write(f"rcvbuf = {RCVBUF}\n")
        return [f"{self.build}/darkportd", "-c", f"{self.box}/conf",
                "--internal", "10.20.0.0/16", "--internal",
                "2001:db8:a::/48", "--listen", f"udp://127.0.0.1:{PORT}",
                "--http", "none", "--store", f"{self.box}/map.db"]

    def taken(self):
        db = sqlite3.connect(f"file:{self.box}/map.db?mode=ro", uri=True)
        row = db.execute("SELECT value FROM counters WHERE name = "
                         "'records_delivered'").fetchone()
        db.close()
        return row[0] if row else 0


class Nfcapd(Collector):
    name = "nfcapd"

    @staticmethod
    def is_there():
        return shutil.which("nfcapd") and shutil.which("nfdump")

    def argv(self):
        return ["nfcapd", "-b", "127.0.0.1", "-p", str(PORT), "-w", self.box,
                "-B", str(RCVBUF), "-t", "3600"]

    def taken(self):
        flows = 0
        for path in glob.glob(f"{self.box}/nfcapd.*"):
            out = subprocess.run(["nfdump", "-r", path, "-I"],
                                 capture_output=True, text=True,
                                 timeout=60).stdout
            flows += sum(int(line.split()[1]) for line in out.splitlines()
                         if line.startswith("Flows: "))
        return flows


class Nfacctd(Collector):
    name = "nfacctd"
    stop_with = signal.SIGINT

    @staticmethod
    def is_there():
        return shutil.which("nfacctd")

    def argv(self):
        with open(f"{self.box}/nfacctd.conf", "w", encoding="ascii") as file:
            file.write(NFACCTD.format(port=PORT, rcvbuf=RCVBUF, box=self.box))
        return ["nfacctd", "-f", f"{self.box}/nfacctd.conf"]

    def taken(self):
        """Its flows are aggregates: measure() asks the socket."""
        return None


def socket_line():
    """The columns of /proc/net/udp of the port; None: nobody listens."""
    with open("/proc/net/udp", encoding="ascii") as file:
        for line in file:
            fields = line.split()
            if fields[1].endswith(f":{PORT:04X}"):
                return fields
    return None


def wait_until_read():
    for _ in range(600):
        fields = socket_line()
        if fields is None or int(fields[4].split(":")[1], 16) == 0:
            break
        time.sleep(0.05)
    time.sleep(1.2)  # and the commit of that second
    fields = socket_line()
    return int(fields[-1]) if fields else None


def measure(kind, options, mix, protocol):
    box = f"{options.box}/run"
    shutil.rmtree(box, ignore_errors=True)
    os.mkdir(box)
    collector = kind(os.path.abspath(options.build), box)
    collector.start()
    out = subprocess.run(
        [f"{options.build}/bench/flowgen", "--to", f"127.0.0.1:{PORT}",
         "--protocols", protocol, "--exporters", "4", "--mix", mix,
         "--rate", str(options.rate), "-t", str(options.seconds)],
        check=True, capture_output=True, text=True).stdout
    sent = json.loads(out)["protocols"]["total"]
    dropped = wait_until_read()
    user, system, peak = collector.stop()
    taken = collector.taken()
    if taken is None:  # by the socket, in datagrams, as records
        taken = sent["records"] - round(
            (dropped or 0) * sent["records"] / sent["delivered"])
    return {
        "mix": mix, "protocol": protocol, "program": kind.name,
        "sent": sent["records"], "taken": taken,
        "lost": sent["records"] - taken,
        "user_ns": user / max(taken, 1), "system_ns": system / max(taken, 1),
        "peak_kib": peak,
    }


def print_table(rows, kinds):
    print(f"{'mix':8} {'proto':5} {'program':10} {'sent':>10} {'lost':>8} "
          f"{'user':>7} {'system':>7} {'ns/rec':>7} {'peak MiB':>8} "
          f"{'x darkportd':>11}")
    for mix, protocol in dict.fromkeys(
            (r["mix"], r["protocol"]) for r in rows):
        base = None
        for kind in kinds:
            some = [r for r in rows if (r["mix"], r["protocol"], r["program"])
                    == (mix, protocol, kind.name)]
            if not some:
                continue

            def median(key, of=some):
                return statistics.median(r[key] for r in of)

            total = statistics.median(
                r["user_ns"] + r["system_ns"] for r in some)
            base = base or total
            print(f"{mix:8} {protocol:5} {kind.name:10} "
                  f"{median('sent'):10.0f} {median('lost'):8.0f} "
                  f"{median('user_ns'):7.0f} {median('system_ns'):7.0f} "
                  f"{total:7.0f} {median('peak_kib') / 1024:8.0f} "
                  f"{total / base:11.2f}")


def main():
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
    parser.add_argument("--csv", default=env("CSV", ""))
    options = parser.parse_args()
    kinds = [Darkportd] + [k for k in (Nfcapd, Nfacctd) if k.is_there()]
    rows = []
    for mix in options.mixes.split():
        for protocol in options.protocols.split():
            for number in range(options.rounds):
                for kind in kinds:
                    row = measure(kind, options, mix, protocol)
                    rows.append({"round": number, **row})
                    print(f"# {rows[-1]}", file=sys.stderr, flush=True)
    print(f"{options.rounds} rounds, medians; {options.rate or 'all the'} "
          f"records/s for {options.seconds} s; {os.cpu_count()} CPUs, load "
          f"{os.getloadavg()[0]:.1f}")
    print_table(rows, kinds)
    if options.csv:
        with open(options.csv, "w", encoding="ascii", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
