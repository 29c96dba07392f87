#!/usr/bin/env python3
"""An amphora's flow log: a connection that XDP carried is a line where the uploaded haproxy.cfg says, before and after a
restart of the agent, until a text says `no log`."""
import pathlib
import socket
import subprocess
import sys

import machine
from machine import LB, VIP, Machine, until

PLACE = pathlib.Path("/run/rsyslog/octavia/log")
FORMAT = (f"    log-format project\\ {LB}\\ %f\\ %ci\\ %cp\\ %t\\ -\\ -\\ %B\\ %U\\ %[ssl_c_verify]\\ "
          "%{+Q}[ssl_c_s_dn]\\ %b\\ %s\\ %Tt\\ %tsc")


def text(logs):
    written = machine.haproxy_text([1]).replace("    timeout client 50000", f"    timeout client 50000\n{FORMAT}")
    return written if logs else written.replace("    log global", "    no log")


class Log:
    def __init__(self):
        PLACE.parent.mkdir(parents=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(PLACE))
        self.socket.settimeout(0.1)

    def line(self):
        """None: there is none yet."""
        try:
            return self.socket.recv(4096).decode()
        except TimeoutError:
            return None


def ask():
    """One connection; its port."""
    code = (f"import socket; s = socket.create_connection(('{VIP}', 80), 2);"
            "s.sendall(b'GET / HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n');"
            "assert s.recv(100); print(s.getsockname()[1])")
    done = subprocess.run(("ip", "netns", "exec", "client", sys.executable, "-c", code), capture_output=True, text=True)
    return done.stdout.strip() or None


def expect_line(log, when):
    found, port = [], ask()
    until(20, f"a line {when}", lambda: found.append(log.line()) or f" {port} " in (found[-1] or ""))
    listener, pool = machine.uuid("11111111", 101), machine.uuid("22222222", 1)
    words = found[-1].split("]: ")[1].split()
    wanted = ["project", LB, listener, machine.CLIENT, port, "-", "-", "-", '""', f"{pool}:{listener}",
              machine.uuid("33333331", 0), "----"]
    seen = words[:5] + words[6:8] + words[10:14] + words[15:]
    if seen != wanted or not found[-1].startswith("<134>") or "haproxy[" not in found[-1]:
        raise AssertionError(f"{when}: {found[-1]}")
    print(f"ok   {when}: {found[-1].strip()}")


def main():
    with Machine() as box:
        log = Log()
        box.start()
        box.plug_vip()
        box.plug_network("203.0.113.2")
        box.put_haproxy(text(True))
        box.reload(LB)
        until(10, "port 80", ask)
        expect_line(log, "after an upload")
        box.kill()
        box.start()
        expect_line(log, "after a restart")
        box.put_haproxy(text(False))
        box.reload(LB)
        until(3, "the connections before", lambda: log.line() is None)
        if ask() is None:
            raise AssertionError("port 80 is not served")
        for _ in range(100):  # 10 s: such a connection is logged after 7 at most
            if line := log.line():
                raise AssertionError(f"no log was asked for: {line}")
        print("ok   a text that says `no log` has none")


if __name__ == "__main__":
    main()
