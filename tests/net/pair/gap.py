#!/usr/bin/env python3
"""gap.py ADDRESS PORT: asks again and again until SIGTERM; prints a line when it is answered for
the first time, and at the end the longest time without an answer after that, ms."""
import signal
import socket
import sys
import time


def main():
    place = (sys.argv[1], int(sys.argv[2]))
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    last, longest = None, 0
    while not stopped:
        try:
            with socket.create_connection(place, timeout=0.1) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
                if connection.recv(100):
                    now = time.monotonic()
                    if last is None:
                        print("answered", flush=True)
                    longest, last = max(longest, now - (last or now)), now
        except OSError:
            pass
        time.sleep(0.005)
    longest = max(longest, time.monotonic() - (last or time.monotonic()))
    print(round(longest * 1000))


if __name__ == "__main__":
    main()
