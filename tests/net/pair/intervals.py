#!/usr/bin/env python3
"""When two nodes had an address, from what `ip -ts monitor address` said of each.

intervals.py overlap VIP EVENTS-A EVENTS-B        ms that both had it
intervals.py after VIP EVENTS-A EVENTS-B NODE     ms from its going elsewhere to its last coming to NODE
intervals.py counts VIP EVENTS-A EVENTS-B         how often it came to each
"""
import datetime
import re
import sys

LINE = re.compile(r"^\[(\S+)\] (Deleted )?\d+: \S+ +inet6? ([0-9a-f.:]+)/")


def changes(path, vip):
    """[(time in ms, whether it is there)]"""
    out = []
    for line in open(path):
        found = LINE.match(line)
        if found and found[3] == vip:
            time = datetime.datetime.fromisoformat(found[1]).timestamp() * 1000
            out.append((time, not found[2]))
    return out


def intervals(path, vip):
    begun, out = None, []
    for time, there in changes(path, vip):
        if there and begun is None:
            begun = time
        if not there and begun is not None:
            out.append((begun, time))
            begun = None
    return out + ([(begun, float("inf"))] if begun is not None else [])


def main():
    what, vip, a, b = sys.argv[1:5]
    both = {"a": intervals(a, vip), "b": intervals(b, vip)}
    if what == "overlap":
        common = sum(max(0, min(e1, e2) - max(b1, b2))
                     for b1, e1 in both["a"] for b2, e2 in both["b"])
        print(round(common))
    elif what == "after":
        to = sys.argv[5]
        came = both[to][-1][0]
        went = max((e for _, e in both["b" if to == "a" else "a"] if e != float("inf")), default=came)
        print(round(came - went))
    else:
        print(f"it came {len(both['a'])} times to a, {len(both['b'])} times to b")


if __name__ == "__main__":
    main()
