#!/usr/bin/env python3
"""How each source is compiled by itself: commands.py BUILD-FOLDER.

Prints the compile_commands.json of the folder without what cmake/Precompiled.cmake adds for speed: a
unit of several sources is an entry for each of them, and no header is precompiled. A source of more
than one target is there once.
"""
import json
import pathlib
import re
import sys

UNIT = re.compile(r"/Unity/unity_\d+_cxx\.cxx$")
INCLUDED = re.compile(r'^#include "(.*)"$', re.M)
PRECOMPILED = re.compile(r" -Winvalid-pch| -include \S*cmake_pch\.hxx")
OUTPUT = re.compile(r" -o \S+ -c \S+$")


def sources(entry):
    file = entry["file"]
    return INCLUDED.findall(pathlib.Path(file).read_text()) if UNIT.search(file) else [file]


def main():
    each = {}
    for entry in json.loads(pathlib.Path(sys.argv[1], "compile_commands.json").read_text()):
        how = PRECOMPILED.sub("", entry["command"])
        for source in sources(entry):
            command = OUTPUT.sub(lambda _, to=source: f" -c {to}", how)
            each.setdefault(source, {"directory": entry["directory"], "file": source, "command": command})
    json.dump(sorted(each.values(), key=lambda entry: entry["file"]), sys.stdout, indent=0)


if __name__ == "__main__":
    main()
