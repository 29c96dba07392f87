"""Where the load balancer does something else than the kernel's full NAT, and why."""
from dataclasses import dataclass

OVER = "what comes after an RST goes on for two seconds more, to its receiver, who knows whether he believes it"
UNSENT = "an RST that went no further has ended nothing"
SUM = "a wrong checksum stays wrong, and is its receiver's to judge: to look would cost every packet"
LESS_TOLD = "a sender is told of his last hop once a second, after six times at once"
UNRECORDED = "IPv4 options go on as they are: what forwards below the stack is no hop that is recorded"
ANEW = "after a SYN in the middle of a connection each guesses whether it has begun anew; its ends judge"
REFUSED = "an error about the RST of a member that has refused is not passed on: which numbers it has is not known"
BEGUN = "a SYN whose hops are used up counts: it begins a half-open flow, or takes one to another port"
CHALLENGE = "a member that answers a SYN by a mere ACK knows an older connection: the SYN goes to another port"

FLAWED = (" sum", "short total", "tcp offset", "udp length")  # ends of names: its checksum does not fit
DROPPED = ("nothing", "RST back", "RST back and RST back")


@dataclass(frozen=True)
class Step:
    """A packet of a flow, and what became of it by each way."""
    state: str  # of the flow, before it
    event: str
    ours: str
    kernels: str

    def __str__(self):
        return f"{self.event}: ours: {self.ours}; the kernel's: {self.kernels}"

    def went_no_further(self, what):
        return what in self.event and not self.ours.startswith("through")


def is_wrong(outcome):
    """What no reason makes right: bytes that are not the sender's, or another flow's."""
    return any(word in outcome for word in ("other:", "somebody", "something else", "quotes nothing", "damaged"))


def goes_on(outcome):
    return outcome in ("through", "through and through") or outcome.startswith("icmp")


def reason_of(history):
    """Why the last step of a flow differs. None: there is no reason."""
    last, before = history[-1], history[:-1]
    if is_wrong(last.ours):
        return None
    if "wrong sum" in last.ours:
        return SUM if last.event.endswith(FLAWED) and last.kernels == "nothing" else None
    if last.event.endswith(("record route", "time stamp")) and last.kernels == "through with other: options":
        return UNRECORDED if last.ours == "through" else None
    if last.ours == "the client's SYN instead":
        began = last.state == "syn" or any("SYN within" in step.event for step in before)
        return CHALLENGE if began and last.kernels in ("through", *DROPPED) else None
    if "last hop" in last.event and last.ours == "nothing" and last.kernels.startswith(("icmp 11/0", "icmp 3/0")):
        return LESS_TOLD
    return reason_of_what_went_before(last, before)


def reason_of_what_went_before(last, before):
    if any("SYN within" in step.event for step in before):
        return ANEW
    if any(step.went_no_further("RST") for step in before):
        return UNSENT
    if any(step.went_no_further("SYN") and "last hop" in step.event for step in before):
        return BEGUN
    if last.state != "ended":
        twice = "RST" in last.event and last.event.endswith("twice")
        return OVER if twice and (last.ours, last.kernels) == ("through and through", "through") else None
    if "last hop" in last.event and last.ours == "nothing":
        return LESS_TOLD
    if goes_on(last.ours) and last.kernels in DROPPED:
        return OVER
    answered = any("SYN-ACK" in step.event and step.ours.startswith("through") for step in before)
    if not answered and last.ours == "nothing" and last.kernels.startswith("icmp"):
        return REFUSED
    return None
