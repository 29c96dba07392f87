#!/usr/bin/env python3
"""An amphora whose agent is killed with -9 in the middle of uploads, reloads, deletions and plugs, at random points:
each next agent arrives at the last state that was acknowledged, and traffic goes on.

killed.py [--times N] [--seed N]
"""
import argparse
import http.client
import random
import threading
import time

import machine
from machine import SPACE, UDP, Machine, answers, ip, until

EXTRA = "203.0.113.1{:02d}"


class Controller(threading.Thread):
    """Changes everything, one request after the other, until the agent is killed. For each thing it knows the last
    acknowledged state and, when the agent died over a request, the one that this would have made."""

    def __init__(self, box, rng):
        super().__init__(daemon=True)
        self.box, self.rng = box, rng
        self.acknowledged = {"haproxy": None, "lvs": None, "plug": ("203.0.113.2",)}
        self.in_flight = {}  # thing: state; empty: nothing
        self.requests, self.wrong = 0, None

    def run(self):
        try:
            connection = self.box.connection()
            while True:
                self.step(connection)
        except (OSError, http.client.HTTPException):
            pass  # the agent was killed
        except AssertionError as error:
            self.wrong = error

    def step(self, connection):
        box, number = self.box, self.rng.randrange(1, 200)
        what = self.rng.choice(("haproxy", "haproxy", "lvs", "lvs", "plug", "drop"))
        if what == "haproxy":
            text = machine.haproxy_text([number], (80, 81) if number % 2 else (80,))
            self.change("haproxy", text, lambda: box.put_haproxy(text, connection))
            box.reload(machine.LB, connection)
        elif what == "lvs":
            text = machine.lvs_text(number)
            self.change("lvs", text, lambda: box.put_lvs(text, connection))
            box.reload(UDP, connection)
        elif what == "drop":
            self.change("lvs", None, lambda: box.must("DELETE", f"/1.0/listeners/{UDP}", None, connection))
        else:
            addresses = ("203.0.113.2", EXTRA.format(number % 50))[:1 + number % 2]
            body = box.network_body(*addresses)
            self.change("plug", addresses, lambda: box.must("POST", "/1.0/plug/network", body, connection))
        self.requests += 1

    def change(self, thing, state, request):
        self.in_flight = {thing: state}
        request()
        self.acknowledged[thing] = state
        self.in_flight = {}

    def expected(self, thing):
        states = [self.acknowledged[thing]]
        if thing in self.in_flight:
            states.append(self.in_flight[thing])
        return states


def stored(box, path):
    status, text = box.call("GET", path)
    return text.decode() if status == 200 else None


def plugged():
    words = ip(SPACE, "-br", "-4", "addr", "show", "dev", "eth2").split()[2:]
    return tuple(sorted(word.split("/")[0] for word in words))


def settled(box):
    status = box.shown("/v1/status")["reconcile"]
    return status["runs"] > 0 and status["error"] is None and not status["problems"]


def check(box, controller, turn):
    """The state is one that the controller may expect, and the machine does what it says."""
    seen = {"haproxy": stored(box, f"/1.0/loadbalancer/{machine.LB}/haproxy"),
            "lvs": stored(box, f"/1.0/listeners/{UDP}/udp_listener")}
    for thing, state in seen.items():
        if state not in controller.expected(thing):
            raise AssertionError(f"{turn}: {thing} is\n{state}\nnot one of\n{controller.expected(thing)}")
        controller.acknowledged[thing] = state
    until(10, "the machine to be as planned", lambda: settled(box))
    wanted = [tuple(sorted(addresses)) for addresses in controller.expected("plug")]
    until(10, f"{wanted} on eth2", lambda: plugged() in wanted)
    controller.acknowledged["plug"] = plugged()
    members = [member["weight"] for pool in box.shown("/v2.0/lbaas/pools")["pools"]
               for member in box.shown(f"/v2.0/lbaas/pools/{pool['id']}/members")["members"]]
    texts = (seen["haproxy"] or "") + (seen["lvs"] or "")
    said = [int(line.split("weight ")[1]) for line in texts.splitlines() if " weight " in line]
    if sorted(members) != sorted(said):
        raise AssertionError(f"{turn}: weights are {members}, not {said}")
    until(5, "port 80", lambda: answers(80))
    if answers(81) != (":81\n" in seen["haproxy"]):
        raise AssertionError(f"{turn}: port 81 is served, or is not, unlike the text")
    if seen["lvs"] is not None:
        until(5, "port 53", lambda: answers(53, udp=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    with Machine() as box:
        box.start()
        box.plug_vip()
        box.plug_network("203.0.113.2")
        text = machine.haproxy_text([1])
        box.put_haproxy(text)
        box.reload(machine.LB)
        until(10, "port 80", lambda: answers(80))
        state, requests = {"haproxy": text, "lvs": None, "plug": ("203.0.113.2",)}, 0
        for turn in range(1, options.times + 1):
            controller = Controller(box, rng)
            controller.acknowledged = dict(state)
            controller.start()
            time.sleep(rng.uniform(0.005, 0.4))
            box.kill()
            controller.join(30)
            if controller.wrong:
                raise controller.wrong
            box.start()
            check(box, controller, turn)
            state, requests = controller.acknowledged, requests + controller.requests
        print(f"ok   killed {options.times} times over {requests} changes: each time the last acknowledged state")


if __name__ == "__main__":
    main()
