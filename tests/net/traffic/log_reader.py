#!/usr/bin/env python3
"""A syslog daemon: log_reader.py SOCKET FILE writes each datagram that comes as a line."""
import os
import socket
import sys


def main():
    path, out = sys.argv[1:]
    if os.path.exists(path):
        os.unlink(path)
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(path)
    os.chmod(path, 0o666)
    with open(out, "a", buffering=1) as file:
        while True:
            file.write(log.recv(8192).decode().rstrip("\n") + "\n")


if __name__ == "__main__":
    main()
