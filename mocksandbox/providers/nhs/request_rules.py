"""The rules about the rest of a request: its route and headers, its caller, and the record that it names."""

from __future__ import annotations

from mocksandbox.providers.nhs import defects as by
from mocksandbox.providers.nhs import state
from mocksandbox.providers.nhs.checks import NOT_FHIR
from mocksandbox.providers.nhs.promise import (
    CREATE,
    DELETE,
    DOCUMENT_ONLY,
    READ,
    SEARCHES,
    UPDATE,
    WRITES,
    promise,
)
from mocksandbox.providers.nhs.search import IDENTIFIER, PATIENT_PARAMETERS
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import ALL, Defect, Rule

_NAMING = frozenset({READ, UPDATE, DELETE})
_TABLES = "openapi.json#/components/responses"
_PARAMETER, _SCHEMA = "http/parameter", "http/schema"
_EVERY = frozenset[str]()
_NO_PARAMETERS = frozenset({"nhs/no-parameter", "nhs/bad-patient-parameter", "nhs/bad-target-parameter"})

ROUTES: tuple[Rule[Attempt], ...] = (
    promise(
        "unknown-route",
        "The path and the method are one of the API's",
        "The backend knows three paths; a collection is not updated or deleted, an item is not posted to.",
        "messages.yaml#unknown-route",
        state.unknown_route,
        (
            Defect("unknown-path", lambda attempt: attempt.at_path("/metadata")),
            Defect(
                "no-id",
                lambda attempt: attempt.at_path("/Immunization/"),
                frozenset({"nhs/bad-id", "nhs/unknown-record", "nhs/id-differs"}),
            ),
            Defect("put-collection", lambda attempt: attempt.at_path("/Immunization", "PUT")),
        ),
        stage="route",
        operations=_EVERY,
        status=404,
        issue="not-found",
        error="NOT_FOUND",
    ),
    promise(
        "method-not-allowed",
        "The method is GET, POST, PUT or DELETE",
        "The service has no other interaction.",
        "messages.yaml#method-not-allowed",
        state.method_not_allowed,
        (Defect("patch", lambda attempt: attempt.at_path(attempt.request.path, "PATCH")),),
        stage="route",
        operations=_EVERY,
        status=405,
        issue="not-supported",
        error="NOT_SUPPORTED",
    ),
    promise(
        "bad-accept",
        "Accept allows application/fhir+json",
        "The gateway gives nothing else.",
        "messages.yaml#bad-accept",
        state.bad_accept,
        (by.header("xml", "Accept", "application/fhir+xml"), by.header("json", "Accept", "application/json")),
        stage="accept",
        operations=_EVERY,
        issue="invalid",
        error="BAD_REQUEST",
    ),
)

BODY: tuple[Rule[Attempt], ...] = (
    promise(
        "malformed-json",
        "The body is JSON",
        "What cannot be parsed cannot be stored.",
        "messages.yaml#malformed-json",
        state.malformed_json,
        (
            Defect("truncated", lambda attempt: attempt.with_raw(attempt.request.body[:-1])),
            Defect("xml", lambda attempt: attempt.with_raw(b"<Immunization/>")),
            Defect("not-utf-8", lambda attempt: attempt.with_raw(b'{"resourceType": "\xff"}')),
        ),
        stage="json",
        issue="invalid",
    ),
    promise(
        "not-an-object",
        "The body is a JSON object",
        "The service answers 500 to a list, a bare value or nothing at all; here it is refused with a reason.",
        "messages.yaml#exception",
        state.not_an_object,
        (
            Defect("array", lambda attempt: attempt.with_raw(b"[]")),
            Defect("null", lambda attempt: attempt.with_raw(b"null")),
            Defect("text", lambda attempt: attempt.with_raw(b'"x"')),
            Defect("no-body", lambda attempt: attempt.with_raw(b"")),
        ),
        stage="json",
        issue="invalid",
    ),
    promise(
        "not-a-form",
        "A search by POST sends a form",
        "The service answers 500 to a JSON body; here it is refused with a reason.",
        "case:search-http/post:json-content-type",
        state.not_a_form,
        (Defect("json", lambda attempt: attempt.with_raw(b"{}", "application/json"), _NO_PARAMETERS),),
        stage="form",
        operations=SEARCHES - {"searchImmunizationGet"},
        issue="invalid",
    ),
)

CALLER: tuple[Rule[Attempt], ...] = (
    promise(
        "bad-token",
        "The sender has a valid token",
        "Without it nobody knows who asks. The gateway answers, in its own words.",
        "messages.yaml#bad-token",
        state.refused,
        (by.refused("bad-token"),),
        stage="token",
        operations=_EVERY,
        status=401,
        issue="expired",
        error="SEND_UNAUTHORIZED",
    ),
    promise(
        "unauthorized",
        "The sender has a valid token",
        "Without it nobody knows who asks.",
        f"{_TABLES}/4XX-imms-create/description",
        state.refused,
        (by.refused("bad-token"),),
        stage="token",
        operations=_EVERY,
        status=401,
        issue="login",
        error="UNAUTHORIZED",
        profiles=DOCUMENT_ONLY,
    ),
    promise(
        "forbidden",
        "The sender may do this with this vaccine type",
        "Suppliers have rights by vaccine type and interaction.",
        f"{_TABLES}/4XX-imms-create/description",
        state.forbidden,
        (by.as_caller("no-rights", ()), by.as_caller("other-type", ("BCG.C", "BCG.R", "BCG.U", "BCG.D", "BCG.S"))),
        stage="rights",
        operations=WRITES | _NAMING,
        status=403,
        issue="forbidden",
    ),
    promise(
        "identifier-search-forbidden",
        "The sender may search for the type of the record that is found",
        "A search by identifier reveals a record, so it needs the right for its type.",
        "messages.yaml#forbidden",
        state.identifier_search_forbidden,
        (Defect("no-rights", lambda attempt: _as_nobody(_for_the_example(attempt)), needs=("create",)),),
        stage="rights",
        operations=SEARCHES,
        status=403,
        issue="forbidden",
        profiles=ALL,
    ),
)


def _as_nobody(attempt: Attempt) -> Attempt:
    return by.as_caller("nobody", ()).apply(attempt)


def _for_the_example(attempt: Attempt) -> Attempt:
    """The search for the record of the documented create, by its identifier."""
    example = next(iter(attempt.contract.operation(CREATE).bodies.values())).examples["default"]
    system, value = state.identifier_of(example)
    return by.searching(attempt, IDENTIFIER, f"{system}|{value}", without=PATIENT_PARAMETERS)


RECORD: tuple[Rule[Attempt], ...] = (
    promise(
        "bad-id",
        "The id in the path is 1 to 64 letters, digits, - or .",
        "It is FHIR's id; nothing else can be stored.",
        f"{_TABLES}/4XX-imms-read/description",
        state.bad_id,
        tuple(
            by.path_id(name, id, _PARAMETER, NOT_FHIR, "nhs/unknown-record")
            for name, id in {"underscore": "a_b", "65-characters": "a" * 65, "space": "a%20b", "colon": "a:b"}.items()
        ),
        stage="id",
        operations=_NAMING,
        issue="invalid",
    ),
    promise(
        "unknown-record",
        "The record exists",
        "There is nothing to act on; an update never creates.",
        f"{_TABLES}/4XX-imms-read/description",
        state.unknown_record,
        (by.path_id("unknown", "6d3e1d6e-0001-4a0e-8e70-000000000000"),),
        stage="exists",
        operations=_NAMING,
        status=404,
        issue="not-found",
        error="NOT-FOUND",
    ),
    promise(
        "deleted-record",
        "The record is not deleted",
        "A deleted record was entered in error: it is not read, and not deleted again.",
        f"{_TABLES}/4XX-imms-delete/description",
        state.deleted_record,
        (Defect("deleted", lambda attempt: attempt, needs=("create", "delete")),),
        stage="exists",
        operations=frozenset({READ, DELETE}),
        status=404,
        issue="not-found",
        error="NOT-FOUND",
    ),
    promise(
        "id-on-create",
        "A new record has no id",
        "The service assigns it.",
        "messages.yaml#id-on-create",
        state.id_on_create,
        (by.set_to("id", ("id",), "x"), by.set_to("empty-id", ("id",), "", NOT_FHIR)),
        stage="new-id",
        operations=frozenset({CREATE}),
    ),
    promise(
        "id-differs",
        "The body of an update has the id of the path",
        "It guards against overwriting another record.",
        f"{_TABLES}/4XX-imms-update/description",
        state.id_differs,
        (
            by.without("absent", ("id",), _SCHEMA),
            by.set_to("null", ("id",), None, _SCHEMA),
            by.set_to("other", ("id",), "another-id"),
        ),
        stage="same-id",
        operations=frozenset({UPDATE}),
    ),
    promise(
        "missing-version",
        "An update has the header E-Tag",
        "It says which version is replaced, so that nobody's change is lost.",
        f"{_TABLES}/4XX-imms-update/description",
        state.version_missing,
        (by.header("absent", "E-Tag", None, _PARAMETER),),
        stage="version-present",
        operations=frozenset({UPDATE}),
    ),
    promise(
        "bad-version",
        "E-Tag is a whole number from 1, without quotes",
        "Versions are counted from 1.",
        f"{_TABLES}/4XX-imms-update/description",
        state.version_invalid,
        tuple(
            by.header(name, "E-Tag", text, _PARAMETER)
            for name, text in {
                "empty": "",
                "zero": "0",
                "negative": "-1",
                "fraction": "1.0",
                "quoted": '"1"',
                "weak": 'W/"1"',
                "letters": "abc",
                "superscript": "²",
            }.items()
        ),
        stage="version-format",
        operations=frozenset({UPDATE}),
    ),
    promise(
        "identifier-changed",
        "An update keeps the identifier",
        "The identifier is the supplier's name of the record.",
        f"{_TABLES}/4XX-imms-update/description",
        state.identifier_differs,
        (
            by.set_to("value", ("identifier", 0, "value"), "another-value"),
            by.set_to("system", ("identifier", 0, "system"), "https://another.example"),
            by.set_to("both", ("identifier",), [{"system": "https://another.example", "value": "another"}]),
        ),
        stage="same-identifier",
        operations=frozenset({UPDATE}),
    ),
    promise(
        "wrong-version",
        "E-Tag is the stored version",
        "Somebody else has changed the record since it was read.",
        f"{_TABLES}/4XX-imms-update/description",
        state.version_differs,
        (
            Defect("ahead", lambda attempt: attempt.with_header("E-Tag", "7"), needs=("create",)),
            Defect("stale", lambda attempt: attempt.with_header("E-Tag", "1"), needs=("create", "update")),
        ),
        stage="same-version",
        operations=frozenset({UPDATE}),
    ),
    promise(
        "duplicate-identifier",
        "No live record has the identifier",
        "The same vaccination sent twice would count twice.",
        f"{_TABLES}/4XX-imms-create/description",
        state.duplicate,
        (Defect("same-identifier", lambda attempt: attempt, needs=("create",)),),
        stage="duplicate",
        operations=frozenset({CREATE}),
        status=422,
        issue="duplicate",
    ),
)

REQUEST_RULES = (*ROUTES, *BODY, *CALLER, *RECORD)
