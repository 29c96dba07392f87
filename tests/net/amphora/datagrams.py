#!/usr/bin/env python3
"""Datagrams at a fixed rate through uploads and reloads of their listener's text: none is lost.

datagrams.py [--uploads N] [--rate N]
"""
import argparse
import json
import socket
import subprocess
import sys
import time

import machine
from machine import UDP, VIP, Machine, until


def send(rate, seconds):
    """In the client's namespace: prints what was sent and answered. Sockets change, so that flows begin all the time."""
    sockets, sent, answered = [], 0, 0
    begun = time.monotonic()

    def read_all():
        nonlocal answered
        for one in sockets:
            try:
                while one.recv(2048):
                    answered += 1
            except BlockingIOError:
                pass

    while time.monotonic() - begun < seconds:
        if sent % 10 == 0:
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.setblocking(False)
            one.connect((VIP, 53))
            sockets.append(one)
        # Every flow has datagrams until the end.
        sockets[sent * 7 % len(sockets)].send(f"datagram {sent}".encode())
        sent += 1
        read_all()
        time.sleep(max(0, begun + sent / rate - time.monotonic()))
    end = time.monotonic() + 3
    while answered < sent and time.monotonic() < end:
        read_all()
        time.sleep(0.01)
    print(json.dumps({"sent": sent, "answered": answered, "flows": len(sockets)}))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=20)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--send", type=float)
    options = parser.parse_args()
    if options.send:
        return send(options.rate, options.send)
    with Machine() as box:
        box.start()
        box.plug_vip()
        box.plug_network("203.0.113.2")
        box.put_lvs(machine.lvs_text(1))
        box.reload(UDP)
        probe = [sys.executable, __file__, "--rate", "10", "--send", "0.3"]
        until(10, "the first answers", lambda: json.loads(subprocess.run(
            ["ip", "netns", "exec", "client", *probe], capture_output=True, text=True, check=True).stdout)["answered"] > 2)
        apart = 0.3
        sender = box.run_in("client", sys.executable, __file__, "--rate", str(options.rate), "--send",
                            str(apart * (options.uploads + 4)), stdout=subprocess.PIPE, text=True)
        time.sleep(apart)
        for number in range(options.uploads):
            box.put_lvs(machine.lvs_text(1 + number % 5))
            box.reload(UDP)
            time.sleep(apart)
        result = json.loads(sender.communicate()[0])
        if result["sent"] != result["answered"] or result["sent"] < 100 * options.uploads * apart:
            raise AssertionError(f"{result}")
        print(f"ok   {result['sent']} datagrams of {result['flows']} flows through {options.uploads} uploads and reloads: "
              "0 lost")


if __name__ == "__main__":
    main()
