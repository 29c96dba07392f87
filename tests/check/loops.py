#!/usr/bin/env python3
"""loops.py OBJECT...: kernel 6.1 would take the loops of these BPF objects.

Its check_cfg() walks each function depth first and refuses ("back-edge") an instruction that runs on
into one that is still being walked; only jumps may go back. That happens when a loop is entered in its
middle, which is how a compiler may lay out what the source does not say so.
"""
import re
import subprocess
import sys

TOOLS = ("llvm-objdump-14", "llvm-objdump")


def disassemble(path):
    for tool in TOOLS:
        try:
            command = [tool, "-d", "--no-show-raw-insn", path]
            return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        except FileNotFoundError:
            continue
        except subprocess.CalledProcessError:
            sys.exit(f"{path}: not taken apart")
    sys.exit(f"none of {', '.join(TOOLS)} is installed")


def functions(path):
    """(name, [(number, text)]) of each function."""
    found = []
    for line in disassemble(path).splitlines():
        if match := re.match(r"^[0-9a-f]+ <(\w+)>:", line):
            if not match[1].startswith("LBB"):
                found.append((match[1], []))
        elif match := re.match(r"^\s*(\d+):\s+(.*)$", line):
            found[-1][1].append((int(match[1]), match[2]))
    return found


def successors(body, position, at):
    """[(index, whether it may go back)], in the order in which the kernel walks."""
    number, text = body[at]
    if text.startswith("exit"):
        return []
    jump = re.search(r"goto ([+-]\d+)", text)
    if not jump:
        return [(at + 1, False)]
    target = (position[number + 1 + int(jump[1])], True)
    return [target] if text.startswith("goto") else [(at + 1, True), target]


def refused(body):
    position = {number: at for at, (number, _) in enumerate(body)}
    new, open_, done = range(3)
    state = [new] * len(body)
    state[0] = open_
    stack = [(0, iter(successors(body, position, 0)))]
    while stack:
        at, rest = stack[-1]
        step = next(rest, None)
        if step is None:
            state[at] = done
            stack.pop()
            continue
        to, may_go_back = step
        if state[to] == open_ and not may_go_back:
            yield f"{body[at]} runs on into {body[to]}"
        elif state[to] == new:
            state[to] = open_
            stack.append((to, iter(successors(body, position, to))))


def main(paths):
    if not paths:
        sys.exit(__doc__)
    count = bad = 0
    for path in paths:
        for name, body in functions(path):
            count += 1
            for why in refused(body):
                bad += 1
                print(f"{path}: {name}: {why}")
    if count == 0:
        sys.exit("no functions: the wrong files?")
    if bad:
        sys.exit("kernel 6.1 refuses these loops (see docs/testing.md)")
    print(f"{count} functions: every loop goes back by a jump")


main(sys.argv[1:])
