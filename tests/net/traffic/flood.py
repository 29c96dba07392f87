#!/usr/bin/env python3
"""SYNs from random ports of a network's hosts, as fast as they go: flood.py INTERFACE MAC NETWORK VIP PORT SECONDS.

Prints how many. `MAC`: of the load balancer's interface."""
import ipaddress
import random
import socket
import sys
import time

from packets import SYN, TCP, Packet, packed, tcp, wire, with_sum

PREPARED = 16384  # frames, which are sent over and over
AT_ONCE = 256
OWN_MAC = bytes.fromhex("0200000000ff")


def syn(network, vip, port):
    host = network[random.randrange(1, network.num_addresses - 1)].packed
    segment = tcp(random.randrange(1024, 65536), port, random.getrandbits(32), 0, SYN)
    return wire(with_sum(Packet(host, packed(vip), TCP, segment)))


def main():
    interface, mac, network, vip, port, seconds = sys.argv[1:]
    network = ipaddress.ip_network(network)
    head = bytes.fromhex(mac.replace(":", "")) + OWN_MAC + (b"\x08\0" if network.version == 4 else b"\x86\xdd")
    frames = [head + syn(network, vip, int(port)) for _ in range(PREPARED)]
    wires = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wires.bind((interface, 0))
    sent, end = 0, time.monotonic() + float(seconds)
    while time.monotonic() < end:
        for frame in frames[sent % PREPARED:][:AT_ONCE]:
            try:
                wires.send(frame)
            except OSError:  # the queue is full
                continue
        sent += AT_ONCE
    print(sent)


main()
