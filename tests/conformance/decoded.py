# SPDX-License-Identifier: Apache-2.0
"""What darkportd makes of a capture: flow records and counters.

A biflow, two lines of `darkportd --flows`, is one record here; the fields of
its second half have names that begin with "reverse.".
"""
import json
import os
import re
import struct
import subprocess
import tempfile

_COUNTER = re.compile(r'module=flows msg="(\w+) (\d+)"')


class Decoded:
    """records: dicts, in order; counters: name to value, 0 when absent."""

    def __init__(self, records, counters):
        self.records = records
        self.counters = counters

    def counter(self, name):
        return self.counters.get(name, 0)


def decode(daemon, captures):
    reads = [word for capture in captures for word in ("--read", capture)]
    done = subprocess.run([daemon, *reads, "--flows"],
                          capture_output=True, text=True, timeout=120,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"exit code {done.returncode}: "
                           f"{done.stderr[-500:]}")
    records = []
    for line in done.stdout.splitlines():
        flow = json.loads(line)
        if flow.pop("reverse", False):
            for name, value in flow.items():
                records[-1]["reverse." + name] = value
        else:
            records.append(flow)
    counters = {name: int(value)
                for name, value in _COUNTER.findall(done.stderr)}
    return Decoded(records, counters)


def wrap(datagrams, one_source=True):
    """Makes a capture of UDP datagrams, all from 192.0.2.1, or the nth from
    192.0.2.n; returns its path, to be unlinked."""
    handle, path = tempfile.mkstemp(suffix=".pcap")
    with os.fdopen(handle, "wb") as out:
        # microseconds, version 2.4, link type RAW (101)
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101))
        for i, data in enumerate(datagrams):
            source = bytes([192, 0, 2, 1 if one_source else i + 1])
            udp = struct.pack(">HHHH", 2055, 2055, 8 + len(data), 0)
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(data), i, 0,
                             64, 17, 0, source, bytes([198, 51, 100, 1]))
            length = len(ip) + len(udp) + len(data)
            out.write(struct.pack("<IIII", 1500000000 + i, 0, length, length))
            out.write(ip + udp + data)
    return path
