"""The Bundle that answers a search: what it holds, its warnings and its self link."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from mocksandbox import codec
from mocksandbox.providers.nhs.link import asked_for
from mocksandbox.providers.nhs.outcome import warning
from mocksandbox.providers.nhs.search import DISEASE, ELEMENTS, IDENTIFIER, TARGET, Search, search_of
from mocksandbox.providers.nhs.shown import shown
from mocksandbox.providers.nhs.state import KIND, found_by_identifier
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.rule import Hit
from mocksandbox.rules.values import new_uuid

MOST_BYTES = 1024 * 1024


def answer(attempt: Attempt) -> bytes:
    """The Bundle of a search whose rules hold, as JSON; made once for each attempt."""
    kept: bytes | None = attempt.__dict__.get("_bundle")
    if kept is None:
        search = search_of(attempt)
        made = _identifier_bundle(attempt, search) if search.by_identifier else _patient_bundle(attempt, search)
        kept = attempt.__dict__["_bundle"] = made
    return kept


def too_many_results(attempt: Attempt) -> Iterable[Hit]:
    """The answer is not larger than the service sends."""
    return (("query", "search.too-many", {}),) if len(answer(attempt)) > MOST_BYTES else ()


@lru_cache(maxsize=64)  # of the URLs by which clients reach the server, which are few
def _starts(base_url: str) -> tuple[bytes, bytes]:
    """What a Bundle starts with, up to the query of its own URL, and the entry of a record, up to the record's id."""
    url = codec.dumps(f"{base_url}/Immunization")[:-1]
    return b'{"resourceType":"Bundle","type":"searchset","link":[{"relation":"self","url":' + url, b'{"fullUrl":' + url


_ENTRIES = b'"}],"entry":['


def _closed(pieces: list[bytes], total: int) -> bytes:
    """A whole Bundle of its pieces. Each entry has a comma after it, and the last of them loses it here."""
    if pieces[-1] == b",":
        pieces.pop()
    pieces.append(f'],"total":{total}}}'.encode())
    return b"".join(pieces)


def _patient_bundle(attempt: Attempt, search: Search) -> bytes:
    start, entry = _starts(attempt.request.base_url)
    if DISEASE in search.values and not search.diseases[0]:
        return _closed([start, asked_for(search, ()), _ENTRIES, *_warned("search.warning-disease-unknown")], 0)
    types, caller = search.types, attempt.caller
    permitted = types if caller.rights is None else frozenset(name for name in types if caller.may(f"{name}.S"))
    records = _matches(attempt, search, permitted)
    patient_url = f"urn:uuid:{new_uuid()}".encode()
    pieces = [start, asked_for(search, permitted), _ENTRIES]
    for record in records:
        pieces += entry, patient_url.join(shown(record).pieces), b","
    if records:
        pieces += b'{"fullUrl":"', patient_url, shown(records[-1]).patient, b","
    if DISEASE in search.values or len(permitted) != len(search.get(TARGET)):
        pieces += _warnings(search, permitted)
    return _closed(pieces, len(records))


def _matches(attempt: Attempt, search: Search, permitted: frozenset[str]) -> list[Record]:
    """The patient's live records of these types and of the days asked for, by type and id."""
    first, last = search.first_day, search.last_day
    earliest, latest = first.isoformat() if first else "", last.isoformat() if last else "9999-99-99"
    found = []
    for record in attempt.records.find(KIND, "patient", search.patient[2]):
        keys = record.keys
        if record.live and keys.get("type") in permitted and earliest <= keys.get("day", "") <= latest:
            found.append(record)
    if len(found) > 1:
        found.sort(key=lambda record: (record.keys.get("type", ""), record.id))
    return found


def _warned(key: str, **details: Any) -> Iterable[bytes]:
    return b'{"resource":', codec.dumps(warning(key, **details)), b"}", b","


def _warnings(search: Search, permitted: frozenset[str]) -> Iterator[bytes]:
    """The entries that say what was left out."""
    if permitted != search.types:
        yield from _warned("search.warning-unauthorised", issue_code="unauthorized")
    if DISEASE in search.values:
        for raw in (raw for raw in search.get(DISEASE) if raw and raw not in search.diseases[0]):
            if raw in search.diseases[2]:
                yield from _warned("search.warning-disease-malformed", value=raw)
            else:
                yield from _warned("search.warning-disease-unsupported", code=raw.partition("|")[2].strip())
    elif unknown := search.unknown_types:
        yield from _warned("search.warning-targets", values=", ".join(unknown))


def _identifier_bundle(attempt: Attempt, search: Search) -> bytes:
    start, entry = _starts(attempt.request.base_url)
    record = found_by_identifier(attempt)
    if record is None:
        return _closed([start, b"?identifier=None", _ENTRIES], 0)
    elements = sorted(set(search.get(ELEMENTS)))
    asked = f"?identifier={search.get(IDENTIFIER)[0]}" + (f"&_elements={','.join(elements)}" if elements else "")
    pieces = [start, codec.dumps(asked)[1:-1], _ENTRIES]
    if not elements:
        patient_url = f"urn:uuid:{new_uuid()}".encode()
        return _closed([*pieces, entry, patient_url.join(shown(record).pieces)], 1)
    resource: dict[str, Any] = {"resourceType": "Immunization"}
    if "id" in elements:
        resource["id"] = record.id
    if "meta" in elements:
        resource["meta"] = {"versionId": record.version}
    url = f"{attempt.request.base_url}/Immunization/{record.id}"
    return _closed([*pieces, codec.dumps({"fullUrl": url, "resource": resource})], 1)
