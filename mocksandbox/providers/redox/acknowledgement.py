"""What a write is answered with: the page prints a string; two shapes of FHIR may be asked for in its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from mocksandbox.fhir.stored import etag, instant
from mocksandbox.providers.redox.destinations import ANSWERS, Destination
from mocksandbox.providers.redox.parts import EVENT_SYSTEM, EVENTS, message_header, place, preference
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.places import get

PRINTED = "Operation Response"
"""The whole of the printed answer (imm:L289), a JSON string."""

OUR_ENDPOINT = "urn:uuid:00000000-0000-4000-8000-000000000001"
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def acknowledgement(attempt: Attempt, destination: Destination, written: Sequence[Record]) -> Any:
    """The answer that the request prefers (`Prefer: answer=`), else the destination's: a JSON value."""
    asked = preference(attempt, "answer")
    chosen = asked if asked in ANSWERS else destination.answer
    if chosen == "message":
        return _message(attempt)
    return _transaction(attempt, written) if chosen == "transaction-response" else PRINTED


def _message(attempt: Attempt) -> dict[str, Any]:
    """A FHIR message in answer: it names the message that it answers, and that it was taken."""
    found = message_header(attempt)
    sent = found[1] if found else {}
    named = (
        value for value in (sent.get("id"), get(attempt.body, ("id",))) if isinstance(value, str) and _ID.fullmatch(value)
    )
    endpoint, id = get(sent, ("source", "endpoint")), str(uuid4())
    operation = attempt.operation.id if attempt.operation else ""
    header = {
        "resourceType": "MessageHeader",
        "id": id,
        "eventCoding": {"system": EVENT_SYSTEM, "code": EVENTS[operation]},
        **({"destination": [{"endpoint": endpoint}]} if isinstance(endpoint, str) else {}),
        "source": {"name": "mocksandbox", "endpoint": OUR_ENDPOINT},
        # A message without any id is answered under a new one (MessageHeader.response.identifier is required).
        "response": {"identifier": next(named, str(uuid4())), "code": "ok"},
    }
    entry = [{"fullUrl": f"urn:uuid:{id}", "resource": header}]
    return {"resourceType": "Bundle", "id": str(uuid4()), "type": "message", "timestamp": instant(attempt.now), "entry": entry}


def _transaction(attempt: Attempt, written: Sequence[Record]) -> dict[str, Any]:
    """Where each resource that was written will be."""
    base = resource_base(attempt)
    entry = [
        {
            "response": {
                "status": "201 Created" if record.version == 1 else "200 OK",
                "location": f"{base}/{record.kind}/{record.id}/_history/{record.version}",
                "etag": etag(record),
            }
        }
        for record in written
    ]
    return {"resourceType": "Bundle", "id": str(uuid4()), "type": "transaction-response", "entry": entry}


def resource_base(attempt: Attempt) -> str:
    """The URL below which a destination's resources are, as the request calls the destination."""
    return "/".join((attempt.request.base_url, *place(attempt)))
