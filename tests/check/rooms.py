#!/usr/bin/env python3
"""The folders and who includes whom, drawn; without a cycle.

rooms.py [TOP]          docs/rooms.md shows what the sources say, and no folder includes itself through
                        others; exit status 1 if not
rooms.py --write [TOP]  writes the drawing into docs/rooms.md
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
BEGIN, END = "```mermaid\n", "```\n"
NO_ROOM = ("tests", "cmake", "build", "out")


def includes(top):
    """{folder: {folder that it includes: one file that does}}."""
    rooms = {}
    for path in sorted([*top.rglob("*.h"), *top.rglob("*.cc"), *top.rglob("*.c")]):
        path = path.relative_to(top)
        if path.parts[0] in NO_ROOM:
            continue
        others = rooms.setdefault(str(path.parent), {})
        for target in INCLUDE.findall((top / path).read_text()):
            folder = str(pathlib.PurePath(target).parent)
            if (top / target).exists() and folder != str(path.parent):
                others.setdefault(folder, str(path))
    return rooms


def find_cycle(rooms):
    """The folders of a cycle, the first one again at its end; None: there is none."""
    done = set()

    def walk(folder, way):
        if folder in way:
            return [*way[way.index(folder):], folder]
        if folder in done:
            return None
        for other in sorted(rooms.get(folder, ())):
            found = walk(other, [*way, folder])
            if found:
                return found
        done.add(folder)
        return None

    return next(filter(None, (walk(folder, []) for folder in sorted(rooms))), None)


def reach(rooms, folder):
    """All that `folder` includes, through others too."""
    found, waiting = set(), [folder]
    while waiting:
        for other in rooms.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def draw(rooms):
    """Mermaid; without the arrows that follow from others."""
    name = {folder: re.sub(r"\W", "_", folder) for folder in rooms}
    lines = ["flowchart TD"]
    lines += [f'  {name[folder]}["{folder}/"]' for folder in sorted(rooms)]
    for folder in sorted(rooms):
        through = set().union(*(reach(rooms, other) for other in rooms[folder]), set())
        lines += [f"  {name[folder]} --> {name[other]}"
                  for other in sorted(rooms[folder]) if other not in through]
    return "\n".join(lines) + "\n"


def main():
    arguments = sys.argv[1:]
    write = arguments[:1] == ["--write"]
    top = pathlib.Path(next(iter(arguments[1:] if write else arguments), ".")).resolve()
    rooms = includes(top)
    cycle = find_cycle(rooms)
    if cycle:
        print("a cycle of includes:")
        for folder, other in zip(cycle, cycle[1:]):
            print(f"  {folder}/ includes {other}/ in {rooms[folder][other]}")
        sys.exit(1)
    page = top / "docs/rooms.md"
    before, _, rest = page.read_text().partition(BEGIN)
    shown, _, after = rest.partition(END)
    drawing = draw(rooms)
    if write:
        page.write_text(before + BEGIN + drawing + END + after)
    elif shown != drawing:
        sys.exit("docs/rooms.md does not show who includes whom: tests/check/rooms.py --write")
    print(f"{len(rooms)} folders, {sum(map(len, rooms.values()))} arrows, no cycle")
    sys.exit(0 if rooms else 1)


if __name__ == "__main__":
    main()
