"""A machine in QEMU that boots an image: its console, its monitor, its shell."""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

MANAGEMENT_MAC = "fa:16:3e:00:00:10"


def until(seconds, what, done, every=1.0):
    """The first true answer of `done`, and how long it took."""
    begin = time.monotonic()
    while True:
        answer = done()
        if answer:
            return answer, time.monotonic() - begin
        if time.monotonic() - begin > seconds:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(every)


class Monitor:
    """QMP, one command at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rw")
        self.lines.readline()  # who it is
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            answer = json.loads(self.lines.readline())
            if "error" in answer:
                raise AssertionError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]


class Guest:
    """Management by QEMU's own network: the machine sees this one as 10.0.2.2, and is 127.0.0.1:9443 and :2222."""

    def __init__(self, folder, image, drive, memory="512M", cpus=2):
        self.folder = pathlib.Path(folder)
        self.console = self.folder / "console.log"
        disk = self.folder / "disk.qcow2"
        subprocess.run(("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(image), str(disk), "4G"),
                       check=True)
        accelerator = os.environ.get("IMAGE_ACCEL", "tcg,thread=multi")
        self.qemu = subprocess.Popen(
            ("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc",
             "-accel", accelerator, "-cpu", "max", "-smp", str(cpus), "-m", memory,
             "-drive", f"file={disk},if=virtio,cache=unsafe", "-drive", f"file={drive},if=virtio,format=raw,readonly=on",
             "-netdev", "user,id=management,hostfwd=tcp:127.0.0.1:9443-:9443,hostfwd=tcp:127.0.0.1:2222-:22",
             "-device", f"virtio-net-pci,netdev=management,mac={MANAGEMENT_MAC}", "-device", "virtio-rng-pci",
             "-serial", f"file:{self.console}", "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off"))
        until(20, "QEMU's monitor", (self.folder / "qmp").exists, 0.1)
        self.monitor = Monitor(str(self.folder / "qmp"))

    def end(self):
        if self.qemu.poll() is None:
            self.qemu.kill()
        self.qemu.wait()

    def plug(self, tap, mac, queues=4):
        """A NIC with its driver's back end, as a compute service attaches an interface."""
        self.monitor.ask("netdev_add", type="tap", id=tap, ifname=tap, script="no", downscript="no", queues=queues,
                         vhost=False)
        self.monitor.ask("device_add", driver="virtio-net-pci", netdev=tap, id=f"nic-{tap}", mac=mac, mq=True,
                         vectors=2 * queues + 2)

    def reset(self):
        """As the power button of the machine room: nobody in it is asked."""
        self.monitor.ask("system_reset")

    def run(self, command, timeout=120):
        """Its output, by root; AssertionError if it fails."""
        done = subprocess.run(
            ("ssh", "-i", str(self.folder / "key"), "-p", "2222", "-o", "StrictHostKeyChecking=no", "-o",
             "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=60", "root@127.0.0.1", command),
            capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command}: status {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def answers_ssh(self):
        try:
            return self.run("true") == ""
        except (AssertionError, subprocess.TimeoutExpired):
            return False

    def last_words(self, lines=25):
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        return "\n".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).splitlines()[-lines:])


def fail(message, guest=None):
    print(f"FAIL {message}", flush=True)
    if guest is not None:
        print(f"-- the console's last lines:\n{guest.last_words()}", file=sys.stderr)
    sys.exit(1)
