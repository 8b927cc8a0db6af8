"""A provider in another package: one data folder, and this module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.exchange import Headers, Response
from mocksandbox.provider import Provider
from mocksandbox.providers.folder import open_folder
from mocksandbox.rules import Catalogue, Defect, Message, Rule
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.rule import Hit
from mocksandbox.store import Partition


def bad_day(attempt: Attempt) -> Iterator[Hit]:
    body = attempt.body
    given = body.get("given") if isinstance(body, dict) else None
    try:
        date.fromisoformat(given if isinstance(given, str) else "2025-01-01")
    except ValueError:
        yield "given", "toy.bad-day", {}


BAD_DAY = Rule(
    id="toy/bad-day",
    title="given is a day",
    why="A dose that nobody knows the day of is of no use.",
    source="openapi.yaml#/paths/~1doses/post",
    operations=frozenset({"createDose"}),
    stage="values",
    status=400,
    issue="value",
    error="",
    find=bad_day,
    defects=(Defect("tomorrow", lambda attempt: attempt.with_body({**attempt.body, "given": "tomorrow"})),),
)


def create(attempt: Attempt, records: Partition) -> Response:
    id = str(uuid4())
    records.put(Record("dose", id, 1, attempt.request.body, recorded=attempt.now))
    headers = Headers([("Content-Type", "application/json"), ("Location", f"{attempt.request.base_url}/doses/{id}")])
    return Response(201, headers, codec.dumps({"id": id}))


def provider() -> Provider:
    plain = open_folder(Path(__file__).parent / "contract")
    messages = {**plain.catalogue.messages, "toy.bad-day": Message("toy.bad-day", "given must be a day, YYYY-MM-DD.")}
    order = {operation: (*stages, "values") for operation, stages in plain.catalogue.order.items()}
    catalogue = Catalogue((*plain.catalogue.rules, BAD_DAY), messages, order)
    profiles = {name: replace(profile, remembers=True) for name, profile in plain.profiles.items()}
    return replace(plain, name="toy", catalogue=catalogue, effects={"createDose": create}, profiles=profiles)
