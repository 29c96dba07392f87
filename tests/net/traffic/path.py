#!/usr/bin/env python3
"""Ends that care how large their packets are: bulk TCP either way, and datagrams up to the largest.

path.py serve PORT...       TCP: one line "get BYTES" or "put BYTES"; UDP: each datagram goes back as it came
path.py get|put ADDRESS PORT BYTES    moves so much over TCP, and prints {"bytes", "seconds", "path_mtu"}
path.py echo ADDRESS PORT BYTES...    sends each, up to three times; prints {"asked", "answered", "path_mtu"}
"""
import json
import os
import socket
import sys
import threading
import time

IP_MTU, IPV6_MTU = 14, 24
BLOCK = bytes(range(256)) * 256


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def path_mtu(sock):
    """What this socket's own side has learned."""
    if sock.family == socket.AF_INET6:
        return sock.getsockopt(socket.IPPROTO_IPV6, IPV6_MTU)
    return sock.getsockopt(socket.IPPROTO_IP, IP_MTU)


def send_all(sock, count):
    while count > 0:
        count -= sock.send(BLOCK[:min(count, len(BLOCK))])


def take_all(sock, count):
    got = 0
    while got < count:
        part = sock.recv(1 << 16)
        if not part:
            break
        got += len(part)
    return got


def serve_one(sock):
    with sock:
        line = b""
        while not line.endswith(b"\n"):
            line += sock.recv(1)
        what, count = line.split()
        if what == b"get":
            send_all(sock, int(count))
            sock.shutdown(socket.SHUT_WR)
            sock.recv(1)
        else:
            sock.sendall(b"%d\n" % take_all(sock, int(count)))


def serve_tcp(port):
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        while True:
            threading.Thread(target=serve_one, args=(listener.accept()[0],), daemon=True).start()


def serve_udp(family, port):
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind(("", port))
        while True:
            data, peer = sock.recvfrom(1 << 16)
            try:
                sock.sendto(data, peer)
            except OSError:  # its path has become smaller: whoever asks does so again
                pass


def serve(ports):
    for port in map(int, ports):
        threading.Thread(target=serve_tcp, args=(port,)).start()
        for family in (socket.AF_INET, socket.AF_INET6):
            threading.Thread(target=serve_udp, args=(family, port)).start()


def move(what, address, port, count):
    begin = time.monotonic()
    with socket.create_connection((address, port), timeout=20) as sock:
        sock.sendall(f"{what} {count}\n".encode())
        if what == "get":
            moved = take_all(sock, count)
        else:
            send_all(sock, count)
            moved = int(sock.makefile().readline())
        return {"bytes": moved, "seconds": round(time.monotonic() - begin, 2), "path_mtu": path_mtu(sock)}


def echo(address, port, sizes):
    answered = []
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.settimeout(1)
        sock.connect((address, port))
        for size in sizes:
            data = os.urandom(size)
            for _ in range(4):
                try:
                    sock.send(data)
                    back = sock.recv(1 << 16)
                except OSError:  # nothing came, or the path has become smaller
                    continue
                if back == data:
                    answered.append(size)
                    break
        return {"asked": sizes, "answered": answered, "path_mtu": path_mtu(sock)}


def main():
    what, *rest = sys.argv[1:]
    if what == "serve":
        serve(rest)
    elif what == "echo":
        print(json.dumps(echo(rest[0], int(rest[1]), list(map(int, rest[2:])))))
    else:
        print(json.dumps(move(what, rest[0], int(rest[1]), int(rest[2]))))


main()
