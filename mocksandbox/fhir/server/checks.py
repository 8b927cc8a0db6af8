"""What a FHIR server asks of a request beyond its body: the detectors of its rules, which give (place, message, values)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mocksandbox.fhir.search import Problem, Query, Types
from mocksandbox.fhir.search.limits import excess
from mocksandbox.fhir.search.references import target_of
from mocksandbox.fhir.search.spans import span_of
from mocksandbox.fhir.server.conditions import IF_NONE_EXIST, SEARCHED, condition_of, existing, query_of, row_of
from mocksandbox.fhir.server.interaction import CREATE, UPDATE, VREAD, interaction_of
from mocksandbox.fhir.server.preferences import FORMATS, format_of, is_strict, parameter, parameters_of
from mocksandbox.fhir.server.reading import version_named
from mocksandbox.fhir.stored import etag, versions_of
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import Hit

Find = Callable[[Attempt], Iterator[Hit]]

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_ETAG = re.compile(r'\*|(W/)?"[^"]+"', re.ASCII)


def bad_id(attempt: Attempt) -> Iterator[Hit]:
    """The id in the path is FHIR's: 1 to 64 letters, digits, - and ."""
    if not _ID.fullmatch(attempt.id):
        yield "path:id", "bad-id", {}


def unknown_record(types: Types) -> Find:
    """There is, or was, a record of that id."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        row = row_of(attempt, types)
        if row is not None and attempt.records.get(row.name, attempt.id) is None:
            yield "path:id", "unknown-record", {"type": row.name}

    return find


def deleted_record(types: Types) -> Find:
    """The record is not deleted; of a vread, that version is no deletion."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        row = row_of(attempt, types)
        if row is None:
            return
        named = interaction_of(attempt.operation).name == VREAD
        record = version_named(attempt, row.name) if named else attempt.records.get(row.name, attempt.id)
        if record is not None and record.state == "deleted":
            yield "path:vid" if named else "path:id", "deleted-record", {"type": row.name}

    return find


def unknown_version(types: Types) -> Find:
    """The record has that version."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        row = row_of(attempt, types)
        if row is not None and versions_of(attempt, row.name, attempt.id) and version_named(attempt, row.name) is None:
            yield "path:vid", "unknown-version", {"type": row.name}

    return find


def wrong_type(types: Types) -> Find:
    """The body is of the type that the path names."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        row = row_of(attempt, types)
        if row is None or not isinstance(attempt.body, dict):
            return
        sent = attempt.body.get("resourceType")
        if isinstance(sent, str) and sent and sent != row.name:
            yield f"{row.name}.resourceType", "wrong-resource-type", {"type": row.name}

    return find


def id_differs(types: Types) -> Find:
    """The body of an update has the id of the path."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        row = row_of(attempt, types)
        if row is None or not isinstance(attempt.body, dict):
            return
        if "id" not in attempt.body:
            yield f"{row.name}.id", "id-missing", {}
        elif attempt.body["id"] != attempt.id:
            yield f"{row.name}.id", "id-differs", {}

    return find


def bad_version_header(attempt: Attempt) -> Iterator[Hit]:
    """`If-Match` is one entity tag, as `ETag` was."""
    sent = attempt.request.headers.get("If-Match")
    if sent is not None and not _ETAG.fullmatch(sent.strip()):
        yield "header:If-Match", "bad-if-match", {}


def missing_version_header(types: Types) -> Find:
    """An update says which version it replaces, where the type is one of those that need it."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        row = row_of(attempt, types)
        if row is not None and row.versioning == "versioned-update" and "If-Match" not in attempt.request.headers:
            before = attempt.records.get(row.name, attempt.id)
            if before is not None and before.live:  # there is nothing to lose otherwise
                yield "header:If-Match", "if-match-missing", {"type": row.name}

    return find


def version_differs(types: Types) -> Find:
    """`If-Match` names the newest version."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        row, sent = row_of(attempt, types), attempt.request.headers.get("If-Match", "").strip()
        if row is None or not _ETAG.fullmatch(sent):
            return
        record = attempt.records.get(row.name, attempt.id)
        if record is None or not record.live:
            yield "header:If-Match", "version-of-nothing", {}
        elif sent != "*" and etag(record) != f"W/{sent.removeprefix('W/')}":
            yield "header:If-Match", "version-differs", {"current": etag(record)}

    return find


def several_exist(types: Types) -> Find:
    """`If-None-Exist` finds one record at the most."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        found = existing(attempt, types)
        if len(found) > 1:
            yield f"header:{IF_NONE_EXIST}", "several-exist", {"count": len(found)}

    return find


def bad_condition(types: Types) -> Find:
    """`If-None-Exist` is a query with search parameters that are all known: what is passed over would match too much."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        query = condition_of(attempt, types)
        if query is None:
            return
        for problem in query.problems:
            yield f"header:{IF_NONE_EXIST}", "bad-condition", {"name": problem.name, "problem": problem.says}
        if not query.criteria and not query.problems:
            yield f"header:{IF_NONE_EXIST}", "empty-condition", {}

    return find


def query_problem(types: Types, *kinds: str) -> Find:
    """The parameters of a search have no problem of these kinds."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        query = query_of(attempt, types)
        for problem in _of(query, kinds):
            yield f"query:{problem.name}", "bad-parameter", {"name": problem.name, "problem": problem.says}

    return find


def excessive_query(attempt: Attempt) -> Iterator[Hit]:
    """A search or a history asks for no more than is looked for at once."""
    too_much = excess(parameters_of(attempt))
    if too_much:
        yield "query", "bad-parameter", {"name": "The query", "problem": too_much}


def unknown_parameter(types: Types) -> Find:
    """Every parameter is a search parameter of the type, where the client wants to hear of others."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        if is_strict(attempt):
            for problem in _of(query_of(attempt, types), ("unknown",)):
                yield f"query:{problem.name}", "bad-parameter", {"name": problem.name, "problem": problem.says}

    return find


def _of(query: Query | None, kinds: tuple[str, ...]) -> list[Problem]:
    return [problem for problem in query.problems if problem.kind in kinds] if query else []


def bad_history_parameter(attempt: Attempt) -> Iterator[Hit]:
    """`_count` and `_since` of a history can be read."""
    pairs = parameters_of(attempt)
    for name, value in () if excess(pairs) else pairs:
        if name == "_since" and span_of(value) is None:
            yield "query:_since", "bad-parameter", {"name": name, "problem": "must be an instant: 2024-03-01T10:20:30Z"}
        elif name == "_count" and not re.fullmatch(r"\d{1,9}", value, re.ASCII):
            yield "query:_count", "bad-parameter", {"name": name, "problem": "must be a whole number from 0"}
        elif name == "_page" and not re.fullmatch(r"\d{1,9}\.\d{1,17}", value, re.ASCII):
            yield "query:_page", "bad-parameter", {"name": name, "problem": "must be taken from a link of a Bundle"}


def bad_format(attempt: Attempt) -> Iterator[Hit]:
    """`_format` asks for JSON."""
    asked = parameter(attempt, "_format") if attempt.operation else ""
    if asked and not format_of(asked):
        yield "query:_format", "bad-format", {"known": ", ".join(FORMATS)}


def dangling_reference(types: Types) -> Find:
    """What a body refers to by type and id is held here, where the client wants to hear of it."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        row = row_of(attempt, types)
        if row is None or not is_strict(attempt) or interaction_of(attempt.operation).name not in (CREATE, UPDATE):
            return
        for place, target in references_in(attempt.body, row.name, attempt.request.base_url):
            kind, _, id = target.partition("/")
            record = attempt.records.get(kind, id) if kind in types else None
            if kind in types and (record is None or not record.live):
                yield place, "dangling-reference", {"at": place, "type": kind}

    return find


def search_as_reference(types: Types) -> Find:
    """A reference is none that must be looked up by a search: that is for transactions, where it is replaced."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        row = row_of(attempt, types)
        for place, reference in texts_of_references(attempt.body, row.name) if row is not None else ():
            if SEARCHED.fullmatch(reference):
                yield place, "search-as-reference", {"at": place}

    return find


def references_in(value: object, place: str, base_url: str) -> Iterator[tuple[str, str]]:
    """Every reference of a body to `Type/id`, with its place."""
    for at, reference in texts_of_references(value, place):
        target = target_of(reference, base_url)
        if target is not None and target.type:
            yield at, f"{target.type}/{target.id}"


def texts_of_references(value: object, place: str) -> Iterator[tuple[str, str]]:
    """Every text of a reference in a body, with its place. Without recursion: a body may be nested however deep."""
    pending: list[tuple[object, str]] = [(value, place)]
    while pending:
        value, place = pending.pop()
        if isinstance(value, dict):
            reference = value.get("reference")
            if isinstance(reference, str):
                yield f"{place}.reference", reference
            pending += [(child, f"{place}.{name}") for name, child in value.items()]
        elif isinstance(value, list):
            pending += [(child, f"{place}[{index}]") for index, child in enumerate(value)]
