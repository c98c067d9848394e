# SPDX-License-Identifier: Apache-2.0
"""Send the datagrams of a capture (Ethernet, IPv4, no options), some of them.

  resend.py CAPTURE SOURCE PORT FIRST:[LAST][-LEFT_OUT]
"""
import socket, struct, sys, time
path, source, port, wanted = sys.argv[1:5]
wanted, _, left_out = wanted.partition("-")
first, _, last = wanted.partition(":")
octets = open(path, "rb").read()
datagrams, at = [], 24
while at < len(octets):
    length = struct.unpack_from("<I", octets, at + 8)[0]
    datagrams.append(octets[at + 16 + 14 + 20 + 8 : at + 16 + length])
    at += 16 + length
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((source, 0))
for i, d in enumerate(datagrams):
    if int(first) <= i <= int(last or len(datagrams)) and str(i) != left_out:
        s.sendto(d, ("127.0.0.1", int(port)))
        time.sleep(0.002)
