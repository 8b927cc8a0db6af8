"""The rules about resources and Bundles: FHIR R4's own, for the bodies of this server, and what it asks of a Bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from mocksandbox.contract import Contract
from mocksandbox.fhir.server import FhirServer, interactions
from mocksandbox.fhir.server import interaction as names
from mocksandbox.fhir.server.depth import MOST_DEEP, deeper_than
from mocksandbox.fhir.server.transaction import MOST_ENTRIES, entries_of, entry_hits, is_batch, overlapping
from mocksandbox.fhir.strict import fhir_rules
from mocksandbox.fhir.strict.judge import judge
from mocksandbox.fhir.strict.lift import is_breakable, judged, lifted
from mocksandbox.providers.evaluation.bodies import all_bodies
from mocksandbox.providers.evaluation.promise import SCHEMA, promise, set_to, without
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.http import place_of
from mocksandbox.rules.places import drop, put
from mocksandbox.rules.rule import Defect, Hit, LaterDefects, Rule

_ERRORS = frozenset(rule.id for rule in fhir_rules() if rule.severity == "error")


def resource_rules(contract: Contract) -> tuple[Rule[Attempt], ...]:
    """R4's own rules about the body of a create or an update. Those that only a Bundle can break are left to `bad-bundle`."""
    writes = interactions(contract, names.CREATE, names.UPDATE)
    valid = all_bodies()
    rules = lifted([rule for rule in fhir_rules() if is_breakable(rule, valid)], valid, operations=writes)
    return tuple(replace(rule, find=_of_objects(rule), defects=LaterDefects(partial(_named, rule, valid))) for rule in rules)


def _of_objects(rule: Rule[Attempt]) -> Callable[[Attempt], Iterable[Hit]]:
    # What is no object is refused before FHIR is looked at.
    return lambda attempt: rule.find(attempt) if isinstance(attempt.body, dict) else ()


def _named(rule: Rule[Attempt], valid: list[dict[str, Any]]) -> Iterator[Defect[Attempt]]:
    """The rule's defects; one that changes the id or the type of a resource breaks what the path says of them too."""
    for own in next(each for each in fhir_rules() if each.id == rule.id).defects:
        lifted_one = next((each for each in rule.defects if each.name == own.name), None)
        if lifted_one is None:
            continue
        changed = [own.apply({**body, "id": "valid-id"}) for body in valid]
        also = set(lifted_one.also)
        if any(each.get("id") != "valid-id" for each in changed):
            also.add("evaluation/id-differs")
        if any(_of_another_type(each, body) for each, body in zip(changed, valid, strict=True)):
            also.add("evaluation/wrong-resource-type")
        yield replace(lifted_one, also=frozenset(also))


def _of_another_type(changed: dict[str, Any], body: dict[str, Any]) -> bool:
    named = changed.get("resourceType")
    return isinstance(named, str) and named not in ("", body["resourceType"])


def schema_rule(rule: Rule[Attempt], server: FhirServer) -> Rule[Attempt]:
    """The document's schema where FHIR's rules are silent: its constraints are theirs, but for the sizes that it limits."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        found = [violation for violation in attempt.violations if violation.where == "body"]
        if found and attempt.request.media_type.endswith("json") and not _judged_already(attempt, server):
            for violation in found:
                at = place_of(violation, attempt.body)
                yield at, "http.schema", {"at": at, "problem": violation.problem}

    return replace(rule, find=find, defects=(Defect("too-many-entries", _too_many),))


def _judged_already(attempt: Attempt, server: FhirServer) -> bool:
    if not isinstance(attempt.body, dict):
        return False
    if names.is_one_of(attempt, (names.TRANSACTION,)):
        if _shell_hits(attempt) or attempt.body.get("type") not in _CARRIED_OUT:
            return True
        return not is_batch(attempt) and any(server.run(attempt).refused.values())
    return bool(_ERRORS & judged(attempt).keys())


def _too_many(attempt: Attempt) -> Attempt:
    if not names.is_one_of(attempt, (names.TRANSACTION,)):
        return attempt
    return _long(attempt, 1001)


def _long(attempt: Attempt, entries: int) -> Attempt:
    entry = {"request": {"method": "GET", "url": "Patient/patient-1"}}
    return attempt.with_body({"resourceType": "Bundle", "type": "batch", "entry": [entry] * entries})


_CARRIED_OUT = ("transaction", "batch")
_STAND_IN = {"resourceType": "Parameters"}


def _shell(body: dict[str, Any]) -> dict[str, Any]:
    """The Bundle without what is in its entries: each resource is judged on its own when its entry is carried out."""
    entries = body.get("entry")
    if not isinstance(entries, list):
        return body
    emptied = [
        {**each, "resource": _STAND_IN} if isinstance(each, dict) and isinstance(each.get("resource"), dict) else each
        for each in entries
    ]
    return {**body, "entry": emptied}


def _shell_hits(attempt: Attempt) -> list[Hit]:
    """What is wrong with a Bundle itself, by R4's rules."""
    kept: list[Hit] | None = attempt.__dict__.get("_shell")
    if kept is None:
        kept = []
        if isinstance(attempt.body, dict) and len(entries_of(attempt)) <= MOST_ENTRIES:
            found = judge(_shell(attempt.body))
            kept = [hit for id, hits in found.items() if id in _ERRORS for hit in hits]
            if attempt.body.get("resourceType") not in ("Bundle", None) and not kept:
                kept = [("Bundle.resourceType", "wrong-resource-type", {"type": "Bundle"})]
            if deeper_than(attempt.body, MOST_DEEP) and not kept:
                kept = [("Bundle.entry", "fhir.too-deep", {"at": "Bundle.entry", "most": MOST_DEEP})]
        attempt.__dict__["_shell"] = kept
    return kept


def bundle_rules(contract: Contract, server: FhirServer) -> tuple[Rule[Attempt], ...]:
    """The rules about a transaction or batch."""
    bundle = interactions(contract, names.TRANSACTION)
    first = ("entry", 0)

    def too_long(attempt: Attempt) -> Iterator[Hit]:
        if len(entries_of(attempt)) > MOST_ENTRIES:
            yield "Bundle.entry", "bundle-too-long", {"most": MOST_ENTRIES}

    def bad_type(attempt: Attempt) -> Iterator[Hit]:
        kind = attempt.body.get("type") if isinstance(attempt.body, dict) else None
        if isinstance(kind, str) and kind not in _CARRIED_OUT and attempt.body.get("resourceType") == "Bundle":
            yield "Bundle.type", "bad-bundle-type", {}

    def carried_out(attempt: Attempt) -> bool:
        good = isinstance(attempt.body, dict) and attempt.body.get("type") in _CARRIED_OUT
        return good and len(entries_of(attempt)) <= MOST_ENTRIES and not _shell_hits(attempt)

    def refused(attempt: Attempt) -> Iterator[Hit]:
        if not carried_out(attempt) or is_batch(attempt):
            return
        for index, finding in entry_hits(server.run(attempt)):
            yield _place(index, finding.at), "entry-refused", {"entry": f"Bundle.entry[{index}]", "problem": finding.message}

    def unresolved(attempt: Attempt) -> Iterator[Hit]:
        for at, key in server.run(attempt).unresolved if carried_out(attempt) else ():
            yield at, key, {"at": at}

    def overlaps(attempt: Attempt) -> Iterator[Hit]:
        for index, url in overlapping(attempt) if carried_out(attempt) else ():
            at = f"Bundle.entry[{index}].request.url"
            yield at, "entry-overlaps", {"at": at, "url": url}

    return (
        promise(
            "bad-bundle",
            "The Bundle itself is FHIR",
            "An entry whose request cannot be read cannot be carried out.",
            "FHIR R4 bundle.html",
            _shell_hits,
            (
                without("no-type", ("type",)),
                without("no-resource-type", ("resourceType",)),
                set_to("another-resource", ("resourceType",), "Patient"),
                without("no-request", (*first, "request")),
                without("no-method", (*first, "request", "method")),
                set_to("unknown-method", (*first, "request", "method"), "FETCH"),
                without("no-url", (*first, "request", "url")),
                set_to("entry-not-a-list", ("entry",), {}),
                set_to("entry-null", first, None),
                set_to("total", ("total",), 1),
                set_to("full-url-twice", ("entry", 1, "fullUrl"), "urn:uuid:7f000001-0000-4000-8000-000000000001"),
                set_to("unknown-element", (*first, "verb"), "POST"),
            ),
            stage="bundle",
            operations=bundle,
            issue="invariant",
        ),
        promise(
            "bundle-too-long",
            f"The Bundle has {MOST_ENTRIES} entries at the most",
            "All of them are one request, and others wait until the last is carried out.",
            "FHIR R4 http.html#transaction",
            too_long,
            (Defect("one-more", lambda attempt: _long(attempt, MOST_ENTRIES + 1), frozenset({SCHEMA})),),
            stage="bundle",
            operations=bundle,
            status=413,
            issue="too-costly",
        ),
        promise(
            "bad-bundle-type",
            "The Bundle is a transaction or a batch",
            "Nothing else is carried out.",
            "FHIR R4 http.html#transaction",
            bad_type,
            (Defect("collection", _collection),),
            stage="bundle",
            operations=bundle,
            issue="value",
        ),
        promise(
            "entry-refused",
            "Every entry of a transaction can be carried out",
            "A transaction is carried out as a whole or not at all.",
            "FHIR R4 http.html#transaction",
            refused,
            (
                without("resource-without-status", ("entry", 1, "resource", "status")),
                set_to("unknown-status", ("entry", 2, "resource", "status"), "not-done"),
                set_to("unknown-type", (*first, "request", "url"), "Device"),
                set_to("patch", ("entry", 4, "request"), {"method": "PATCH", "url": "Patient/patient-1"}),
                set_to("nobody", ("entry", 4, "request"), {"method": "GET", "url": "Patient/no-such-resource"}),
                set_to("without-a-resource", ("entry", 2), {"request": {"method": "POST", "url": "ImmunizationEvaluation"}}),
                Defect("stale", _stale),
            ),
            stage="entries",
            operations=bundle,
            issue="processing",
        ),
        promise(
            "unresolved-reference",
            "A name in a transaction is that of one of its entries, and a search in a reference finds one resource",
            "The reference would lead nowhere for ever.",
            "FHIR R4 http.html#trules",
            unresolved,
            (
                set_to(
                    "unknown-name",
                    ("entry", 1, "resource", "patient", "reference"),
                    "urn:uuid:00000000-0000-4000-8000-00000000ffff",
                ),
                set_to(
                    "search-finds-none",
                    ("entry", 1, "resource", "patient", "reference"),
                    "Patient?identifier=https://example.org/fhir/patients|nobody",
                    "evaluation/entry-refused",
                ),
            ),
            stage="names",
            operations=bundle,
            issue="not-found",
        ),
        promise(
            "entry-overlaps",
            "No two entries of a transaction change the same resource",
            "Which of the two changes is last would be chance.",
            "FHIR R4 http.html#trules",
            overlaps,
            (Defect("delete-twice", _overlapping),),
            stage="entries",
            operations=bundle,
            issue="invariant",
        ),
    )


def _place(index: int, at: str) -> str:
    """Where in a Bundle something stands that an entry's own request names."""
    entry = f"Bundle.entry[{index}]"
    _, colon, name = at.partition(":")
    if colon or "." not in at:
        fields = {"If-Match": "ifMatch", "If-None-Exist": "ifNoneExist"}
        return f"{entry}.request.{fields.get(name, 'url')}"
    return f"{entry}.resource.{at.partition('.')[2]}"


def _collection(attempt: Attempt) -> Attempt:
    entries = [drop(entry, ("request",)) for entry in entries_of(attempt) if "resource" in entry]
    return attempt.with_body({**attempt.body, "type": "collection", "entry": entries})


def _stale(attempt: Attempt) -> Attempt:
    resource = next(body for body in all_bodies() if body["resourceType"] == "ImmunizationEvaluation")
    request = {"method": "PUT", "url": "ImmunizationEvaluation/evaluation-1", "ifMatch": 'W/"99"'}
    return attempt.with_body(
        put(attempt.body, ("entry", 4), {"resource": {**resource, "id": "evaluation-1"}, "request": request})
    )


def _overlapping(attempt: Attempt) -> Attempt:
    entry = {"request": {"method": "DELETE", "url": "Organization/organization-2"}}
    return attempt.with_body({**attempt.body, "entry": [*attempt.body["entry"], entry, entry]})
