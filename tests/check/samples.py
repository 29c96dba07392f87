#!/usr/bin/env python3
"""What docs/code.md shows is real: every block of code is in the tree.

samples.py [TOP]: prints what is not there, one a line; exit status 1 if any. Blanks do not count.
"""
import pathlib
import re
import subprocess
import sys

PAGE = "docs/code.md"
BLOCK = re.compile(r"^```(?:c|cpp)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def bare(text):
    return re.sub(r"\s+", "", text)


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    page = (top / PAGE).read_text()
    files = subprocess.run(["git", "-C", top, "ls-files", "*.c", "*.h", "*.cc"], stdout=subprocess.PIPE, text=True,
                           check=False).stdout.split() or [
        path.relative_to(top) for folder in ("agent", "base", "bpf", "netns", "tests")
        for path in (top / folder).rglob("*.[ch]*")]
    sources = [bare((top / path).read_text(errors="replace")) for path in files if (top / path).is_file()]
    blocks = BLOCK.findall(page)
    missing = [f"this sample is nowhere:\n{block}" for block in blocks
               if not any(bare(block) in source for source in sources)]
    for what in missing:
        print(f"{PAGE}: {what}")
    print(f"{len(blocks)} samples, {len(missing)} wrong")
    sys.exit(1 if missing or not blocks else 0)


main()
