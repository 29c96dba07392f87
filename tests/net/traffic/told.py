#!/usr/bin/env python3
"""Both ends of a connection, and what is on the wire beside them.

told.py serve PORT OUT              answers each connection's first bytes, then waits for its end; one
                                    line in OUT for each: the name that its client said, and its end
told.py connect HOST PORT NAME [half|again SECONDS]
                                    says NAME and waits for the end, which it prints: "reset" or what
                                    else; half: it has closed its own side; again: it says more then
told.py watch INTERFACE OUT         a JSON line in OUT for each RST that comes in
told.py syn FROM HOST PORT          one SYN from an address that is nobody's
"""
import errno
import json
import os
import select
import socket
import struct
import sys
import threading
import time

from packets import SYN, TCP, Packet, packed, tcp, wire, with_sum

PATIENCE = 20


def end_of(connection):
    try:
        data = connection.recv(4096)
        return "closed" if not data else f"said {data!r}"
    except ConnectionResetError:
        return "reset"
    except socket.timeout:
        return "nothing"


def serve(port, out):
    lines = open(out, "a", buffering=1)

    def answer(connection):
        name = connection.recv(4096)
        connection.sendall(b"hello " + name)
        end = end_of(connection)
        while end.startswith("said"):
            connection.sendall(b"more")
            end = end_of(connection)
        if end == "closed":  # by the client; this side stays open, and hears of nothing but errors
            poll = select.poll()
            poll.register(connection, 0)
            poll.poll(PATIENCE * 1000)
            error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            end = "reset" if error in (errno.ECONNRESET, errno.EPIPE) else os.strerror(error)
        lines.write(f"{name.decode()} {end}\n")

    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                                    backlog=100)
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def connect(host, port, name, how="", seconds="0"):
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(name.encode())
        if connection.recv(4096) != b"hello " + name.encode():
            sys.exit("another answer")
        if how == "half":
            connection.shutdown(socket.SHUT_WR)
        if how == "again":
            time.sleep(float(seconds))
            connection.sendall(b"again")
            if connection.recv(4096) != b"more":
                sys.exit("no more")
        print(end_of(connection))


def segment_of(packet):
    """(source, destination, TCP segment) of an IP packet; None: it is none."""
    if packet[0] >> 4 == 4 and packet[9] == 6:
        length = struct.unpack("!H", packet[2:4])[0]
        return packet[12:16], packet[16:20], packet[(packet[0] & 15) * 4:length]
    if packet[0] >> 4 == 6 and packet[6] == 6:
        length = struct.unpack("!H", packet[4:6])[0]
        return packet[8:24], packet[24:40], packet[40:40 + length]
    return None


def text(address, port):
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
    return f"{socket.inet_ntop(family, address)} {port}"


def watch(interface, out):
    lines = open(out, "a", buffering=1)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((interface, 0))
    nexts = {}  # of each direction: the number of its next byte
    while True:
        frame, where = wire.recvfrom(65536)
        found = segment_of(frame[14:]) if frame[12:14] in (b"\x08\x00", b"\x86\xdd") else None
        if not found:
            continue
        source, destination, tcp = found
        sport, dport, seq, ack, offset, flags = struct.unpack("!HHIIBB", tcp[:14])
        here, back = (text(source, sport), text(destination, dport)), \
            (text(destination, dport), text(source, sport))
        if not flags & 4:
            size = len(tcp) - (offset >> 4) * 4 + bool(flags & 2) + bool(flags & 1)
            nexts[here] = (seq + size) & 0xffffffff
        elif where[2] != socket.PACKET_OUTGOING:
            lines.write(json.dumps({
                "from": here[0], "to": here[1], "acknowledges": bool(flags & 16), "seq": seq,
                "ack": ack, "awaited": nexts.get(here), "sent": nexts.get(back)}) + "\n")


def syn(source, host, port):
    segment = tcp(33333, int(port), 77, 0, SYN)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(wire(with_sum(Packet(packed(source), packed(host), TCP, segment))), (host, 0))


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]), sys.argv[3])
elif sys.argv[1] == "connect":
    connect(*sys.argv[2:])
elif sys.argv[1] == "watch":
    watch(*sys.argv[2:])
else:
    syn(*sys.argv[2:])
