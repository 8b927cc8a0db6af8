"""What this provider's contract holds of whole resources: templates of accepted requests, and the seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.fhir.stored import kept
from mocksandbox.providers.evaluation.table import FOLDER
from mocksandbox.rules.attempt import Record

SEEDED = datetime(2024, 7, 1, tzinfo=UTC)
"""When the seeds came."""


@cache
def _templates() -> Mapping[str, Any]:
    return read_mapping(FOLDER / "templates.yaml")


def template(kind: str) -> Mapping[str, Any]:
    """The templates of a type: `bodies`, the `query` of a search, the id of a `seed`. Every call gives new ones."""
    row: Mapping[str, Any] = deepcopy(_templates()["types"][kind])
    return row


def bundles() -> list[dict[str, Any]]:
    """The bodies of transactions and batches."""
    made: list[dict[str, Any]] = deepcopy(_templates()["bundles"])
    return made


def all_bodies() -> list[dict[str, Any]]:
    """Every body of a single resource."""
    return [body for kind in _templates()["types"] for body in template(kind)["bodies"]]


@cache
def _seeds() -> tuple[Record, ...]:
    listed = read_mapping(FOLDER / "seeds.yaml")["records"]
    return tuple(kept(body["resourceType"], body["id"], 1, body, SEEDED) for body in listed)


def seeds() -> Iterator[Record]:
    """The records of a new sandbox."""
    yield from _seeds()
