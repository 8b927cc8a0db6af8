"""The Bundle that answers a search: what it holds, its warnings and its self link."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from mocksandbox import codec
from mocksandbox.providers.nhs.diseases import type_names
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


def _bundle(link: Sequence[bytes], entries: Sequence[Sequence[bytes]], total: int) -> bytes:
    """A Bundle as JSON, of pieces that are JSON already: of its own URL, without quotes, and of each entry."""
    text = [b'{"resourceType":"Bundle","type":"searchset","link":[{"relation":"self","url":"', *link, b'"}],"entry":[']
    for entry in entries:
        text += entry
        text.append(b",")
    if entries:
        text.pop()
    text.append(f'],"total":{total}}}'.encode())
    return b"".join(text)


@lru_cache(maxsize=64)  # of the URLs by which clients reach the server, which are few
def _in_json(url: str) -> bytes:
    """A URL as it stands between the quotes of JSON."""
    return codec.dumps(url)[1:-1]


def _patient_bundle(attempt: Attempt, search: Search) -> bytes:
    url = _in_json(f"{attempt.request.base_url}/Immunization")
    if DISEASE in search.values and not search.diseases[0]:
        return _bundle((url, asked_for(search, ())), [_warned("search.warning-disease-unknown")], 0)
    types, caller = search.types, attempt.caller
    permitted = types if caller.rights is None else frozenset(name for name in types if caller.may(f"{name}.S"))
    records = _matches(attempt, search, permitted)
    patient_url = f"urn:uuid:{new_uuid()}".encode()
    entries = [_entry(url, record, patient_url) for record in records]
    if records:
        entries.append((b'{"fullUrl":"', patient_url, shown(records[-1]).patient))
    if permitted != types or DISEASE in search.values or not type_names().issuperset(search.get(TARGET)):
        entries += _warnings(search, permitted)
    return _bundle((url, asked_for(search, permitted)), entries, len(records))


def _entry(url: bytes, record: Record, patient_url: bytes) -> Sequence[bytes]:
    return b'{"fullUrl":"', url, patient_url.join(shown(record).pieces)


def _matches(attempt: Attempt, search: Search, permitted: frozenset[str]) -> list[Record]:
    """The patient's live records of these types and of the days asked for, by type and id."""
    records = attempt.records.find(KIND, "patient", search.patient[2])
    found = [record for record in records if record.live and record.keys.get("type") in permitted]
    first, last = search.first_day, search.last_day
    if first or last:
        earliest, latest = first.isoformat() if first else "", last.isoformat() if last else "9999-99-99"
        found = [record for record in found if earliest <= record.keys.get("day", "") <= latest]
    if len(found) > 1:
        found.sort(key=lambda record: (record.keys.get("type", ""), record.id))
    return found


def _warned(key: str, **details: Any) -> Sequence[bytes]:
    return b'{"resource":', codec.dumps(warning(key, **details)), b"}"


def _warnings(search: Search, permitted: frozenset[str]) -> list[Sequence[bytes]]:
    made = []
    if permitted != search.types:
        made.append(_warned("search.warning-unauthorised", issue_code="unauthorized"))
    if DISEASE in search.values:
        for raw in (raw for raw in search.get(DISEASE) if raw and raw not in search.diseases[0]):
            if raw in search.diseases[2]:
                made.append(_warned("search.warning-disease-malformed", value=raw))
            else:
                made.append(_warned("search.warning-disease-unsupported", code=raw.partition("|")[2].strip()))
    elif unknown := search.unknown_types:
        made.append(_warned("search.warning-targets", values=", ".join(unknown)))
    return made


def _identifier_bundle(attempt: Attempt, search: Search) -> bytes:
    record = found_by_identifier(attempt)
    plain = f"{attempt.request.base_url}/Immunization"
    url = _in_json(plain)
    if record is None:
        return _bundle((url, b"?identifier=None"), [], 0)
    elements = sorted(set(search.get(ELEMENTS)))
    asked = f"?identifier={search.get(IDENTIFIER)[0]}" + (f"&_elements={','.join(elements)}" if elements else "")
    link = (url, codec.dumps(asked)[1:-1])
    if not elements:
        return _bundle(link, [_entry(url, record, f"urn:uuid:{new_uuid()}".encode())], 1)
    resource: dict[str, Any] = {"resourceType": "Immunization"}
    if "id" in elements:
        resource["id"] = record.id
    if "meta" in elements:
        resource["meta"] = {"versionId": record.version}
    return _bundle(link, [(codec.dumps({"fullUrl": f"{plain}/{record.id}", "resource": resource}),)], 1)
