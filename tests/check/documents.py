#!/usr/bin/env python3
"""What the documents name is there: files of this tree, and functions and classes.

documents.py [TOP]: prints file:line and the name that is nowhere, one a line; exit status 1 if any.
A name is what stands between backticks: a path that begins with a folder of the top (with * and
{a,b} as in a shell); in docs/change.md also `Class`, `Class::function` and `function()`.
"""
import itertools
import pathlib
import re
import sys

CODE = ("agent", "base", "bpf", "haproxy", "health", "keepalived", "netns", "process")
FOLDERS = (*CODE, "cmake", "docs", "packaging", "scripts", "tests")
PATH = re.compile(r"(?:%s)/[\w./*{},-]*" % "|".join(FOLDERS))
FUNCTION = re.compile(r"(?:(\w+)::)?(~?\w+)\(\)|(\w+)::(\w+)|([A-Z]\w*[a-z]\w*)")


def expanded(pattern):
    """Every way to read {a,b}."""
    parts = [part.split(",") if i % 2 else [part]
             for i, part in enumerate(re.split(r"\{([^{}]*)\}", pattern))]
    return ("".join(choice) for choice in itertools.product(*parts))


def is_path(name, top):
    return all(any(top.glob(one.rstrip("/"))) for one in expanded(name))


def is_code(owner, function, text):
    if owner and not re.search(r"\b(?:class|struct|enum class|namespace)\s+%s\b" % owner, text):
        return False
    return re.search(r"\b%s\b" % re.escape(function), text) is not None


def names(path):
    """(line, name) of everything between backticks outside of blocks of code."""
    block = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            block = not block
        elif not block:
            for name in re.findall(r"`([^`]+)`", line):
                yield number, name


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    text = "\n".join(path.read_text() for folder in CODE for path in sorted((top / folder).rglob("*"))
                     if path.suffix in (".cc", ".h", ".c"))
    count = missing = 0
    for path in [top / "README.md", *sorted((top / "docs").glob("*.md"))]:
        for number, name in names(path):
            function = FUNCTION.fullmatch(name)
            if PATH.fullmatch(name):
                there = is_path(name, top)
            elif function and path.name == "change.md":
                there = is_code(function[1] or function[3], next(filter(None, function.group(2, 4, 5))), text)
            else:
                continue
            count += 1
            if not there:
                missing += 1
                print(f"{path.relative_to(top)}:{number}: {name} is nowhere")
    print(f"{count} names, {missing} of them nowhere")
    sys.exit(1 if missing or not count else 0)


if __name__ == "__main__":
    main()
