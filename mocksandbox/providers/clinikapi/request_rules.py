"""The rules about the rest of a request: what any body must be, its parameters, and the record that it names."""

from __future__ import annotations

from mocksandbox.providers.clinikapi import defects as by
from mocksandbox.providers.clinikapi import search, state
from mocksandbox.providers.clinikapi.account import Holder
from mocksandbox.providers.clinikapi.promise import (
    CREATE,
    DELETE,
    READ,
    SCHEMA,
    SEARCH,
    SERVICE_ONLY,
    UPDATE,
    promise,
)
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import Defect, Rule

_NAMING = frozenset({READ, UPDATE, DELETE})
_UNKNOWN = "clinikapi/unknown-record"
_RESPONSES = "/components/responses"
_QUERY = "/paths/~1immunizations/get/parameters"


BODY: tuple[Rule[Attempt], ...] = (
    promise(
        "not-a-json-number",
        "Every number is one that JSON has",
        "Many parsers read NaN and Infinity, and nobody can write them into an answer.",
        f"{_RESPONSES}/BadRequest",
        state.outside_json,
        (
            by.appended("nan", b'"note":NaN', "clinikapi/bad-note", SCHEMA),
            by.appended("infinity", b'"note":-Infinity', "clinikapi/bad-note", SCHEMA),
            by.appended("nan-inside", b'"note":[{"a":NaN}]', "clinikapi/bad-note", SCHEMA),
        ),
        stage="json",
        operations=frozenset({CREATE, UPDATE}),
        status=400,
        error="BAD_REQUEST",
    ),
    promise(
        "nested-too-deep",
        f"The body is nested at most {state.DEEPEST} levels deep",
        "Nothing that the API knows is nested deeper than four levels; what is, is meant to exhaust a parser.",
        f"{_RESPONSES}/BadRequest",
        state.nested_too_deep,
        (
            by.appended("lists", b'"note":' + b"[" * 100 + b"]" * 100, "clinikapi/bad-note", SCHEMA),
            by.appended("objects", b'"note":' + b'{"a":' * 100 + b"1" + b"}" * 100, "clinikapi/bad-note", SCHEMA),
        ),
        stage="json",
        operations=frozenset({CREATE, UPDATE}),
        status=400,
        error="BAD_REQUEST",
    ),
)

QUERY: tuple[Rule[Attempt], ...] = (
    promise(
        "bad-count",
        "count is a whole number from 1 to 100",
        "A page has at most 100 records.",
        f"{_QUERY}/5",
        search.bad_count,
        tuple(
            by.query(name, "count", text)
            for name, text in {
                "zero": "0",
                "too-many": "101",
                "many-digits": "9" * 30,
                "negative": "-1",
                "fraction": "1.5",
                "letters": "all",
                "empty": "",
            }.items()
        ),
        stage="query",
        operations=frozenset({SEARCH}),
        status=400,
        error="BAD_REQUEST",
        profiles=SERVICE_ONLY,
    ),
    promise(
        "bad-cursor",
        "cursor is the cursor of a page before",
        "It is opaque: what is made up by a client leads nowhere.",
        f"{_QUERY}/6",
        search.bad_cursor,
        (
            by.query("letters", "cursor", "next"),
            by.query("negative", "cursor", "-1"),
            by.query("many-digits", "cursor", "9" * 30),
            by.query("empty", "cursor", ""),
        ),
        stage="query",
        operations=frozenset({SEARCH}),
        status=400,
        error="BAD_REQUEST",
        profiles=SERVICE_ONLY,
    ),
    promise(
        "bad-date-filter",
        "dateFrom and dateTo are days, YYYY-MM-DD",
        "Occurrences are compared with them by the day.",
        f"{_QUERY}/3",
        search.bad_days,
        tuple(
            by.query(f"{parameter}-{name}", parameter, text)
            for parameter in ("dateFrom", "dateTo")
            for name, text in {
                "no-such-day": "2024-02-30",
                "british": "01/02/2024",
                "month": "2024-02",
                "time": "2024-02-01T00:00:00Z",
                "letters": "yesterday",
                "empty": "",
            }.items()
        ),
        stage="query",
        operations=frozenset({SEARCH}),
        status=400,
        error="BAD_REQUEST",
        profiles=SERVICE_ONLY,
    ),
    promise(
        "empty-filter",
        "patientId and vaccineCode are not empty where they are sent",
        "A client that lost the value would get everybody's records, or nobody's, and not notice.",
        f"{_QUERY}/0",
        search.empty_filters,
        (by.query("patient", "patientId", ""), by.query("vaccine", "vaccineCode", "")),
        stage="query",
        operations=frozenset({SEARCH}),
        status=400,
        error="BAD_REQUEST",
        profiles=SERVICE_ONLY,
    ),
    promise(
        "bad-status-filter",
        "status is completed or not-done",
        "No record has another status: the filter is misspelt, and an empty page would hide it.",
        f"{_QUERY}/1",
        search.bad_status,
        (
            by.query("unknown", "status", "done"),
            by.query("capital", "status", "Completed"),
            by.query("entered-in-error", "status", "entered-in-error"),
            by.query("empty", "status", ""),
        ),
        stage="query",
        operations=frozenset({SEARCH}),
        status=400,
        error="BAD_REQUEST",
        profiles=SERVICE_ONLY,
    ),
)

RECORD: tuple[Rule[Attempt], ...] = (
    promise(
        "bad-id",
        "The id in the path is 1 to 128 letters, digits, -, _ or .",
        "No record has another id; the SDK does not even send one.",
        "/components/parameters/Id",
        state.bad_id,
        tuple(
            by.path_id(name, id, _UNKNOWN)
            for name, id in {
                "space": "a%20b",
                "colon": "a:b",
                "129-characters": "a" * 129,
                "empty": "",
                "letter": "%C3%A9",
            }.items()
        ),
        stage="id",
        operations=_NAMING,
        status=400,
        error="BAD_REQUEST",
        profiles=SERVICE_ONLY,
    ),
    promise(
        "unknown-record",
        "The record exists, and is the caller's organisation's",
        "There is nothing to act on. Whether another organisation has it is nobody's business.",
        f"{_RESPONSES}/NotFound",
        state.unknown_record,
        (
            by.path_id("unknown", "6d3e1d6e-0001-4a0e-8e70-000000000000"),
            Defect("deleted", lambda attempt: attempt, needs=("create", "delete")),
            by.as_holder("another-organisation", Holder("neighbour", organization="org_def456")),
        ),
        stage="exists",
        operations=_NAMING,
        status=404,
        issue="not-found",
        error="NOT_FOUND",
    ),
    promise(
        "wrong-version",
        "If-Match, where it is sent, is the record's version",
        "Somebody else has changed the record since it was read.",
        f"{_RESPONSES}/Conflict",
        state.wrong_version,
        (
            by.header("ahead", "If-Match", 'W/"7"', needs=("create",)),
            by.header("stale", "If-Match", 'W/"1"', needs=("create", "update")),
            by.header("several", "If-Match", '"5", W/"6"', needs=("create",)),
            by.header("no-entity-tag", "If-Match", "yesterday", needs=("create",)),
            by.header("empty", "If-Match", "", needs=("create",)),
        ),
        stage="version",
        operations=frozenset({UPDATE, DELETE}),
        status=409,
        issue="conflict",
        error="CONFLICT",
    ),
)

REQUEST_RULES = (*BODY, *QUERY, *RECORD)
