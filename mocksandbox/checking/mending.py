"""What a wrong value was probably meant to be."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from mocksandbox.generators import kinds
from mocksandbox.provider import Provider
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, Path, get


def nearest(provider: Provider, attempt: Attempt, finding: Finding, path: Path) -> Any:
    """The nearest right value at a place, or an example of one; None when there is none to name.

    The kind of value that stands there knows best; then a key that is spelled almost like one that belongs there; then what
    stands in the API's own example.
    """
    value = get(attempt.body, path)
    kind = _kind_at(provider, attempt.body, path)
    if kind and value is not MISSING:
        meant = kinds()[kind].nearest(value)
        if meant is not None and meant != value:
            return meant
    example = _example(provider, attempt)
    siblings = get(example, path[:-1])
    if value is not MISSING and isinstance(siblings, dict) and isinstance(path[-1], str) and path[-1] not in siblings:
        # A key that the example does not have either: perhaps a slip of the pen.
        present = get(attempt.body, path[:-1])
        absent = [key for key in siblings if key not in present]
        return next(iter(get_close_matches(path[-1], absent, 1)), None)
    wanted = get(example, path)
    if wanted is MISSING or isinstance(wanted, (dict, list)) or wanted == value:
        return None
    # Of a constant the example is the answer; of what varies it shows what one looks like, where nothing else does.
    return wanted if not kind or value is MISSING else None


def _kind_at(provider: Provider, body: Any, path: Path) -> str:
    for field in provider.fields.values():
        if field.kind and any(found.path == path for found in field.locate(body)):
            return field.kind
    return ""


def _example(provider: Provider, attempt: Attempt) -> Any:
    if attempt.operation is None or provider.valid is None:
        return MISSING
    return provider.valid(attempt.operation.id).body
