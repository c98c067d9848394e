#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The people of the lab's scenes (scenes.sh), over real sockets.

  actors.py tcp ADDR SECONDS PORT...         servers: a line, then an echo
  actors.py udp ADDR SECONDS PORT...         servers: an echo
  actors.py ask SRC DST PORT [N]             N TCP connections, one by one
  actors.py askudp SRC DST PORT [N]          N UDP questions, one by one
  actors.py talk SRC DST PORT SECONDS        a connection with a word each 2 s
  actors.py again SRC SPORT DST PORT fin|rst one connection from that port,
                                             closed that way
  actors.py p2p ADDR PORT SECONDS PEER...    TCP and UDP on one port: accepts
                                             from anybody, and asks each PEER
                                             (an address) at the same port
  actors.py ftpd ADDR SECONDS                an FTP server: PASV, PORT, LIST
  actors.py ftp SRC DST pasv|port            a client of it
  actors.py flood DST OPEN CLOSED N          N SYNs with forged sources, a
                                             quarter of them to port CLOSED
  actors.py backscatter SRC N NET            N answers to nothing into the /24
                                             of NET: SYN-ACK, RST-ACK, RST

Every command ends by itself. flood and backscatter need a raw socket.
"""
import os
import random
import socket
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pcap     # noqa: E402

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


def bound(kind, addr, port=0):
    s = socket.socket(socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == TCP or port:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind((addr, int(port)))
    s.settimeout(3)
    return s


def in_thread(call, *args):
    t = threading.Thread(target=call, args=args, daemon=True)
    t.start()
    return t


# ------------------------------------------------------------------- servers
def converse(c):
    with c:
        try:
            c.settimeout(120)
            c.sendall(b"ready\n")
            while True:
                word = c.recv(256)
                if not word:
                    return
                c.sendall(word)
        except OSError:
            pass


def accept_until(s, end, call):
    s.listen(64)
    s.settimeout(0.5)
    while time.monotonic() < end:
        try:
            c, _ = s.accept()
        except (socket.timeout, ConnectionError):
            continue
        in_thread(call, c)


def echo_until(s, end):
    s.settimeout(0.5)
    while time.monotonic() < end:
        try:
            word, who = s.recvfrom(2048)
            if word != b"echo":         # what two such would send for ever
                s.sendto(b"echo", who)
        except (socket.timeout, ConnectionError):
            continue


def tcp(addr, seconds, *ports):
    end = time.monotonic() + float(seconds)
    for t in [in_thread(accept_until, bound(TCP, addr, p), end, converse)
              for p in ports]:
        t.join()


def udp(addr, seconds, *ports):
    end = time.monotonic() + float(seconds)
    for t in [in_thread(echo_until, bound(UDP, addr, p), end) for p in ports]:
        t.join()


# ------------------------------------------------------------------- clients
def exchange(s):
    s.recv(64)
    s.sendall(b"hello\n")
    s.recv(64)


def ask(src, dst, port, times="1"):
    for _ in range(int(times)):
        with bound(TCP, src) as s:
            s.connect((dst, int(port)))
            exchange(s)
        time.sleep(0.05)


def askudp(src, dst, port, times="1"):
    for _ in range(int(times)):
        with bound(UDP, src) as s:
            s.sendto(b"hello", (dst, int(port)))
            s.recv(64)
        time.sleep(0.05)


def talk(src, dst, port, seconds):
    end = time.monotonic() + float(seconds)
    with bound(TCP, src) as s:
        s.connect((dst, int(port)))
        s.recv(64)
        while time.monotonic() < end:
            s.sendall(b"still here\n")
            s.recv(64)
            time.sleep(2)


def again(src, sport, dst, port, how):
    with bound(TCP, src, sport) as s:
        if how == "rst":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
        try:
            s.connect((dst, int(port)))
            exchange(s)
        except OSError as e:
            print("again: %s" % e)


# ----------------------------------------------------------------------- P2P
def p2p(addr, port, seconds, *peers):
    end = time.monotonic() + float(seconds)
    threads = [in_thread(accept_until, bound(TCP, addr, port), end, converse)]
    u = bound(UDP, addr, port)
    threads.append(in_thread(echo_until, u, end))
    time.sleep(0.5)
    for peer in peers:
        try:
            u.sendto(b"ping", (peer, int(port)))
            with bound(TCP, addr, port) as s:
                s.connect((peer, int(port)))
                exchange(s)
        except OSError as e:
            print("p2p: %s: %s" % (peer, e))
        time.sleep(0.1)
    for t in threads:
        t.join()


# ----------------------------------------------------------------------- FTP
def ftp_address(text):
    n = text.strip(" .()\r\n").split(",")
    return ".".join(n[:4]), int(n[4]) * 256 + int(n[5])


def ftp_words(addr, port):
    return "%s,%d,%d" % (addr.replace(".", ","), port >> 8, port & 255)


def ftp_session(c):
    here = c.getsockname()[0]
    data = None
    with c, c.makefile("rw", newline="\r\n") as f:
        def say(text):
            f.write(text + "\r\n")
            f.flush()

        say("220 lab")
        for line in f:
            word, _, rest = line.strip().partition(" ")
            if word == "PASV":
                listener = bound(TCP, here)
                listener.listen(1)
                data = (listener, None)
                say("227 Passive (%s)" % ftp_words(
                    here, listener.getsockname()[1]))
            elif word == "PORT":
                data = (None, ftp_address(rest))
                say("200 PORT")
            elif word == "LIST":
                say("150 here it comes")
                if data[0] is not None:
                    d, _ = data[0].accept()
                    data[0].close()
                else:
                    d = bound(TCP, here, 20)
                    d.connect(data[1])
                with d:
                    d.sendall(b"a file of the lab\r\n" * 20)
                say("226 done")
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say("230 yes")


def ftpd(addr, seconds):
    accept_until(bound(TCP, addr, 21), time.monotonic() + float(seconds),
                 ftp_session)


def ftp(src, dst, how):
    with bound(TCP, src) as s:
        s.connect((dst, 21))
        f = s.makefile("rw", newline="\r\n")
        listener = None

        def command(text):
            f.write(text + "\r\n")
            f.flush()
            return f.readline()

        f.readline()
        command("USER lab")
        if how == "pasv":
            d = bound(TCP, src)
            where = ftp_address(command("PASV").partition("(")[2])
            f.write("LIST\r\n")
            f.flush()
            d.connect(where)
            f.readline()
        else:
            listener = bound(TCP, src)
            listener.listen(1)
            command("PORT " + ftp_words(src, listener.getsockname()[1]))
            command("LIST")
            d, _ = listener.accept()
        with d:
            while d.recv(4096):
                pass
        if listener is not None:
            listener.close()
        f.readline()
        command("QUIT")


# ---------------------------------------------------------------- raw packets
def raw_sender():
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(src, sport, dst, dport, flags, ack=0):
        a, b = socket.inet_aton(src), socket.inet_aton(dst)
        options = b"\x02\x04\x05\xb4" if flags & 2 else b""
        tcp_head = struct.pack("!HHIIBBHHH", sport, dport,
                               random.getrandbits(32), ack,
                               (5 + len(options) // 4) << 4, flags, 8192, 0,
                               0) + options
        total = pcap.checksum(a + b + struct.pack("!BBH", 0, 6, len(tcp_head))
                              + tcp_head)
        tcp_head = tcp_head[:16] + struct.pack("!H", total) + tcp_head[18:]
        s.sendto(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp_head),
                             random.getrandbits(16), 0, 64, 6, 0, a, b)
                 + tcp_head, (dst, 0))

    return send


def flood(dst, port, closed, count):
    send = raw_sender()
    for i in range(int(count)):
        src = "100.64.%d.%d" % (random.randrange(256), random.randrange(1, 255))
        send(src, random.randrange(1024, 65536), dst,
             int(closed if i % 4 == 3 else port), 0x02)
        time.sleep(0.01)


def backscatter(src, count, net):
    """Half of it SYN-ACKs, some of those again."""
    send = raw_sender()
    base = net.rsplit(".", 1)[0]
    for i in range(int(count)):
        to = ("%s.%d" % (base, random.randrange(1, 255)),
              random.randrange(1024, 65536))
        flags = (0x12, 0x14, 0x12, 0x04)[i % 4]
        for _ in range(3 if i % 10 == 0 else 1):
            send(src, (80, 443)[i % 2], *to, flags, 1)
            time.sleep(0.01)


def main(argv):
    calls = {f.__name__: f for f in (tcp, udp, ask, askudp, talk, again, p2p,
                                     ftpd, ftp, flood, backscatter)}
    if len(argv) < 2 or argv[0] not in calls:
        sys.exit(__doc__)
    random.seed(1)      # the same forged addresses each time
    calls[argv[0]](*argv[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
