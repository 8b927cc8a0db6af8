"""Stored resources as FHIR shows them: with their version and the time of their last change in `meta`, which nobody sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mocksandbox import codec
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.store import Partition

BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
"""When a record came that nobody wrote: a seed."""

MOST_KEPT = 8 * 1024 * 1024
"""Bytes of records that are kept as read while a request is answered: in memory they take ten times as much."""

MOST_PAGE = 8 * 1024 * 1024
"""Bytes of records after which a page of a search or history ends: a thousand records of usual size are fewer."""

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


class Shown:
    """Live versions as they are shown, each read once as long as there is room for what was read; `sizes` are the bytes of
    those that were looked at, by type and id.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, int], dict[str, Any]] = {}
        self._room = MOST_KEPT
        self.sizes: dict[tuple[str, str], int] = {}

    def __call__(self, record: Record) -> dict[str, Any]:
        """The version as it is shown."""
        key = record.kind, record.id, record.version
        found = self._kept.get(key)
        if found is None:
            found, size = shown(record), len(record.body)
            self.sizes[record.kind, record.id] = size
            if size <= self._room:
                self._room -= size
                self._kept[key] = found
        return found


def one_page(records: Sequence[Record]) -> Sequence[Record]:
    """The first records, as many as one answer may have bytes; one at the least."""
    room = MOST_PAGE
    for index, record in enumerate(records):
        room -= len(record.body) if record.live else 0
        if room < 0 and index > 0:
            return records[:index]
    return records


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


def as_of(records: Any, kind: str, moment: datetime | None) -> Iterator[Record]:
    """The live records of a type: now (None), or as they were at a moment."""
    for newest in all_of(records, kind):
        record: Record | None = newest
        if moment is not None and changed(newest) > moment:
            earlier = [each for each in records.versions(kind, newest.id) if changed(each) <= moment]
            record = earlier[-1] if earlier else None
        if record is not None and record.live:
            yield record
