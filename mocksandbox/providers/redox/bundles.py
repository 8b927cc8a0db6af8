"""What a Bundle must be before its contents are looked at: detectors of the rules in `bundle_rules`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mocksandbox.providers.redox.parts import entries, main_type
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.http import json_name
from mocksandbox.rules.places import MISSING, get
from mocksandbox.rules.rule import Hit


def _shown(value: Any) -> str:
    """A value for a message: a short text as it is, else what it is."""
    return f"{value[:40]!r}" if isinstance(value, str) else "missing" if value is MISSING else json_name(value)


def not_a_bundle(attempt: Attempt) -> Iterator[Hit]:
    """The body says that it is a Bundle."""
    found = get(attempt.body, ("resourceType",))
    if isinstance(attempt.body, dict) and found != "Bundle":
        yield "Bundle.resourceType", "not-a-bundle", {"found": _shown(found), "main": main_type(attempt)}


def not_a_message(attempt: Attempt) -> Iterator[Hit]:
    """The Bundle says that it is a message."""
    found = get(attempt.body, ("type",))
    if isinstance(attempt.body, dict) and found != "message":
        yield "Bundle.type", "not-a-message", {"found": _shown(found)}


def no_entries(attempt: Attempt) -> Iterator[Hit]:
    """The Bundle has a list of entries."""
    if isinstance(attempt.body, dict) and not entries(attempt):
        found = get(attempt.body, ("entry",))
        yield "Bundle.entry", "no-entries", {"found": "an empty array" if found == [] else _shown(found)}
