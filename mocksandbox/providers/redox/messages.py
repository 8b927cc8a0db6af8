"""What a message must say: detectors of the rules in `message_rules`. Each is silent while the Bundle's form is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mocksandbox.providers.redox.destinations import is_lenient
from mocksandbox.providers.redox.parts import (
    ENCOUNTER_WRITE,
    EVENTS,
    main_type,
    message_header,
    of_type,
    resources,
)
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.http import json_name
from mocksandbox.rules.places import MISSING
from mocksandbox.rules.rule import Hit


def _header(attempt: Attempt) -> tuple[str, dict[str, Any]] | None:
    """The MessageHeader with its place."""
    found = message_header(attempt)
    return (f"Bundle.entry[{found[0]}].resource", found[1]) if found else None


def _event(attempt: Attempt) -> tuple[str, Any] | None:
    header = _header(attempt)
    return (f"{header[0]}.eventCoding", header[1].get("eventCoding", MISSING)) if header else None


def missing_event(attempt: Attempt) -> Iterator[Hit]:
    """The MessageHeader has an event; an eventUri in its place passes where messages are read leniently."""
    found, header = _event(attempt), _header(attempt)
    if found and header and not isinstance(found[1], dict):
        by_uri = isinstance(header[1].get("eventUri"), str) and found[1] is MISSING
        if not (by_uri and is_lenient(attempt)):
            yield found[0], "missing-event", {"found": "missing" if found[1] is MISSING else json_name(found[1])}


def missing_event_code(attempt: Attempt) -> Iterator[Hit]:
    """The event has a code, unless messages are read leniently."""
    found = _event(attempt)
    if found and isinstance(found[1], dict) and "code" not in found[1] and not is_lenient(attempt):
        yield f"{found[0]}.code", "missing-event-code", {"wanted": _wanted(attempt)}


def _wanted(attempt: Attempt) -> str:
    return EVENTS[attempt.operation.id] if attempt.operation else ""


def wrong_event(attempt: Attempt) -> Iterator[Hit]:
    """The event's code is the operation's."""
    found = _event(attempt)
    if found and isinstance(found[1], dict) and found[1].get("code", _wanted(attempt)) != _wanted(attempt):
        yield f"{found[0]}.code", "wrong-event", {"wanted": _wanted(attempt)}


def no_main_resource(attempt: Attempt) -> Iterator[Hit]:
    """The message has the resource that the operation is about."""
    if resources(attempt) and not of_type(attempt, main_type(attempt)):
        yield "Bundle.entry", "no-main-resource", {"main": main_type(attempt)}


def no_patient(attempt: Attempt) -> Iterator[Hit]:
    """The message has the patient; an encounter may come without where messages are read leniently."""
    waived = attempt.operation is not None and attempt.operation.id == ENCOUNTER_WRITE and is_lenient(attempt)
    if resources(attempt) and not of_type(attempt, "Patient") and not waived:
        yield "Bundle.entry", "no-patient", {"main": main_type(attempt)}
