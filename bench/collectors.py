# SPDX-License-Identifier: Apache-2.0
"""The collectors that are compared, and the stream they get; see run.sh.

CPU time is that of the collector's processes from before the stream, when they
have started and rest, until it has ended, its last write included. Peak memory is the largest process's.
Taken: darkportd, records decoded, by its store; nfcapd, flows in its files;
nfacctd, which aggregates, records in the datagrams its socket did not drop.
"""
import glob
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

PORT = 20550
TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")
FILE_LIMIT = 1 << 30  # octets
CPU_LIMIT = 120  # seconds
RCVBUF = 32 << 20
REST_S = 0.4  # who takes no CPU time for so long has started
START_S = 30  # at most
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
        self.before = self.wait_until_it_rests()

    def wait_until_it_rests(self):
        """A socket is open before tables are filled: not a record's cost."""
        until = time.monotonic() + START_S
        last = None
        while last != self.cpu_ns() and time.monotonic() < until:
            last = self.cpu_ns()
            time.sleep(REST_S)
        return self.cpu_ns()

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
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii",
                          errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:  # it ended just now
                continue
            sums[0] += (int(fields[11]) + int(fields[13])) * TICK_NS
            sums[1] += (int(fields[12]) + int(fields[14])) * TICK_NS
        return sums

    def peak_kib(self):
        peak = 0
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/status", encoding="ascii",
                          errors="replace") as file:
                    lines = file.read().splitlines()
            except OSError:
                continue
            for line in lines:
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
    http = "none"
    settings = ()  # more lines of its configuration

    @staticmethod
    def is_there():
        return True

    def argv(self):
        with open(f"{self.box}/conf", "w", encoding="ascii") as file:
            file.write(f"rcvbuf = {RCVBUF}\n")
            file.writelines(f"{line}\n" for line in self.settings)
        return [f"{self.build}/darkportd", "-c", f"{self.box}/conf",
                "--internal", "10.20.0.0/16", "--internal",
                "2001:db8:a::/48", "--listen", f"udp://127.0.0.1:{PORT}",
                "--http", self.http, "--store", f"{self.box}/map.db"]

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
    """How long that took, and how many datagrams the socket dropped."""
    start = time.monotonic()
    for _ in range(1500):
        fields = socket_line()
        if fields is None or int(fields[4].split(":")[1], 16) == 0:
            break
        time.sleep(0.02)
    took = time.monotonic() - start
    time.sleep(1.2)  # and the commit of that second
    fields = socket_line()
    return took, int(fields[-1]) if fields else None


def flowgen(build, mix, protocol, rate, seconds):
    """The argv of the stream."""
    return [f"{build}/bench/flowgen", "--to", f"127.0.0.1:{PORT}",
            "--protocols", protocol, "--exporters", "4", "--mix", mix,
            "--rate", str(int(rate)), "-t", str(seconds)]


def run_stream(kind, options, mix, protocol, rate, seconds):
    """One collector, one stream: what was sent and what became of it."""
    box = f"{options.box}/run"
    shutil.rmtree(box, ignore_errors=True)
    os.mkdir(box)
    collector = kind(os.path.abspath(options.build), box)
    collector.start()
    out = json.loads(subprocess.run(
        flowgen(options.build, mix, protocol, rate, seconds),
        check=True, capture_output=True, text=True).stdout)
    sent = out["protocols"]["total"]
    behind_s, dropped = wait_until_read()
    user, system, peak = collector.stop()
    taken = collector.taken()
    if taken is None:  # by the socket, in datagrams, as records
        taken = sent["records"] - round(
            (dropped or 0) * sent["records"] / sent["delivered"])
    return {
        "mix": mix, "protocol": protocol, "program": kind.name,
        "sent": sent["records"], "taken": taken,
        "lost": sent["records"] - taken,
        "rate": round(sent["records"] / out["seconds"]),
        "behind_s": round(behind_s, 2),
        "user_ns": user / max(taken, 1), "system_ns": system / max(taken, 1),
        "peak_kib": peak,
    }


KINDS = [kind for kind in (Darkportd, Nfcapd, Nfacctd) if kind.is_there()]
