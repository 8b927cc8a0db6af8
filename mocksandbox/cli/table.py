"""Plain tables for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, wide: int = 60, whole: Collection[str] = ()) -> str:
    """Rows under a head, each column as wide as its longest line and no wider than `wide` characters.

    The columns named in `whole` are never wrapped: a terminal opens `file:line` only when it stands in one piece.
    """
    cells = [
        [[cell] if name in whole else textwrap.wrap(cell, wide) or [""] for name, cell in zip(head, row, strict=True)]
        for row in (head, *rows)
    ]
    widths = [max(len(line) for row in cells for line in row[column]) for column in range(len(head))]
    lines = []
    for number, row in enumerate(cells):
        for depth in range(max(map(len, row))):
            parts = [cell[depth] if depth < len(cell) else "" for cell in row]
            lines.append("  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip())
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    return "\n".join(lines)
