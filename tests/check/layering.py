#!/usr/bin/env python3
"""Who may include whom (docs/code.md, "Where things go"), and how long files and functions may be.

layering.py [TOP]: prints file:line and the rule that it breaks, one a line; exit status 1 if any.
"""
import pathlib
import re
import sys

EFFECTS = ("netns", "haproxy", "keepalived", "health")
SPECS = (*(f"{effect}/{effect}_spec.h" for effect in EFFECTS),
         "agent/certificates/certificates_spec.h")

# Folder -> what its files may include besides their own folder. An entry with a slash at its end is
# a folder, else a file. The first folder that matches counts.
RULES = [
    ("base/", ()),
    ("bpf/", ()),
    ("agent/model/", ("base/",)),
    ("agent/plan/", ("base/", "agent/model/", "bpf/lb_abi.h", "agent/datapath/abi.h",
                     "agent/datapath/tables.h", "health/expected_codes.h", *SPECS)),
    ("agent/datapath/", ("base/", "bpf/lb_abi.h", "bpf/flow_layout.h", "bpf/crc32c.h", "bpf/handover.h",
                         "bpf/replica.h", "bpf/lost.h", "netns/devices.h", "netns/device_spec.h")),
    ("agent/certificates/", ("base/",)),
    ("agent/http/", ("base/", "agent/model/")),
    ("agent/control/", ("base/", "agent/model/", "agent/http/", "agent/reconcile/changes.h",
                        "agent/certificates/certificates_spec.h",
                        "agent/datapath/flow_record.h")),
    ("agent/octavia/", ("base/", "agent/model/", "agent/http/", "agent/reconcile/changes.h",
                        "haproxy/document.h", "keepalived/document.h",
                        "keepalived/lvs_document.h", "health/expected_codes.h",
                        "netns/netns_spec.h", "health/heartbeat.h",
                        "agent/flow_log/connection_log.h")),
    ("agent/cli/doctor/", ("base/", "agent/certificates/certificates_spec.h",
                           "netns/device_spec.h")),
    ("agent/cli/look/", ("base/", "bpf/lb_abi.h", "netns/", "process/", "agent/cli/doctor/",
                         "agent/certificates/", "agent/datapath/", "agent/serve/config.h",
                         "agent/serve/amphora_config.h", "agent/octavia/amphora_conf.h")),
    ("agent/cli/", ("base/", "agent/model/", "agent/plan/", "agent/datapath/tables.h", *SPECS)),
    ("agent/reconcile/", ("base/", "agent/model/", "agent/plan/", "agent/datapath/",
                          "agent/certificates/", "haproxy/", "health/", "netns/")),
    ("agent/statistics/", ("base/",)),
    ("agent/flow_log/", ("base/",)),
    ("agent/pair/", ("base/",)),
    ("agent/serve/", (  # wires everything but the clients
        "base/", "bpf/lb_abi.h", "bpf/flow_layout.h", *(f"{effect}/" for effect in EFFECTS),
        "process/",
        *(f"agent/{room}/" for room in ("model", "plan", "datapath", "certificates", "http",
                                        "control", "octavia", "reconcile", "statistics",
                                        "flow_log", "pair")))),
    ("agent/", ("base/", "agent/serve/")),  # main.cc
    ("netns/", ("base/", "process/")),
    ("process/", ("base/",)),
    ("haproxy/", ("base/", "process/")),
    ("keepalived/", ("base/", "process/")),
    ("health/", ("base/",)),
    ("tests/", ("",)),
]
MAX_FILE_LINES = 400
MAX_BPF_FUNCTION_LINES = 40  # C++: readability-function-size of clang-tidy
# bpf(2) and netlink have one place each.
ONLY_IN = [
    (re.compile(r"#include <bpf/(bpf|libbpf)\.h>"), ("agent/datapath/", "tests/")),
    (re.compile(r"#include <netlink/"), ("netns/", "tests/")),
    (re.compile(r"#include <boost/beast"), ("agent/http/", "agent/control/", "agent/octavia/", "agent/cli/", "tests/")),
]
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def rule_of(path):
    return next(((folder, allowed) for folder, allowed in RULES if path.startswith(folder)), None)


def check_include(path, target, top):
    """What is wrong with `path` including `target`; None: nothing."""
    if not (top / target).exists():
        return None if (top / path).parent.joinpath(target).exists() or ".skel.h" in target else \
            f'"{target}" is not a path from the top of the tree'
    folder, allowed = rule_of(path)
    if target.startswith(folder) or any(target.startswith(prefix) for prefix in allowed):
        return None
    return f"{folder} may not include {target}"


def long_functions(lines):
    """(line, length) of functions in kernel style that are too long."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > MAX_BPF_FUNCTION_LINES:
                yield start, number - start - 1
            start = None


def check_file(path, top):
    lines = (top / path).read_text().splitlines()
    if len(lines) > MAX_FILE_LINES:
        yield MAX_FILE_LINES, f"{len(lines)} lines; a file has at most {MAX_FILE_LINES}"
    if path.endswith(".cc") or path.endswith(".h") or path.endswith(".c"):
        if rule_of(path) is None:
            yield 1, "no rule says what this folder may include: add it here and to docs/code.md"
            return
        for number, line in enumerate(lines, 1):
            included = INCLUDE.match(line)
            wrong = included and check_include(path, included[1], top)
            if wrong:
                yield number, wrong
            for pattern, folders in ONLY_IN:
                if pattern.search(line) and not path.startswith(folders) and ".bpf." not in path:
                    yield number, f"only {' and '.join(folders)} may say {line.strip()}"
    if path.startswith("bpf/") or ".bpf." in path:
        for number, length in long_functions(lines):
            yield number, f"{length} lines; a BPF function has at most {MAX_BPF_FUNCTION_LINES}"


def sources(top):
    for folder, _ in RULES:
        if folder.count("/") == 1:
            for path in sorted((top / folder).rglob("*")):
                if path.suffix in (".cc", ".h", ".c", ".sh", ".py") and path.is_file():
                    yield str(path.relative_to(top))


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    count = broken = 0
    for path in sources(top):
        count += 1
        for number, what in check_file(path, top):
            broken += 1
            print(f"{path}:{number}: {what}")
    print(f"{count} files, {broken} broken rules")
    sys.exit(1 if broken or not count else 0)


if __name__ == "__main__":
    main()
