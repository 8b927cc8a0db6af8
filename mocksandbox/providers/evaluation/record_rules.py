"""The rules about the resource that a request names: its id, its version, what a create or an update depends on."""

from __future__ import annotations

from mocksandbox.contract import Contract
from mocksandbox.fhir.server import checks, interactions
from mocksandbox.fhir.server import interaction as names
from mocksandbox.providers.evaluation.bodies import template
from mocksandbox.providers.evaluation.promise import PARAMETER, SCHEMA, at_id, header, promise, row_of, set_to, without
from mocksandbox.providers.evaluation.table import TYPES
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import get, put
from mocksandbox.rules.rule import Defect, Rule

_UNKNOWN, _CONFLICT = "evaluation/unknown-record", "evaluation/version-conflict"


def record_rules(contract: Contract) -> tuple[Rule[Attempt], ...]:
    """The rules, in the order in which they are looked at."""
    updates, creates = interactions(contract, names.UPDATE), interactions(contract, names.CREATE)
    reads = interactions(contract, names.READ, names.VREAD, names.HISTORY)
    named = reads | updates | interactions(contract, names.DELETE, names.COMPARTMENT)
    guarded = frozenset(
        each.id
        for each in contract.operations
        if each.id in updates and TYPES[names.interaction_of(each).type].versioning == "versioned-update"
    )
    return (
        promise(
            "bad-id",
            "The id in the path is 1 to 64 letters, digits, - or .",
            "Nothing else can be a FHIR id.",
            "FHIR R4 datatypes.html#id",
            checks.bad_id,
            (
                *(
                    at_id(name, id, PARAMETER, _UNKNOWN, _CONFLICT, "fhir/bad-id")
                    for name, id in {"underscore": "a_b", "65-characters": "a" * 65, "space": "a%20b", "colon": "a:b"}.items()
                ),
            ),
            stage="id",
            operations=named,
            issue="value",
        ),
        promise(
            "unknown-record",
            "There is a resource of that id",
            "There is nothing to give.",
            "FHIR R4 http.html#read",
            checks.unknown_record(TYPES),
            (at_id("unknown", "no-such-resource"),),
            stage="exists",
            operations=reads,
            status=404,
            issue="not-found",
        ),
        promise(
            "unknown-version",
            "The resource has that version",
            "There is nothing to give.",
            "FHIR R4 http.html#vread",
            checks.unknown_version(TYPES),
            (_version("ahead", "99"), _version("letters", "first")),
            stage="exists",
            operations=interactions(contract, names.VREAD),
            status=404,
            issue="not-found",
        ),
        promise(
            "deleted-record",
            "The resource, or that version of it, is not deleted",
            "A client that had it must hear that it is gone, and not that it never was.",
            "FHIR R4 http.html#read",
            checks.deleted_record(TYPES),
            (Defect("deleted", lambda attempt: attempt, needs=("create", "delete")),),
            stage="exists",
            operations=interactions(contract, names.READ, names.VREAD),
            status=410,
            issue="deleted",
        ),
        promise(
            "wrong-resource-type",
            "The body is of the type that the path names",
            "A resource is stored with its own kind.",
            "FHIR R4 http.html#create",
            checks.wrong_type(TYPES),
            (Defect("other-type", _other_type, frozenset({SCHEMA})),),
            stage="kind",
            operations=creates | updates,
        ),
        promise(
            "id-differs",
            "The body of an update has the id of the path",
            "It guards against overwriting another resource.",
            "FHIR R4 http.html#update",
            checks.id_differs(TYPES),
            (
                without("absent", ("id",)),
                set_to("other", ("id",), "another-id"),
                set_to("number", ("id",), 7, "fhir/wrong-type"),
            ),
            stage="kind",
            operations=updates,
        ),
        promise(
            "bad-if-match",
            "If-Match is an entity tag",
            'A version is named as ETag names it: W/"3".',
            "FHIR R4 http.html#concurrency",
            checks.bad_version_header,
            (
                *(
                    header(name, "If-Match", value, PARAMETER)
                    for name, value in {"bare": "1", "unquoted": "W/1", "empty": '""', "words": "the newest"}.items()
                ),
            ),
            stage="version-format",
            operations=updates,
            issue="value",
        ),
        promise(
            "missing-if-match",
            "An update says which version it replaces, where the type needs it",
            "Forecasts are made anew by several systems; without a version one of them is lost in silence.",
            "FHIR R4 http.html#concurrency",
            checks.missing_version_header(TYPES),
            (header("absent", "If-Match", None),),
            stage="version",
            operations=guarded,
            issue="required",
        ),
        promise(
            "version-conflict",
            "If-Match names the newest version",
            "Somebody else has changed the resource since it was read.",
            "FHIR R4 http.html#concurrency",
            checks.version_differs(TYPES),
            (
                header("ahead", "If-Match", 'W/"7"'),
                header("stale", "If-Match", 'W/"1"', needs=("create", "update")),
                Defect("nothing-there", _nothing_there),
            ),
            stage="version",
            operations=updates,
            status=412,
            issue="conflict",
        ),
        promise(
            "bad-condition",
            "If-None-Exist is a query with known search parameters",
            "What is passed over in silence would match too much, and nothing would be created.",
            "FHIR R4 http.html#ccreate",
            checks.bad_condition(TYPES),
            (
                header("unknown-parameter", "If-None-Exist", "colour=red"),
                header("bad-date", "If-None-Exist", "_lastUpdated=yesterday"),
                header("no-parameter", "If-None-Exist", "?"),
            ),
            stage="condition",
            operations=creates,
        ),
        promise(
            "several-exist",
            "If-None-Exist finds one resource at the most",
            "The client was not specific enough to say which it meant.",
            "FHIR R4 http.html#ccreate",
            checks.several_exist(TYPES),
            (Defect("two", _if_none_exists, needs=("create", "create")),),
            stage="exists",
            operations=creates,
            status=412,
            issue="multiple-matches",
        ),
        promise(
            "search-as-reference",
            "A reference leads to a resource, and not to a search",
            "A search is looked up once, when a transaction is carried out; kept, it would lead to something else each day.",
            "FHIR R4 http.html#trules",
            checks.search_as_reference(TYPES),
            (Defect("search", lambda attempt: _leading(attempt, "?identifier=x"), frozenset({"fhir/typeless-reference"})),),
            stage="fhir",
            operations=creates | updates,
            issue="value",
        ),
        promise(
            "dangling-reference",
            "What a resource refers to by type and id is held here, when the client says handling=strict",
            "Resources come in any order, so a server takes them; a client who sends them in order wants to hear of it.",
            "FHIR R4 http.html#create",
            checks.dangling_reference(TYPES),
            (Defect("nobody", lambda attempt: _strict(_leading(attempt, "no-such-resource"))),),
            stage="references",
            operations=creates | updates,
            status=422,
            issue="not-found",
        ),
    )


def _version(name: str, version: str) -> Defect[Attempt]:
    return Defect(name, lambda attempt: attempt.at_path(f"{attempt.request.path.rpartition('/')[0]}/{version}"))


def _other_type(attempt: Attempt) -> Attempt:
    row = row_of(attempt)
    other = template("Organization" if row is not None and row.name != "Organization" else "Patient")["bodies"][0]
    return attempt.with_body({**other, "id": attempt.id or "another"})


def _nothing_there(attempt: Attempt) -> Attempt:
    return at_id("", "no-such-resource").apply(attempt).with_header("If-Match", 'W/"1"')


def _if_none_exists(attempt: Attempt) -> Attempt:
    identifier = get(attempt.body, ("identifier", 0))
    return attempt.with_header("If-None-Exist", f"identifier={identifier['system']}|{identifier['value']}")


def _strict(attempt: Attempt) -> Attempt:
    return attempt.with_header("Prefer", "handling=strict")


_LEADING = {"Patient": ("managingOrganization", "Organization"), "Organization": ("partOf", "Organization")}


def _leading(attempt: Attempt, id: str) -> Attempt:
    """The attempt with a body whose first reference leads to another id."""
    row = row_of(attempt)
    name, kind = _LEADING.get(row.name if row else "", ("patient", "Patient"))
    return attempt.with_body(put(attempt.body, (name, "reference"), f"{kind}/{id}".replace("/?", "?")))
