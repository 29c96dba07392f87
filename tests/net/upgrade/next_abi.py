#!/usr/bin/env python3
"""The headers of an ABI version after this one, made of this one's: fields elsewhere, wider, and more of them; states
and verdicts that have other numbers.

next_abi.py TOP OUT: writes OUT/bpf/lb_abi.h and OUT/bpf/lb_verdicts.h. What is to be changed must be there.
"""
import pathlib
import re
import sys


def change(text, pattern, replacement):
    changed, times = re.subn(pattern, replacement, text, flags=re.S)
    if times != 1:
        raise SystemExit(f"next_abi.py: {times} times in the header, not once: {pattern}")
    return changed


def members(text, struct, rearrange):
    """The lines between the braces of a struct, as `rearrange` makes them of what they were."""
    found = re.search(rf"\nstruct {struct} {{\n(.*?)\n}}", text, re.S)
    if not found:
        raise SystemExit(f"next_abi.py: no struct {struct}")
    return text[:found.start(1)] + rearrange(found.group(1)) + text[found.end(1):]


def backwards(body):
    """Each member with what belongs to it, the last one first."""
    parts = re.findall(r"(?:\t(?:union|struct) {.*?\n\t}[^;]*;|\t[^\n{]*?;)[^\n]*(?:\n(?!\t(?:__|struct|union|enum))[^\n]*)*",
                       body, re.S)
    return "\n".join(reversed(parts))


def abi(text):
    version = int(re.search(r"#define LB_ABI_VERSION (\d+)", text).group(1))
    text = change(text, r"#define LB_ABI_VERSION \d+", f"#define LB_ABI_VERSION {version + 1}")
    for struct in ("lb_service", "lb_backend", "lb_checksums", "lb_info"):
        text = members(text, struct, backwards)
    # The word stays first, and the next hop, its owner and its peer one word of eight bytes: a CAS changes them.
    text = members(text, "lb_flow", lambda body: change(change(
        body, r"(\t__u64 word;[^\n]*)", r"\1\n\t__u64 spare;\n\t__u64 bytes;"),
        r"\t__u64 bytes; /[^\n]*", "\t__u64 spare2[7];"))
    text = change(text, r"(LB_STATIC_ASSERT\(sizeof\(struct lb_flow\) ==) 64", r"\1 128")
    text = change(text, r"(LB_STATIC_ASSERT\(sizeof\(struct lb_flow6\) ==) 128", r"\1 192")
    text = change(text, r"\tLB_FLOW_REPLY,\n", "\tLB_FLOW_SPARE,\n\tLB_FLOW_REPLY,\n")
    return text


def main():
    top, out = map(pathlib.Path, sys.argv[1:])
    (out / "bpf").mkdir(parents=True, exist_ok=True)
    (out / "bpf/lb_abi.h").write_text(abi((top / "bpf/lb_abi.h").read_text()))
    verdicts = (top / "bpf/lb_verdicts.h").read_text()
    (out / "bpf/lb_verdicts.h").write_text(
        change(verdicts, r"(\t/\* forwarded \*/[^\n]*\n)", r'\1\tX(SPARE, "spare", DROP) \\' + "\n"))


main()
