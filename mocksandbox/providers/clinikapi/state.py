"""The rules' questions about who asks, and about the record that a request names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from math import isfinite
from typing import Any

from mocksandbox.providers.clinikapi.account import READ_SCOPE, WRITE_SCOPE, holder_of
from mocksandbox.providers.clinikapi.authority import KEY_HEADER
from mocksandbox.providers.clinikapi.immunization import KIND
from mocksandbox.providers.clinikapi.keys import KEY_FORM
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.rule import Hit

DEEPEST = 64
"""How deep a body may be nested. What the API knows is nested four levels deep; checkers of schemas give up below 255."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_ENTITY_TAG = re.compile(r'(?:W/)?"?([^",]*)"?')


def named_record(attempt: Attempt) -> Record | None:
    """The live record that the path names; None when it is another organisation's, too."""
    record = attempt.records.get(KIND, attempt.id)
    ours = record is not None and record.keys.get("organization") == holder_of(attempt).organization
    return record if record is not None and ours and record.live else None


def refused_for(key: str) -> Callable[[Attempt], Iterator[Hit]]:
    """A detector of callers that are refused for one reason."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        if attempt.refusal is not None and attempt.refusal.key == key:
            yield f"header:{KEY_HEADER}", key, attempt.refusal.values

    return find


def bad_key_format(attempt: Attempt) -> Iterator[Hit]:
    """The key, where one is sent, is of the form of keys. That can be told without knowing any."""
    text = attempt.request.headers.get(KEY_HEADER)
    if text is not None and not KEY_FORM.fullmatch(text):
        yield f"header:{KEY_HEADER}", "bad-key-format", {}


def without_scope(attempt: Attempt) -> Iterator[Hit]:
    """The key has the scope for what is asked."""
    if attempt.operation is None:
        return
    scope = READ_SCOPE if attempt.operation.method == "GET" else WRITE_SCOPE
    if not attempt.caller.may(scope):
        yield f"header:{KEY_HEADER}", "no-scope", {"scope": scope}


def bad_id(attempt: Attempt) -> Iterator[Hit]:
    """The id in the path is one that a record can have."""
    if not _ID.fullmatch(attempt.id):
        yield "path:id", "bad-id", {}


def unknown_record(attempt: Attempt) -> Iterator[Hit]:
    """The record exists, is not deleted, and is the caller's organisation's."""
    if named_record(attempt) is None:
        yield "path:id", "unknown-record", {}


def wrong_version(attempt: Attempt) -> Iterator[Hit]:
    """If-Match, where it is sent, names the version that the record has."""
    wanted, record = attempt.request.headers.get("If-Match"), named_record(attempt)
    if wanted is not None and record is not None and not _names(wanted, record.version):
        yield "header:If-Match", "wrong-version", {}


def _names(wanted: str, version: int) -> bool:
    """Whether a list of entity tags (RFC 9110 section 13.1.1) has that of a version; `*` has every one."""
    tags = (_ENTITY_TAG.fullmatch(part.strip()) for part in wanted.split(","))
    return any(tag is not None and tag[1] in ("*", str(version)) for tag in tags)


def outside_json(attempt: Attempt) -> Iterator[Hit]:
    """Every number of the body is one that JSON has: NaN and Infinity are read by many parsers, and written by none."""
    for name, value in _members(attempt.body):
        if any(isinstance(item, float) and not isfinite(item) for item, _ in _inside(value)):
            yield name, "not-a-json-number", {"at": name}
            return


def nested_too_deep(attempt: Attempt) -> Iterator[Hit]:
    """The body is not nested deeper than so many levels."""
    for _, value in _members(attempt.body):
        if any(depth > DEEPEST for _, depth in _inside(value)):
            yield "body", "nested-too-deep", {"most": DEEPEST}
            return


def _members(body: Any) -> Iterable[tuple[str, Any]]:
    return body.items() if isinstance(body, dict) else ()


def _inside(value: Any) -> Iterator[tuple[Any, int]]:
    """A value and everything in it, each with its depth. Without recursion, which a hostile body would exhaust."""
    waiting = [(value, 2)]
    while waiting:
        item, depth = waiting.pop()
        yield item, depth
        if isinstance(item, (dict, list)):
            waiting += [(inner, depth + 1) for inner in (item.values() if isinstance(item, dict) else item)]
