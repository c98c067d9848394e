# SPDX-License-Identifier: Apache-2.0
"""Capture files (pcap, not pcapng), read and written without a library.

  pcap.py merge OUT IN[=ADDRESS][+MS]...

merge puts captures of export datagrams into one, in the order of time. The
datagrams of each come from ADDRESS then (IPv4 over Ethernet or raw only), and
arrive MS later: as if the exporter's clock were that much behind. -MS is
earlier.
"""
import heapq
import re
import socket
import struct
import sys

ETHERNET, RAW = 1, 101
RAW_TYPES = (12, 14, RAW)
MAGICS = {0xa1b2c3d4: 1000000, 0xa1b23c4d: 1000000000}


def read(path):
    """Yield (seconds, link type, frame) for each packet."""
    with open(path, "rb") as f:
        head = f.read(24)
        order = next((o for o in "<>" if struct.unpack(o + "I", head[:4])[0]
                      in MAGICS), None)
        if order is None:
            raise ValueError(path + " is not a pcap file")
        unit = MAGICS[struct.unpack(order + "I", head[:4])[0]]
        link = struct.unpack(order + "I", head[20:24])[0] & 0xffff
        while True:
            head = f.read(16)
            if len(head) < 16:
                return
            s, part, caught, _ = struct.unpack(order + "IIII", head)
            yield s + part / unit, link, f.read(caught)


class Writer:
    def __init__(self, path, link=RAW):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535,
                                    link))

    def add(self, when, frame):
        us = round(when * 1000000)
        self.file.write(struct.pack("<IIII", us // 1000000, us % 1000000,
                                    len(frame), len(frame)) + frame)

    def close(self):
        self.file.close()


def network(link, frame):
    """The IP packet of a frame, or None."""
    if link in RAW_TYPES:
        return frame
    if link == 0:                               # BSD loopback
        return frame[4:]
    if link == ETHERNET:
        at = 12
    elif link == 113:                           # Linux cooked
        at = 14
    elif link == 276:                           # Linux cooked 2
        return frame[20:] if frame[:2] in (b"\x08\x00", b"\x86\xdd") else None
    else:
        return None
    while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    if frame[at:at + 2] not in (b"\x08\x00", b"\x86\xdd"):
        return None
    return frame[at + 2:]


def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def datagram(source, port, payload, target="127.0.0.1"):
    """A UDP datagram over IPv4, to port; its checksum left out."""
    udp = struct.pack("!HHHH", 40000, port, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17,
                       0, socket.inet_aton(source), socket.inet_aton(target))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp


def renamed(packet, address):
    """The same UDP datagram from another address."""
    size = (packet[0] & 15) * 4
    head = packet[:10] + b"\0\0" + socket.inet_aton(address) + packet[16:size]
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return head + packet[size:size + 6] + b"\0\0" + packet[size + 8:]


def one_input(text):
    path, address, ms = re.fullmatch(
        r"([^=+]+?)(?:=([0-9.]+))?(?:([+-][0-9]+))?", text).groups()
    for when, link, frame in read(path):
        packet = network(link, frame)
        if packet is None or packet[0] >> 4 != 4 or packet[9] != 17:
            continue
        if address is not None:
            packet = renamed(packet, address)
        yield when + int(ms or 0) / 1000, packet


def merge(out, *inputs):
    writer = Writer(out)
    for when, packet in heapq.merge(*(one_input(i) for i in inputs)):
        writer.add(when, packet)
    writer.close()


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] != "merge":
        sys.exit(__doc__)
    merge(*sys.argv[2:])
