"""What became of the packets of all flows: counted, and judged."""
import collections

from packets import SCTP, TCP, UDP
from reasons import Step, reason_of

LEAST_THROUGH = 0.5  # of all packets, by both ways: fewer would compare little
SEEN = {  # what a run must have had by both ways: (of the event's name, of what became of it)
    "an ICMP error that goes on": ("unreachable", "icmp"),
    "an ICMP error about a size": ("too big", "icmp"),
    "a sender told of his last hop": ("last hop", "icmp"),
    "an RST to who has no flow": ("without a flow", "RST back"),
    "an RST that goes on": ("RST", "through"),
    "what is dropped": ("", "nothing"),
    "fragments": ("in fragments", "through"),
    "a packet that comes twice": ("twice", "through and through"),
    "options": ("no operation", "through"),
    "extension headers": ("destination", "through"),
}


class Tally:

    def __init__(self):
        self.events = self.alike = self.through = 0
        self.unseen = dict(SEEN)
        self.reasons = collections.Counter()
        self.faults = collections.Counter()
        self.examples = {}  # by fault: the history of the first flow

    def judge(self, flow, event, ours, kernels):
        """An event of a flow, which has it in its history afterwards."""
        flow.history.append(Step(flow.state, event.name, ours, kernels))
        self.events += 1
        if ours == kernels:
            self.alike += 1
            self.through += ours.startswith("through")
            self.unseen = {what: (name, outcome) for what, (name, outcome) in self.unseen.items()
                           if name not in event.name or not ours.startswith(outcome)}
            return
        reason = reason_of(flow.history)
        if reason:
            self.reasons[reason] += 1
            return
        proto = {TCP: f"TCP ({flow.state})", UDP: "UDP", SCTP: f"SCTP ({flow.state})"}[flow.proto]
        self.fault(f"IPv{flow.family} {proto}, {flow.history[-1]}", flow.history)

    def fault(self, what, history=()):
        self.faults[what] += 1
        self.examples.setdefault(what, list(history))

    def report(self):
        """Prints it. Whether all is right."""
        print(f"what became of {self.alike} of {self.events} is alike, {self.through} went through")
        if self.through < LEAST_THROUGH * self.events:
            self.fault("fewer went through by both ways than a comparison needs")
        for what in self.unseen:
            self.fault(f"{what}: there was none by both ways")
        for what, number in self.faults.most_common():
            print(f"FAIL {number} x {what}")
            print("".join(f"       {step}\n" for step in self.examples[what][-14:]), end="")
        for reason, number in self.reasons.most_common():
            print(f"{number:6} differ: {reason}")
        return not self.faults
