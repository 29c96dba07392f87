#!/usr/bin/env python3
"""Datagrams whose fragments are sent last one first, both ways.

backwards.py serve INTERFACE MAC PORT                  each datagram goes back as it came, by fragments
backwards.py ask INTERFACE MAC ADDRESS PORT BYTES...   sends each until an answer comes; prints {"asked", "answered", "tries"}
backwards.py lose INTERFACE MAC ADDRESS PORT COUNT     sends so many fragments whose first one never comes

`MAC`: of the load balancer's interface."""
import itertools
import json
import socket
import sys
import threading

from packets import UDP, Packet, fragments, packed, udp, with_sum

PIECE = 1400
OWN_MAC = bytes.fromhex("0200000000fe")
TRIES, PATIENCE = 40, 0.5  # on a busy machine the first one may come too late
MARKS = itertools.count(1)


def wire_of(interface):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((interface, 0))
    return wire


def pieces(here, there, data, mac):
    """Frames, last one first; `here`, `there`: address and port."""
    source, to = packed(here[0]), packed(there[0])
    packet = with_sum(Packet(source, to, UDP, udp(here[1], there[1], data), mark=next(MARKS)))
    head = bytes.fromhex(mac.replace(":", "")) + OWN_MAC + (b"\x08\0" if len(to) == 4 else b"\x86\xdd")
    return [head + piece for piece in reversed(fragments(packet, PIECE))]


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve_one(family, interface, mac, port):
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind(("", port))
        wire = wire_of(interface)
        while True:
            data, there = probe.recvfrom(1 << 16)
            with socket.socket(family, socket.SOCK_DGRAM) as own:
                own.connect(there[:2])
                here = own.getsockname()[0]
            for frame in pieces((here, port), there, data, mac):
                wire.send(frame)


def ask(interface, mac, address, port, sizes):
    wire, answered, tries = wire_of(interface), 0, 0
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as own:
        own.connect((address, port))
        own.settimeout(PATIENCE)
        for size in sizes:
            for number in range(TRIES):
                tries += 1
                data = number.to_bytes(2, "big") + bytes(i % 251 for i in range(size - 2))
                for frame in pieces(own.getsockname(), (address, port), data, mac):
                    wire.send(frame)
                try:
                    if own.recv(1 << 16) == data:
                        answered += 1
                        break
                except (socket.timeout, ConnectionError):
                    continue
    return {"asked": len(sizes), "answered": answered, "tries": tries}


def lose(interface, mac, address, port, count):
    wire = wire_of(interface)
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as own:
        own.connect((address, port))
        for _ in range(count):
            wire.send(pieces(own.getsockname(), (address, port), bytes(3000), mac)[0])


def main():
    what, interface, mac = sys.argv[1:4]
    if what == "serve":
        for family in (socket.AF_INET, socket.AF_INET6):
            threading.Thread(target=serve_one, args=(family, interface, mac, int(sys.argv[4]))).start()
    elif what == "ask":
        print(json.dumps(ask(interface, mac, sys.argv[4], int(sys.argv[5]), [int(size) for size in sys.argv[6:]])))
    else:
        lose(interface, mac, sys.argv[4], int(sys.argv[5]), int(sys.argv[6]))


main()
