"""Bundles of a FHIR server: searchset and history, with links from page to page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from mocksandbox.fhir.search import Query, Results, narrowed, page_token
from mocksandbox.fhir.search.parameters import Types
from mocksandbox.fhir.stored import changed, etag, instant, one_page, shown
from mocksandbox.rules.attempt import Attempt, Record

_SAFE = "/:,|$"


def search_bundle(attempt: Attempt, query: Query, results: Results, types: Types) -> dict[str, Any]:
    """A searchset: the page's matches, then what is included with them."""
    bundle = _bundle(attempt, "searchset")
    if query.total != "none" or query.only_total:
        bundle["total"] = results.total
    path = attempt.request.path.removesuffix("/_search")
    bundle["link"] = _links(
        f"{attempt.request.base_url}{path}", query.used, query, results.total, len(results.page), results.at
    )
    entries = [_found(attempt, query, types, each, "match") for each in results.page]
    entries += [_found(attempt, query, types, each, "include") for each in results.included]
    if entries:
        bundle["entry"] = entries
    return bundle


def _bundle(attempt: Attempt, kind: str) -> dict[str, Any]:
    meta = {"lastUpdated": instant(attempt.now)}
    return {"resourceType": "Bundle", "id": str(uuid4()), "meta": meta, "type": kind}


def _found(attempt: Attempt, query: Query, types: Types, resource: dict[str, Any], mode: str) -> dict[str, Any]:
    url = f"{attempt.request.base_url}/{resource['resourceType']}/{resource['id']}"
    row = types[resource["resourceType"]]
    # _elements is about what was looked for; a summary is of the whole answer.
    elements = query.elements if mode == "match" else ()
    return {"fullUrl": url, "resource": narrowed(resource, row, query.summary, elements), "search": {"mode": mode}}


def _links(url: str, used: Sequence[tuple[str, str]], query: Query, total: int, given: int, at: Any) -> list[dict[str, str]]:
    """The links of a page that has so many of all. They carry the moment of the first page: what is written meanwhile moves
    nothing.
    """
    kept = [pair for pair in used if pair[0] != "_page"]

    def link(relation: str, offset: int | None) -> dict[str, str]:
        pairs = kept if offset is None else [*kept, ("_page", page_token(offset, at))]
        return {
            "relation": relation,
            "url": url + (f"?{urlencode(pairs, quote_via=quote, safe=_SAFE, errors='replace')}" if pairs else ""),
        }

    here, size = query.offset, query.count
    links = [link("self", here if query.at is not None else None)]
    if query.only_total:
        return links
    links.append(link("first", 0))
    if here > 0:
        links.append(link("previous", max(0, here - size)))
    if 0 < given < total - here:
        links.append(link("next", here + given))
    links.append(link("last", max(0, (total - 1) // size * size)))
    return links


def history_bundle(attempt: Attempt, query: Query, pairs: Sequence[tuple[str, str]], versions: Sequence[Record]) -> Any:
    """A history: each version with how it came about; a deletion has no resource."""
    bundle = _bundle(attempt, "history")
    bundle["total"] = len(versions)
    at = query.at or max([attempt.now, *(changed(each) for each in versions)])
    page = one_page(versions[query.offset : query.offset + query.count])
    url = f"{attempt.request.base_url}{attempt.request.path}"
    bundle["link"] = _links(url, pairs, query, len(versions), len(page), at)
    if page:
        bundle["entry"] = [_version(attempt, record) for record in page]
    return bundle


def _version(attempt: Attempt, record: Record) -> dict[str, Any]:
    url = f"{record.kind}/{record.id}"
    created = record.version == 1
    method = "PUT" if record.live and not created else "POST" if record.live else "DELETE"
    status = "201 Created" if created else "200 OK" if record.live else "204 No Content"
    entry: dict[str, Any] = {"fullUrl": f"{attempt.request.base_url}/{url}"}
    if record.live:
        entry["resource"] = shown(record)
    entry["request"] = {"method": method, "url": record.kind if method == "POST" else url}
    entry["response"] = {"status": status, "etag": etag(record), "lastModified": instant(changed(record))}
    return entry
