"""Stored resources as FHIR shows them: with their version and the time of their last change in `meta`, which nobody sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mocksandbox import codec
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.store import Partition

BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
"""When a record came that nobody wrote: a seed."""

KIND_KEY = "resourceType"
"""The key under which a record is found by its type."""


def instant(moment: datetime) -> str:
    """A moment as FHIR's instant, to the millisecond, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def changed(record: Record) -> datetime:
    """When a version was written."""
    return record.recorded or BEGINNING


def etag(record: Record) -> str:
    """The version as an entity tag."""
    return f'W/"{record.version}"'


def shown(record: Record) -> dict[str, Any]:
    """A live version as it is shown."""
    body = record.json()
    sent = body.get("meta")
    meta = {"versionId": str(record.version), "lastUpdated": instant(changed(record))}
    if isinstance(sent, dict):
        meta = {**sent, **meta}
    rest = {name: value for name, value in body.items() if name not in ("resourceType", "id", "meta")}
    return {"resourceType": record.kind, "id": record.id, "meta": meta, **rest}


def kept(kind: str, id: str, version: int, body: Mapping[str, Any], now: datetime, author: str | None = None) -> Record:
    """A version to store. The id, and in `meta` the version and the time, are the server's and not the sender's."""
    meta = body.get("meta")
    if isinstance(meta, dict):
        meta = {name: value for name, value in meta.items() if name not in ("versionId", "lastUpdated")}
    content = {name: value for name, value in body.items() if name not in ("resourceType", "id", "meta")}
    if meta:
        content = {"meta": meta, **content}
    data = codec.dumps({"resourceType": kind, "id": id, **content})
    return Record(kind, id, version, data, {KIND_KEY: kind}, recorded=now, author=author)


def all_of(records: Any, kind: str) -> Iterable[Record]:
    """The newest versions of all records of a type, deleted ones too, oldest record first."""
    found: Iterable[Record] = records.find(kind, KIND_KEY, kind)
    return found


def versions_of(attempt: Attempt, kind: str, id: str) -> list[Record]:
    """Every version of a record, oldest first."""
    return list(attempt.records.versions(kind, id)) if isinstance(attempt.records, Partition) else []


def live(records: Any, kind: str, id: str) -> Any:
    """The resource that has a type and an id, as it is shown; None when there is none or it is deleted."""
    record = records.get(kind, id)
    return shown(record) if record is not None and record.live else None


def as_of(records: Any, kind: str, moment: datetime | None) -> Iterator[Record]:
    """The live records of a type: now (None), or as they were at a moment."""
    for newest in all_of(records, kind):
        record: Record | None = newest
        if moment is not None and changed(newest) > moment:
            earlier = [each for each in records.versions(kind, newest.id) if changed(each) <= moment]
            record = earlier[-1] if earlier else None
        if record is not None and record.live:
            yield record
