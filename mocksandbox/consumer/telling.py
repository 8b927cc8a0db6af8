"""What a developer is told of broken requests: few lines, each with the field and the rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from mocksandbox import codec
from mocksandbox.consumer.verdict import Breach

MOST_LINES = 8
_WIDTH = 110


def told(breaches: Sequence[Breach], remedy: str = "") -> str:
    """The breaches in at most eight lines: the sum, then each request with its places, and how many are left out."""
    requests = len({(breach.provider, breach.number) for breach in breaches})
    names = " and ".join(dict.fromkeys(breach.provider for breach in breaches if breach.provider))
    ask = f"{requests} request{'s' if requests > 1 else ''} broke the contract{f' of {names}' if names else ''}"
    lines = [f"{ask}{f' ({remedy})' if remedy else ''}"]
    left = list(_lines(breaches))
    room = MOST_LINES - len(lines)
    if len(left) > room:
        shown = left[: room - 1]
        hidden = sum(1 for line in left[room - 1 :] if line.startswith(" "))
        left = [*shown, f"… and {hidden} more; the fixture's `breaches()` has them all"]
    return "\n".join([*lines, *left])


def _lines(breaches: Iterable[Breach]) -> Iterable[str]:
    for (number, request, operation), group in groupby(breaches, key=lambda each: (each.number, each.request, each.operation)):
        yield printable(f"#{number} {shortened(request)}{f'  ({operation})' if operation else ''}")
        of_request = list(group)
        width = min(max(len(each.at) for each in of_request), 60)
        for breach in of_request:
            yield printable(f"     {breach.at:{width}}  {_words(breach)}  [{breach.rule}]{_hint(breach)}")


def _words(breach: Breach) -> str:
    # Many a message begins with the place that stands before it.
    words = " ".join(breach.message.split())
    return shortened(words.removeprefix(breach.at).strip())


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
