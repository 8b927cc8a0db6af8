"""Setting up at a provider what a check is about: a record of its own, created, updated or deleted before."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any
from uuid import uuid4

from mocksandbox.contract import Operation
from mocksandbox.exchange import Request, Response
from mocksandbox.provider import Provider
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, Path, get, put

Send = Callable[[Request], Response]

_IDENTIFIER: Path = ("identifier", 0, "value")
_METHODS = {"create": ("POST",), "update": ("PUT", "PATCH"), "delete": ("DELETE",)}
_VERSION = re.compile(r'(?:W/)?"?(\d+)"?')


@dataclass(frozen=True)
class Prepared:
    """What a check finds at the provider: the record that was made for it, if one was (its id and version). Requests carry an
    identifier that no other check has. `problem` says what could not be set up.
    """

    identifier: str
    id: str = ""
    version: int = 1
    problem: str = ""

    def own(self, provider: Provider, attempt: Attempt) -> Attempt:
        """An attempt under this check's identifier, about its record."""
        if self.id and attempt.id and provider.about:
            attempt = provider.about(attempt, self.id, self.version)
        if get(attempt.body, _IDENTIFIER) is not MISSING:
            attempt = attempt.with_body(put(attempt.body, _IDENTIFIER, self.identifier))
        return attempt


def prepare(provider: Provider, operation: Operation, needs: Sequence[str], send: Send) -> Prepared:
    """Do what must be done before a request of an operation: the steps that it needs, and a record where it names one."""
    ready = Prepared(f"mocksandbox-{uuid4()}")
    steps = needs or (("create",) if "{id}" in operation.path else ())
    for step in steps:
        doing = _operation(provider, step, operation)
        if doing is None or provider.valid is None:
            return replace(ready, problem=f"nothing can {step} a record here")
        attempt = ready.own(provider, provider.valid(doing.id))
        answer = send(attempt.request)
        if not 200 <= answer.status < 300:
            return replace(ready, problem=f"{doing.id}, to prepare it, was answered {answer.status}{words(provider, answer)}")
        ready = _after(ready, step, answer)
    return ready


def _operation(provider: Provider, step: str, near: Operation) -> Operation | None:
    """The operation that does a step, of several the one whose path is most like another's."""
    path = near.path.split("/")

    def likeness(operation: Operation) -> int:
        pairs = zip(operation.path.split("/"), path, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    able = [each for each in provider.contract.operations if each.method in _METHODS.get(step, ())]
    if step == "create":
        able = [each for each in able if "201" in each.answers]
    return max(able, key=likeness, default=None)


def _after(ready: Prepared, step: str, answer: Response) -> Prepared:
    found = _VERSION.fullmatch(answer.headers.get("E-Tag") or answer.headers.get("ETag") or "")
    if step == "create":
        return replace(ready, id=_new_id(answer), version=int(found[1]) if found else 1)
    return replace(ready, version=int(found[1]) if found else ready.version + 1)


def _new_id(answer: Response) -> str:
    """The id of a record that was made: from Location, else from the body."""
    location = answer.headers.get("Location", "").partition("/_history/")[0]
    if location:
        return location.rpartition("/")[2]
    body = _json(answer)
    return next((found for found in (get(body, ("id",)), get(body, ("data", "id"))) if isinstance(found, str)), "")


def _json(answer: Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def words(provider: Provider, answer: Response) -> str:
    """What a refusal says, to be put behind its status."""
    told = provider.told(answer) if provider.told else None
    text = " ".join(told.text.split()) if told else ""
    return f": {text[:160]}" if text else ""
