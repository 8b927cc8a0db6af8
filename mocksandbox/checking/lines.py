"""Where in a text each value of a JSON document stands, and which keys come twice.

A parser gives values without their places. This walks over the tokens of a text that a parser has taken already, so that it is
well-formed and no deeper than parsers go; it does not recurse.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mocksandbox.rules.places import Path

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass
class Lines:
    """The line of every value by its path, counted from `first`; the paths of keys that an object has twice; the paths of
    numbers that JSON does not know (NaN, Infinity).
    """

    first: int = 1
    of: dict[Path, int] = field(default_factory=dict)
    twice: list[tuple[Path, int]] = field(default_factory=list)
    no_numbers: list[tuple[Path, int]] = field(default_factory=list)

    def nearest(self, path: Path) -> int:
        """The line of a value, or of the innermost one around it that is there."""
        while path and path not in self.of:
            path = path[:-1]
        return self.of.get(path, self.first)


@dataclass
class _Level:
    """An object or list that the walk is in: its path, and where it is in it."""

    path: Path
    is_object: bool
    key: str | int = 0
    expects_key: bool = False
    keys: set[str] = field(default_factory=set)


_NOT_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity"})


def lines_of(text: str, first: int = 1) -> Lines:
    """The lines of a text that is JSON, the first of which is called `first`."""
    found = Lines(first)
    levels: list[_Level] = []
    line, position = first, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", position, token.start())
        position = token.start()
        _take(token[0], line, levels, found)
    return found


def _take(token: str, line: int, levels: list[_Level], found: Lines) -> None:
    level = levels[-1] if levels else None
    if token in "}]":
        if levels:
            levels.pop()
    elif token == ",":
        if level is not None and level.is_object:
            level.expects_key = True
        elif level is not None and isinstance(level.key, int):
            level.key += 1
    elif level is not None and level.expects_key and token[0] == '"':
        level.key = json.loads(token)
        level.expects_key = False
        if level.key in level.keys:
            found.twice.append(((*level.path, level.key), line))
        level.keys.add(str(level.key))
        found.of[(*level.path, level.key)] = line  # a value is looked for where its key stands
    elif token != ":":
        path: Path = (*level.path, level.key) if level is not None else ()
        found.of.setdefault(path, line)
        if token in "{[":
            levels.append(_Level(path, token == "{", expects_key=token == "{"))
        elif token in _NOT_NUMBERS:
            found.no_numbers.append((path, line))


def parted(lines: Lines, depth: int) -> Callable[[Path], Lines]:
    """Gives the lines of a part of a document, named by a path of that many steps, by the paths within the part. All are
    parted in one walk, for there may be many thousands.
    """
    parts: defaultdict[Path, Lines] = defaultdict(Lines)
    for path, line in lines.of.items():
        parts[path[:depth]].of[path[depth:]] = line
    for path, line in lines.twice:
        parts[path[:depth]].twice.append((path[depth:], line))
    for path, line in lines.no_numbers:
        parts[path[:depth]].no_numbers.append((path[depth:], line))
    return lambda below: replace(parts.get(below, Lines()), first=lines.nearest(below))
