#!/usr/bin/env python3
"""Small helpers of the lab: DNS questions, a UDP sink, a plain TCP server and
a slow wire.

  peer.py dns  SRC DST udp|tcp NAME      ask DST port 53 for the A record
  peer.py sink ADDR PORT SECONDS         receive UDP datagrams and drop them
  peer.py serve ADDR PORT SECONDS        answer TCP connections with one line
  peer.py wire A B MILLISECONDS SECONDS  two tap devices, joined by a slow wire

Only the Python standard library is used. Every command ends by itself.
"""
import collections
import fcntl
import os
import select
import socket
import struct
import sys
import time


def family(addr):
    return socket.AF_INET6 if ":" in addr else socket.AF_INET


def question(name):
    body = struct.pack("!HHHHHH", int.from_bytes(os.urandom(2), "big"),
                       0x0100, 1, 0, 0, 0)
    for label in name.split("."):
        body += bytes([len(label)]) + label.encode()
    return body + b"\0" + struct.pack("!HH", 1, 1)


def dns(src, dst, how, name):
    kind = socket.SOCK_DGRAM if how == "udp" else socket.SOCK_STREAM
    with socket.socket(family(dst), kind) as s:
        s.settimeout(3)
        s.bind((src, 0))
        s.connect((dst, 53))
        q = question(name)
        if how == "udp":
            s.send(q)
            answer = s.recv(2048)
        else:
            s.sendall(struct.pack("!H", len(q)) + q)
            answer = s.recv(2048)[2:]
    return 0 if len(answer) > 12 else 1


def sink(addr, port, seconds):
    end = time.monotonic() + float(seconds)
    with socket.socket(family(addr), socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        s.bind((addr, int(port)))
        s.settimeout(1)
        while time.monotonic() < end:
            try:
                s.recv(65535)
            except socket.timeout:
                pass
    return 0


def serve(addr, port, seconds):
    end = time.monotonic() + float(seconds)
    with socket.socket(family(addr), socket.SOCK_STREAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((addr, int(port)))
        s.listen(8)
        s.settimeout(0.5)
        while time.monotonic() < end:
            try:
                c, _ = s.accept()
            except (socket.timeout, ConnectionError):
                continue
            with c:
                c.settimeout(2)
                try:
                    c.sendall(b"ready\n")
                    c.recv(256)
                except OSError:
                    pass
    return 0


def wire(a, b, ms, seconds):
    """Carry frames between two new tap devices, each frame MS late."""
    end = time.monotonic() + float(seconds)
    late = float(ms) / 1000
    fds = []
    for name in (a, b):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        # TUNSETIFF with IFF_TAP | IFF_NO_PI
        fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", name.encode(),
                                                0x0002 | 0x1000))
        fds.append(fd)
    other = {fds[0]: fds[1], fds[1]: fds[0]}
    queue = collections.deque()     # (due, fd, frame), in the order of "due"
    while time.monotonic() < end:
        wait = max(0, queue[0][0] - time.monotonic()) if queue else 1
        for fd in select.select(fds, [], [], wait)[0]:
            try:
                queue.append((time.monotonic() + late, other[fd],
                              os.read(fd, 65536)))
            except OSError:
                pass                # the device is not up
        while queue and queue[0][0] <= time.monotonic():
            _, fd, frame = queue.popleft()
            try:
                os.write(fd, frame)
            except OSError:
                pass
    return 0


if __name__ == "__main__":
    calls = {"dns": (dns, 4), "sink": (sink, 3), "serve": (serve, 3),
             "wire": (wire, 4)}
    if len(sys.argv) < 2 or sys.argv[1] not in calls \
            or len(sys.argv) - 2 != calls[sys.argv[1]][1]:
        sys.exit(__doc__)
    sys.exit(calls[sys.argv[1]][0](*sys.argv[2:]))
