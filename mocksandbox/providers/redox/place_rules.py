"""The rules about everything around a message: the caller, the destination, the parameters of a search."""

from __future__ import annotations

from collections.abc import Iterator

from mocksandbox.providers.redox import defects as by
from mocksandbox.providers.redox.destinations import destination_of
from mocksandbox.providers.redox.parts import SEARCHES, main_type, place
from mocksandbox.providers.redox.promise import PARAMETERS, RESPONSES, promise
from mocksandbox.providers.redox.searching import (
    DATE,
    IDENTIFIER,
    MOST_PARAMETERS,
    MOST_VALUES,
    PATIENT,
    STATUS,
    STATUSES,
    asked,
    day_asked,
)
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import Hit, Rule

_EVERY = frozenset[str]()
_PARAMETER = "http/parameter"
_SEARCH = "openapi.yaml#/components/schemas/ImmunizationSearch/properties"


def _no_token(attempt: Attempt) -> Iterator[Hit]:
    if attempt.refusal is not None and attempt.refusal.key == "bearer.missing":
        yield "header:Authorization", attempt.refusal.key, attempt.refusal.values


def _bad_token(attempt: Attempt) -> Iterator[Hit]:
    if attempt.refusal is not None and attempt.refusal.key != "bearer.missing":
        yield "header:Authorization", attempt.refusal.key, attempt.refusal.values


def _unknown_destination(attempt: Attempt) -> Iterator[Hit]:
    if attempt.operation is not None and destination_of(attempt) is None:
        yield "path:destinationSlug", "unknown-destination", {}


def _unknown_environment(attempt: Attempt) -> Iterator[Hit]:
    destination = destination_of(attempt)
    if destination is not None and place(attempt)[1] not in destination.environments:
        yield "path:environmentFlag", "unknown-environment", {"known": " or ".join(destination.environments)}


def _forbidden_destination(attempt: Attempt) -> Iterator[Hit]:
    destination = destination_of(attempt)
    if destination is not None and not attempt.caller.may(destination.slug):
        yield "path:destinationSlug", "forbidden-destination", {}


CALLER: tuple[Rule[Attempt], ...] = (
    promise(
        "missing-token",
        "The request has an access token",
        "Without it nobody knows who asks.",
        f"{RESPONSES}/Unauthorized",
        _no_token,
        (by.refused("no-header", "bearer.missing"),),
        stage="token",
        operations=_EVERY,
        status=401,
        issue="login",
    ),
    promise(
        "bad-token",
        "The access token is known and has not ended",
        "A new one is had from the token endpoint.",
        f"{RESPONSES}/Unauthorized",
        _bad_token,
        (
            by.refused("other-scheme", "bearer.scheme"),
            by.refused("malformed", "bearer.malformed"),
            by.refused("unknown", "bearer.unknown"),
            by.refused("expired", "bearer.expired", until="2024-01-01T00:00:00+00:00", now="2024-01-01T00:05:00+00:00"),
        ),
        stage="token",
        operations=_EVERY,
        status=401,
        issue="expired",
    ),
    promise(
        "unknown-destination",
        "The destination exists",
        "There is nobody to deliver to. Slugs and ids are matched exactly.",
        f"{PARAMETERS}/Destination",
        _unknown_destination,
        (
            by.at_segment("unknown", 1, "no-such-destination"),
            by.at_segment("capitalized", 1, "Redox-FHIR-Sandbox"),
            by.at_segment("underscores", 1, "redox_fhir_sandbox", _PARAMETER),
            by.at_segment("empty", 1, "", _PARAMETER),
            by.at_segment("placeholder", 1, "%7BdestinationSlug%7D", _PARAMETER),
        ),
        stage="destination",
        operations=_EVERY,
        status=404,
        issue="not-found",
    ),
    promise(
        "unknown-environment",
        "The destination has the environment",
        "A test must not reach production, nor the other way round. Environments are matched exactly.",
        f"{PARAMETERS}/Environment",
        _unknown_environment,
        (
            by.at_segment("not-its-own", 2, "Production"),
            by.at_segment("unknown", 2, "Prod1", _PARAMETER),
            by.at_segment("lower-case", 2, "development", _PARAMETER),
            by.at_segment("empty", 2, "", _PARAMETER),
        ),
        stage="destination",
        operations=_EVERY,
        status=404,
        issue="not-found",
    ),
    promise(
        "forbidden-destination",
        "The caller may send to the destination",
        "A client has the destinations that it was given.",
        f"{RESPONSES}/Forbidden",
        _forbidden_destination,
        (by.as_caller("no-destinations", ()), by.as_caller("other-destinations", ("sample-clinic",))),
        stage="destination",
        operations=_EVERY,
        status=403,
        issue="forbidden",
    ),
)


def _too_many_values(attempt: Attempt) -> Iterator[Hit]:
    found = asked(attempt)
    # Counted by their commas: nothing is split before it is known to be few.
    values = sum(1 + value.count(",") for _, value in found)
    if len(found) > MOST_PARAMETERS or values > MOST_VALUES:
        told = {"parameters": len(found), "values": values, "most": MOST_PARAMETERS, "most_values": MOST_VALUES}
        yield "body", "too-many-values", told


def _bad_patient(attempt: Attempt) -> Iterator[Hit]:
    for name, value in asked(attempt):
        kind, slash, id = value.rpartition("/")
        wrong = not id or (slash and kind.rpartition("/")[2] != "Patient")
        if name == PATIENT and wrong:
            yield f"form:{name}", "bad-patient", {}


def _bad_identifier(attempt: Attempt) -> Iterator[Hit]:
    for name, value in asked(attempt):
        if name == IDENTIFIER and not value.strip("| "):
            yield f"form:{name}", "bad-patient-identifier", {}


def _bad_date(attempt: Attempt) -> Iterator[Hit]:
    for name, value in asked(attempt):
        if name == DATE and any(day_asked(part) is None for part in value.split(",")):
            yield f"form:{name}", "bad-date", {}


def _bad_status(attempt: Attempt) -> Iterator[Hit]:
    known = STATUSES.get(main_type(attempt), ())
    for name, value in asked(attempt):
        if name == STATUS and any(part not in known for part in value.split(",")):
            yield f"form:{name}", "bad-status", {"known": ", ".join(known)}


SEARCH: tuple[Rule[Attempt], ...] = (
    promise(
        "too-many-values",
        "A search has at most 100 parameters and 1,000 values",
        "Every record is held against each.",
        f"{RESPONSES}/BadRequest",
        _too_many_values,
        (
            by.searching_for("parameters", [(PATIENT, "p1")] * (MOST_PARAMETERS + 1)),
            by.searching_for("values", [(PATIENT, ",".join(["p1"] * (MOST_VALUES + 1)))]),
        ),
        stage="size-of-search",
        operations=SEARCHES,
        issue="too-costly",
    ),
    promise(
        "bad-patient",
        "patient is a patient's id, or Patient/id",
        "A reference to anything else finds nothing.",
        f"{_SEARCH}/patient",
        _bad_patient,
        (
            by.searching("empty", PATIENT, "", _PARAMETER),
            by.searching("organization", PATIENT, "Organization/1"),
            by.searching("no-id", PATIENT, "Patient/"),
        ),
        stage="search",
        operations=SEARCHES,
        issue="invalid",
    ),
    promise(
        "bad-patient-identifier",
        "patient.identifier has a system or a value",
        "An empty one would find everybody.",
        f"{_SEARCH}/patient.identifier",
        _bad_identifier,
        (by.searching("empty", IDENTIFIER, "", _PARAMETER), by.searching("bar", IDENTIFIER, "|")),
        stage="search",
        operations=SEARCHES,
        issue="invalid",
    ),
    promise(
        "bad-date",
        "date is a date, after a prefix or none",
        "What is no date finds nothing.",
        f"{_SEARCH}/date",
        _bad_date,
        (
            by.searching("day-first", DATE, "01-02-2024"),
            by.searching("word", DATE, "yesterday"),
            by.searching("month-13", DATE, "2024-13-01"),
            by.searching("prefix", DATE, "xx2024"),
            by.searching("empty", DATE, "", _PARAMETER),
        ),
        stage="search",
        operations=SEARCHES,
        issue="invalid",
    ),
    promise(
        "bad-status",
        "status is one of the resource's",
        "No resource has another.",
        f"{_SEARCH}/status",
        _bad_status,
        (by.searching("unknown", STATUS, "done", _PARAMETER), by.searching("capitalized", STATUS, "Completed", _PARAMETER)),
        stage="search",
        operations=SEARCHES,
        issue="invalid",
    ),
)

PLACE_RULES = (*CALLER, *SEARCH)
