"""Searches: their parameters, the rules about them, and the page that answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from mocksandbox.providers.clinikapi.account import holder_of
from mocksandbox.providers.clinikapi.immunization import KIND
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.rule import Hit
from mocksandbox.store import Partition

STATUSES = ("completed", "not-done")
PAGE, LONGEST_PAGE = 20, 100
_COUNT = re.compile("[0-9]{1,3}")
_CURSOR = re.compile("[0-9]{1,9}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LAG = re.compile(r"(?:^|[,;])\s*search-lag\s*=\s*\"?([0-9]{1,4})(?:s?)\"?\s*(?:$|[,;])", re.IGNORECASE)


def parameters_of(attempt: Attempt) -> Mapping[str, str]:
    """The parameters of a search; of a name that comes twice, the first."""
    return dict(reversed(attempt.request.query))


def bad_count(attempt: Attempt) -> Iterator[Hit]:
    """Count is a whole number from 1 to 100."""
    count = parameters_of(attempt).get("count")
    if count is not None and not (_COUNT.fullmatch(count) and 1 <= int(count) <= LONGEST_PAGE):
        yield "query:count", "bad-count", {"most": LONGEST_PAGE}


def bad_cursor(attempt: Attempt) -> Iterator[Hit]:
    """Cursor is one that an answer can have had."""
    cursor = parameters_of(attempt).get("cursor")
    if cursor is not None and not _CURSOR.fullmatch(cursor):
        yield "query:cursor", "bad-cursor", {}


def bad_status(attempt: Attempt) -> Iterator[Hit]:
    """Status is one that a record can have."""
    status = parameters_of(attempt).get("status")
    if status is not None and status not in STATUSES:
        yield "query:status", "bad-status-filter", {"choices": ", ".join(STATUSES)}


def empty_filters(attempt: Attempt) -> Iterator[Hit]:
    """PatientId and vaccineCode are not empty."""
    for name in ("patientId", "vaccineCode"):
        if parameters_of(attempt).get(name) == "":
            yield f"query:{name}", "empty-filter", {"at": name}


def bad_days(attempt: Attempt) -> Iterator[Hit]:
    """DateFrom and dateTo are days."""
    for name in ("dateFrom", "dateTo"):
        text = parameters_of(attempt).get(name)
        if text is not None and not _is_day(text):
            yield f"query:{name}", "bad-day", {"at": name}


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


@dataclass(frozen=True)
class Page:
    """A part of the records that fit: which, how many there are in all, and where the next page goes on, if there is one."""

    records: tuple[Record, ...]
    total: int
    cursor: str | None

    def data(self) -> dict[str, Any]:
        """The page as it is answered."""
        records = [record.json() for record in self.records]
        cursor = {} if self.cursor is None else {"cursor": self.cursor}
        return {"data": records, "total": self.total, **cursor, "hasMore": self.cursor is not None}


def page_of(attempt: Attempt, records: Partition) -> Page:
    """The page that a search asks for. A cursor counts all records of the organisation, deleted ones too, so that nothing is
    missed or given twice when others write between two pages.
    """
    wanted = parameters_of(attempt)
    known = records.find(KIND, "organization", holder_of(attempt).organization)
    lag = _lag(attempt)
    seen = [_as_seen(record, attempt.now - timedelta(seconds=lag), records) for record in known] if lag else known
    fitting = [(place, record) for place, record in enumerate(seen, 1) if record is not None and _fits(record, wanted)]
    start, most = int(wanted.get("cursor", "0")), int(wanted.get("count", PAGE))
    ahead = [(place, record) for place, record in fitting if place > start]
    given = ahead[:most]
    return Page(tuple(record for _, record in given), len(fitting), str(given[-1][0]) if len(ahead) > most else None)


def _as_seen(record: Record, latest: datetime, records: Partition) -> Record | None:
    """A record as an index has it that knows nothing newer than a time: None when it does not have it yet."""
    versions = records.versions(KIND, record.id) or (record,)
    indexed = [version for version in versions if version.recorded is None or version.recorded <= latest]
    return indexed[-1] if indexed else None


def _lag(attempt: Attempt) -> float:
    asked = _LAG.search(attempt.request.headers.get("Prefer", ""))
    return float(asked[1]) if asked else holder_of(attempt).lag


def _fits(record: Record, wanted: Mapping[str, str]) -> bool:
    keys, day = record.keys, record.keys.get("day", "")
    return (
        record.live
        and wanted.get("patientId", _id(keys["patient"])) in (keys["patient"], _id(keys["patient"]))
        and wanted.get("status", keys["status"]) == keys["status"]
        and wanted.get("vaccineCode", keys["vaccine"]) == keys["vaccine"]
        and ("dateFrom" not in wanted or wanted["dateFrom"] <= day)
        and ("dateTo" not in wanted or "" < day <= wanted["dateTo"])
    )


def _id(reference: str) -> str:
    return reference.removeprefix("Patient/")
