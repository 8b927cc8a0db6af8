"""Plain tables for a terminal: as wide as it is, and of records one below the other where it is too narrow for columns."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Collection, Iterable, Sequence
from shutil import get_terminal_size

NARROWEST = 20
"""How narrow a column may get before a table is better read as records one below the other."""

_GAP = "  "


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    wide: int = 60,
    whole: Collection[str] = (),
    width: int | None = None,
) -> str:
    """Rows under a head, each column as wide as its longest line and no wider than `wide` characters.

    The columns named in `whole` are never wrapped: a terminal opens `file:line` only when it stands in one piece. All columns
    together are no wider than `width`, by default the terminal's; as wide as they like where there is none, as in a file.
    """
    listed = list(rows)
    limit = width or (get_terminal_size().columns if sys.stdout.isatty() else None)
    widths = _natural(head, listed, wide, whole)
    if limit is not None:
        fitting = _fitted(head, widths, whole, limit)
        if fitting is None:
            return _records(head, listed, limit)
        widths = fitting
    return _columns(head, listed, widths, whole)


def _natural(head: Sequence[str], rows: Sequence[Sequence[str]], wide: int, whole: Collection[str]) -> list[int]:
    return [
        max(len(row[column]) if name in whole else min(len(row[column]), wide) for row in (head, *rows))
        for column, name in enumerate(head)
    ]


def _fitted(head: Sequence[str], widths: Sequence[int], whole: Collection[str], limit: int) -> list[int] | None:
    """The widths with the widest columns made narrower until all fit; None when they do not."""
    fitted = list(widths)
    while (over := sum(fitted) + len(_GAP) * (len(fitted) - 1) - limit) > 0:
        able = [column for column, name in enumerate(head) if name not in whole and fitted[column] > NARROWEST]
        if not able:
            return None
        widest = sorted({fitted[column] for column in able})
        at_widest = [column for column in able if fitted[column] == widest[-1]]
        step = min(-(-over // len(at_widest)), widest[-1] - max([*widest[-2:-1], NARROWEST]))
        for column in at_widest:
            fitted[column] -= step
    return fitted


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], whole: Collection[str]) -> str:
    cells = [
        [
            [cell] if name in whole else textwrap.wrap(cell, width) or [""]
            for name, cell, width in zip(head, row, widths, strict=True)
        ]
        for row in (head, *rows)
    ]
    narrowed = [max(len(line) for row in cells for line in row[column]) for column in range(len(head))]
    lines = []
    for number, row in enumerate(cells):
        for depth in range(max(map(len, row))):
            parts = [cell[depth] if depth < len(cell) else "" for cell in row]
            lines.append(_GAP.join(part.ljust(width) for part, width in zip(parts, narrowed, strict=True)).rstrip())
        if number == 0:
            lines.append(_GAP.join("-" * width for width in narrowed))
    return "\n".join(lines)


def _records(head: Sequence[str], rows: Sequence[Sequence[str]], limit: int) -> str:
    """Each row as its first cell, and below it the others by their names."""
    names = max(map(len, head[1:]), default=0)
    told = []
    for first, *others in rows:
        lines = [first]
        for name, cell in zip(head[1:], others, strict=True):
            indent = f"  {name.ljust(names)}  "
            lines += textwrap.wrap(cell, limit, initial_indent=indent, subsequent_indent=" " * len(indent)) if cell else []
        told.append("\n".join(lines))
    return "\n\n".join(told)
