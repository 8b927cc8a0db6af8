"""What a developer is told of broken requests: few lines, each with the field and the rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from mocksandbox import codec
from mocksandbox.consumer.verdict import Breach

MOST_LINES = 8
_WIDTH = 110
_LONGEST = 150
"""The most characters of a message, after which nothing but lists of what there is stands."""


def told(breaches: Sequence[Breach], remedy: str = "") -> str:
    """The breaches in at most eight lines: the sum, then each request with its places, and how many are left out. Before a
    second place of one request is told, every request has its line, and then each has its first place.
    """
    requests = len({(breach.provider, breach.number) for breach in breaches})
    names = " and ".join(dict.fromkeys(breach.provider for breach in breaches if breach.provider))
    ask = f"{requests} request{'s' if requests > 1 else ''} broke the contract{f' of {names}' if names else ''}"
    lines = [f"{ask}{f' ({remedy})' if remedy else ''}"]
    room = MOST_LINES - len(lines)
    every = list(_lines(breaches))
    shown = every
    if len(every) > room:
        shown = sorted(sorted(every, key=lambda line: line.rank)[: room - 1], key=lambda line: line.place)
    lines += [line.text for line in shown]
    if shown is not every:
        hidden = len(breaches) - sum(1 for line in shown if line.rank)
        lines.append(f"… and {hidden} more; the fixture's `breaches()` has them all")
    return "\n".join(lines)


@dataclass(frozen=True)
class _Line:
    """A line with its place among all: `rank` is 0 for a request's own, 1 for its first breach, and so on."""

    text: str
    place: int
    rank: int = 0


def _lines(breaches: Iterable[Breach]) -> Iterator[_Line]:
    place = 0
    for (number, request, operation), group in groupby(breaches, key=lambda each: (each.number, each.request, each.operation)):
        yield _Line(printable(f"#{number} {shortened(request)}{f'  ({operation})' if operation else ''}"), place)
        of_request = list(group)
        width = min(max(len(each.at) for each in of_request), 60)
        for rank, breach in enumerate(of_request, 1):
            at = _without_middle(breach.at)
            text = printable(f"     {at:{width}}  {_words(breach)}  [{breach.rule}]{_hint(breach)}")
            yield _Line(text, place + rank, rank)
        place += 1 + len(of_request)


_FILTER = re.compile(r"\[\?\(.*?\)\]")
"""What chooses among the items of a list in a JSONPath: `[?(@.system=='…')]`."""


def _words(breach: Breach) -> str:
    # Many a message begins with the place that stands before it.
    words = " ".join(breach.message.split())
    after = words.removeprefix(breach.at)
    if after[:1] in (":", " "):
        words = after.lstrip(": ")
    # What is wrong stands at the end: the way there is shortened, which is written out before the message.
    return shortened(_FILTER.sub("[…]", words) if len(words) > _WIDTH else words, _LONGEST)


def _without_middle(text: str) -> str:
    """A place that fits, its middle cut out where it does not."""
    if len(text) <= _WIDTH:
        return text
    kept = _WIDTH // 2
    return f"{text[:kept]}…{text[kept + 1 - _WIDTH :]}"


def _hint(breach: Breach) -> str:
    if breach.nearest is not None:
        return f"  nearest: {shortened(codec.dumps(breach.nearest).decode(), 60)}"
    return f"  nearest: {shortened(breach.near[0], 80)}" if breach.near else ""


def shortened(text: str, width: int = _WIDTH) -> str:
    """A text that fits, its end cut off where it does not."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def printable(text: str) -> str:
    """A text that any terminal, file and worker takes: what a client sent may be a line end, an escape, half a character."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
