"""Ways to break a request to ClinikAPI: edits of a member, a header, the query, the path, the caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mocksandbox import codec
from mocksandbox.providers.clinikapi.account import Holder
from mocksandbox.providers.clinikapi.promise import SEARCH
from mocksandbox.rules.attempt import Attempt, Refusal
from mocksandbox.rules.rule import Defect


def _written(attempt: Attempt, body: Any) -> Attempt:
    # As bytes, so that it is read again: a NaN that another defect put in is null once it is written.
    return attempt.with_raw(codec.dumps(body))


def member(name: str, key: str, edit: Callable[[Any], Any], *also: str) -> Defect[Attempt]:
    """An edit of a member of the body; a body without it is left as it is."""

    def apply(attempt: Attempt) -> Attempt:
        body = attempt.body
        return _written(attempt, {**body, key: edit(body[key])}) if isinstance(body, dict) and key in body else attempt

    return Defect(name, apply, frozenset(also))


def without(name: str, key: str, *also: str) -> Defect[Attempt]:
    """A member is taken out of the body."""

    def apply(attempt: Attempt) -> Attempt:
        body = attempt.body
        if not isinstance(body, dict) or key not in body:
            return attempt
        return _written(attempt, {other: value for other, value in body.items() if other != key})

    return Defect(name, apply, frozenset(also))


def added(name: str, key: str, value: Any, *also: str) -> Defect[Attempt]:
    """A member is set, whether it was there or not."""

    def apply(attempt: Attempt) -> Attempt:
        return _written(attempt, {**attempt.body, key: value}) if isinstance(attempt.body, dict) else attempt

    return Defect(name, apply, frozenset(also))


def appended(name: str, json: bytes, *also: str) -> Defect[Attempt]:
    """The text of one more member stands at the end of the body, whether it is JSON or not."""

    def apply(attempt: Attempt) -> Attempt:
        body = attempt.request.body
        return attempt.with_raw(body[:-1] + b"," + json + b"}") if body.endswith(b"}") else attempt

    return Defect(name, apply, frozenset(also))


def header(name: str, header_name: str, value: str | None, *also: str, needs: tuple[str, ...] = ()) -> Defect[Attempt]:
    """A header is set, or removed when the value is None."""
    return Defect(name, lambda attempt: attempt.with_header(header_name, value), frozenset(also), needs)


def query(name: str, parameter: str, value: str, *also: str) -> Defect[Attempt]:
    """A parameter of a search has this value; what is no search is left as it is."""

    def apply(attempt: Attempt) -> Attempt:
        if attempt.operation is None or attempt.operation.id != SEARCH:
            return attempt
        others = (pair for pair in attempt.request.query if pair[0] != parameter)
        return attempt.with_query((*others, (parameter, value)))

    return Defect(name, apply, frozenset(also))


def path_id(name: str, id: str, *also: str) -> Defect[Attempt]:
    """Another id stands in the path; a path without one is left as it is."""

    def apply(attempt: Attempt) -> Attempt:
        named = attempt.operation is not None and "{id}" in attempt.operation.path
        return attempt.at_path(f"/immunizations/{id}") if named else attempt

    return Defect(name, apply, frozenset(also))


def refused(name: str, key: str, **values: Any) -> Defect[Attempt]:
    """The caller is not let in."""
    return Defect(name, lambda attempt: replace(attempt, refusal=Refusal(key, values)))


def as_holder(name: str, holder: Holder, *also: str) -> Defect[Attempt]:
    """Asked with somebody else's key."""
    return Defect(name, lambda attempt: replace(attempt, caller=holder), frozenset(also))
