"""Where the load balancer does something else than the kernel's full NAT, and why."""
from dataclasses import dataclass

OVER = "what comes after an RST or an ABORT goes on for two seconds more: its receiver knows whether he believes it"
UNSENT = "an RST or an ABORT that went no further has ended nothing"
SUM = "a wrong checksum stays wrong, and is its receiver's to judge: to look would cost every packet"
LESS_TOLD = "a sender is told of his last hop once a second, after six times at once"
UNRECORDED = "IPv4 options go on as they are: what forwards below the stack is no hop that is recorded"
ANEW = "after a SYN in the middle of a connection each guesses whether it has begun anew; its ends judge"
REFUSED = "an error about the RST of a member that has refused is not passed on: which numbers it has is not known"
BEGUN = "a SYN or an INIT whose hops are used up counts: it begins a half-open flow, or takes one to another port"
CHALLENGE = "a member that answers a SYN by a mere ACK knows an older connection: the SYN goes to another port"
TAG = "an SCTP packet with another tag goes on, and changes nothing: its receiver drops it (RFC 9260, 8.5)"
NO_TAG = "an error that quotes an INIT, but not so much of it that its tag is there, is nobody's (RFC 9260, 10)"
BY_INIT = "only an INIT begins an association: conntrack takes a SHUTDOWN ACK, too, for what it will be answered"

TOLD = ("icmp 11/0", "icmp 3/0")  # of his last hop, by IPv4 or IPv6
# ends of names: its checksum does not fit
FLAWED = (" sum", "short total", "tcp offset", "udp length", "chunk length")


@dataclass(frozen=True)
class Step:
    """A packet of a flow, and what became of it by each way."""
    state: str  # of the flow, before it
    event: str
    ours: str
    kernels: str

    def __str__(self):
        return f"{self.event}: ours: {self.ours}; the kernel's: {self.kernels}"

    def went_no_further(self, *what):
        return any(word in self.event for word in what) and not self.ours.startswith("through")


def is_wrong(outcome):
    """What no reason makes right: bytes that are not the sender's, or another flow's."""
    return any(word in outcome for word in ("other:", "somebody", "something else", "quotes nothing", "damaged"))


def is_left_alone(outcome):
    """Not translated: the kernel's own stack has it, which knows no such connection, or no SCTP."""
    return all(part in ("nothing", "RST back") or part.startswith(("icmp 3/2 ", "icmp 4/1 "))
               for part in outcome.split(" and "))


def goes_on(outcome):
    return outcome in ("through", "through and through") or outcome.startswith("icmp")


def reason_of(history):
    """Why the last step of a flow differs. None: there is no reason."""
    last, before = history[-1], history[:-1]
    if is_wrong(last.ours):
        return None
    if "wrong sum" in last.ours:
        return SUM if last.event.endswith(FLAWED) and is_left_alone(last.kernels) else None
    if last.event.endswith(("record route", "time stamp")) and last.kernels == "through with other: options":
        return UNRECORDED if last.ours == "through" else None
    if last.ours == "the client's SYN instead":
        began = last.state == "syn" or any("SYN within" in step.event for step in before)
        return CHALLENGE if began else None
    told = "last hop" in last.event and last.kernels.startswith(TOLD)
    if "chunk 8" in last.event and last.state == "new" and is_left_alone(last.ours):
        return BY_INIT if goes_on(last.kernels) or told else None
    if "another tag" in last.event and is_left_alone(last.kernels):
        return TAG if goes_on(last.ours) else LESS_TOLD if "last hop" in last.event else None
    if last.state == "init" and last.ours == "nothing" and last.kernels.startswith("icmp"):
        return NO_TAG
    if told and last.ours == "nothing":
        return LESS_TOLD
    return reason_of_what_went_before(last, before)


def reason_of_what_went_before(last, before):
    if any("SYN within" in step.event for step in before):
        return ANEW
    if any(step.went_no_further("RST", "ABORT") for step in before):
        return UNSENT
    if any(step.went_no_further("SYN", "INIT") and "last hop" in step.event for step in before):
        return BEGUN
    if last.state != "ended":
        twice = "RST" in last.event and last.event.endswith("twice")
        return OVER if twice and (last.ours, last.kernels) == ("through and through", "through") else None
    if "last hop" in last.event and last.ours == "nothing":
        return LESS_TOLD
    if goes_on(last.ours) and is_left_alone(last.kernels):
        return OVER
    answered = any("SYN-ACK" in step.event and step.ours.startswith("through") for step in before)
    if not answered and last.ours == "nothing" and last.kernels.startswith("icmp"):
        return REFUSED
    return None
