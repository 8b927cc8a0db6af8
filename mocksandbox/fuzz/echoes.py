"""Whether a refusal repeats what may be a person's: a number, a name, a day of birth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mocksandbox.contract import Match
from mocksandbox.fuzz.model import Flaw, Step
from mocksandbox.fuzz.reference import Right
from mocksandbox.provider import Provider
from mocksandbox.rules.attempt import Attempt

_SHORTEST = 4
_NAMED = frozenset({"family", "given", "birthDate", "postalCode"})


def echoed(provider: Provider, operation: str, step: Step, right: Right) -> Iterator[Flaw]:
    """The flaw of a refusal that repeats a person's, where the right one does not."""
    assert step.response is not None
    said = step.response.body.decode("utf-8", "replace")
    allowed = right.response.body.decode("utf-8", "replace")
    request = step.request
    match = provider.contract.router.find(request.method, request.path)
    if not isinstance(match, Match):
        return
    attempt = Attempt(request, provider.contract, match)
    for what, value in _personal(provider, attempt):
        if _stands_in(value, said) and value not in allowed:
            yield Flaw("echoed-person", operation, (), "nothing of the person's", f"{step.response.status} {what}")
            return


def _personal(provider: Provider, attempt: Attempt) -> Iterator[tuple[str, str]]:
    if provider.people is not None:
        for _, number in provider.people.numbers(attempt):
            if len(number) >= _SHORTEST:
                yield "number", number
    left = [attempt.body]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            left += value.values()
            for name in _NAMED & value.keys():
                yield from ((name, text) for text in _texts(value[name]))


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str) and len(each.strip()) >= _SHORTEST and len(each) < 200]


def _stands_in(value: str, text: str) -> bool:
    return value in text and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None
