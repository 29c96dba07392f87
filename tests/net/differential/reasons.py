"""Where the load balancer does something else than the kernel's full NAT, and why."""

OVER = "what comes after an RST goes on for two seconds more, to its receiver, who knows whether he believes it"
UNSENT = "an RST that went no further has ended nothing"
SUM = "a wrong checksum stays wrong, and is its receiver's to judge: to look would cost every packet"
LESS_TOLD = "a sender is told of his last hop once a second, after six times at once"
UNRECORDED = "IPv4 options go on as they are: what forwards below the stack is no hop that is recorded"
ANEW = "after a SYN in the middle of a connection each guesses whether it has begun anew; its ends judge"
REFUSED = "an error about the RST of a member that has refused is not passed on: which numbers it has is not known"
BEGUN = "a SYN whose hops are used up counts: it begins a half-open flow, or takes one to another port"


def reason_of(family, proto, state, event, ours, kernels, history):
    """`history`: of such a flow, this packet included. None: there is no reason."""
    through = "through" in ours and kernels in ("nothing", "RST back", "RST back and RST back")
    through = through or (ours.startswith("icmp") and kernels in ("nothing", "RST back"))
    if "last hop" in event and ours == "nothing" and (kernels.startswith("icmp") or state == "ended"):
        return LESS_TOLD
    whole = not any(word in ours for word in ("other", "wrong", "somebody"))
    if any("SYN within" in line for line in history[:-1]) and whole:
        return ANEW
    stopped = [line.split(":")[1] for line in history[:-1] if "ours: through" not in line]
    if any("RST" in what for what in stopped) and whole:
        return UNSENT
    if any("SYN" in what and "last hop" in what for what in stopped) and whole:
        return BEGUN
    if state == "ended" and through:
        return OVER
    if "RST" in event and event.endswith("twice") and (ours, kernels) == ("through and through", "through"):
        return OVER
    answered = any("SYN-ACK" in line and "ours: through" in line for line in history)
    if state == "ended" and not answered and ours == "nothing" and kernels.startswith("icmp"):
        return REFUSED
    flawed = event.endswith((" sum", "short total", "tcp offset", "udp length"))
    if flawed and "wrong sum" in ours and kernels == "nothing":
        return SUM
    recorded = event.endswith(("record route", "time stamp"))
    if recorded and (ours, kernels) == ("through", "through with other: options"):
        return UNRECORDED
    return None
