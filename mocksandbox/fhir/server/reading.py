"""Read, vread and history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mocksandbox.exchange import Response
from mocksandbox.fhir.search import ResourceType, narrowed, parse_query
from mocksandbox.fhir.search.spans import span_of
from mocksandbox.fhir.server.answers import answer, version_headers
from mocksandbox.fhir.server.bundles import history_bundle
from mocksandbox.fhir.server.interaction import HISTORY_TYPE, interaction_of
from mocksandbox.fhir.server.preferences import parameters_of
from mocksandbox.fhir.stored import all_of, changed, etag, shown, versions_of
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.store import Partition


def version_named(attempt: Attempt, kind: str) -> Record | None:
    """The version that the path of a vread names."""
    parameters = getattr(attempt.match, "parameters", {})
    wanted = parameters.get("vid", "")
    return next((each for each in versions_of(attempt, kind, attempt.id) if str(each.version) == wanted), None)


def read(attempt: Attempt, row: ResourceType) -> Response:
    """200 with the newest version, or 304 when the client has it already."""
    record = attempt.records.get(row.name, attempt.id)
    assert record is not None, "the rules have seen the record"
    if _has_it(attempt, record):
        return answer(attempt, 304, None, version_headers(record))
    return _given(attempt, row, record)


def vread(attempt: Attempt, row: ResourceType) -> Response:
    """200 with the version that is named."""
    record = version_named(attempt, row.name)
    assert record is not None, "the rules have seen the version"
    return _given(attempt, row, record)


def _given(attempt: Attempt, row: ResourceType, record: Record) -> Response:
    # _summary and _elements are parameters of a read too; what cannot be understood of them is passed over.
    wanted = [pair for pair in attempt.request.query if pair[0] in ("_summary", "_elements")]
    query = parse_query(wanted, row, {})
    resource = narrowed(shown(record), row, query.summary, query.elements)
    return answer(attempt, 200, resource, version_headers(record))


def _has_it(attempt: Attempt, record: Record) -> bool:
    """A conditional read (FHIR R4, RESTful API: conditional read; RFC 9110 13.1: If-None-Match goes before the time)."""
    headers = attempt.request.headers
    tags = headers.get("If-None-Match")
    if tags is not None:
        return tags.strip() == "*" or etag(record) in {_weak(tag) for tag in tags.split(",")}
    since = _http_moment(headers.get("If-Modified-Since", ""))
    return since is not None and changed(record).replace(microsecond=0) <= since


def _weak(tag: str) -> str:
    return tag.strip() if tag.strip().startswith("W/") else f"W/{tag.strip()}"


def _http_moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else None


def history(attempt: Attempt, records: Partition, row: ResourceType) -> Response:
    """200 with a Bundle of versions, the newest first."""
    pairs = [pair for pair in parameters_of(attempt) if pair[0] in ("_count", "_page", "_since")]
    query = parse_query([pair for pair in pairs if pair[0] != "_since"], row, {})
    since = next((span_of(value) for name, value in pairs if name == "_since"), None)
    versions = [each for each in _versions(attempt, records, row) if since is None or changed(each) >= since.low]
    versions.sort(key=lambda each: (changed(each), each.version), reverse=True)
    if query.at is not None:
        versions = [each for each in versions if changed(each) <= query.at]
    return answer(attempt, 200, history_bundle(attempt, query, pairs, versions))


def _versions(attempt: Attempt, records: Any, row: ResourceType) -> Sequence[Record]:
    if interaction_of(attempt.operation).name == HISTORY_TYPE:
        return [each for newest in all_of(records, row.name) for each in records.versions(row.name, newest.id)]
    return list(records.versions(row.name, attempt.id))
