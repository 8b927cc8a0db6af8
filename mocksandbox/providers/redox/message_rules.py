"""The rules about what a message says: its header, its event, and the resources that must be in it."""

from __future__ import annotations

from mocksandbox.providers.redox import defects as by
from mocksandbox.providers.redox import messages
from mocksandbox.providers.redox.promise import HEADER, SCHEMA, promise
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING
from mocksandbox.rules.rule import Defect, Rule

_HEADER = "MessageHeader"
_EVENT = ("eventCoding",)
_SCHEMAS = "openapi.yaml#/components/schemas"


def _by_uri(attempt: Attempt) -> Attempt:
    """The event as a URI, as other operations of Redox take it."""
    named = by.resource("", _HEADER, ("eventUri",), "https://fhir.redoxengine.com/EventDefinition/ImmunizationNew")
    return by.resource("", _HEADER, _EVENT, MISSING).apply(named.apply(attempt))


MESSAGE_RULES: tuple[Rule[Attempt], ...] = (
    promise(
        "missing-event",
        "The MessageHeader has an eventCoding",
        "It says what happened; the operation alone does not.",
        f"{HEADER}/eventCoding",
        messages.missing_event,
        (
            by.resource("absent", _HEADER, _EVENT, MISSING, SCHEMA, "fhir/missing-choice"),
            Defect("uri-instead", _by_uri, frozenset({SCHEMA})),
            by.resource("null", _HEADER, _EVENT, None, SCHEMA, "fhir/null"),
            by.resource("text", _HEADER, _EVENT, "Immunization-New", SCHEMA, "fhir/wrong-type"),
            by.resource("array", _HEADER, _EVENT, [], SCHEMA, "fhir/a-list"),
        ),
        stage="message",
        issue="required",
    ),
    promise(
        "missing-event-code",
        "The eventCoding has a code",
        "Without it the system alone is said. Read leniently, as a public example of a state registry is, it may be left out.",
        f"{HEADER}/eventCoding/properties/code",
        messages.missing_event_code,
        (
            by.resource("absent", _HEADER, (*_EVENT, "code"), MISSING),
            by.preferring(by.resource("asked-to-be-strict", _HEADER, (*_EVENT, "code"), MISSING), "handling=strict"),
        ),
        stage="message",
        issue="required",
    ),
    promise(
        "wrong-event",
        "The event is the operation's",
        "There is one for new and updated details alike, spelled exactly so.",
        f"{_SCHEMAS}/ImmunizationMessage",
        messages.wrong_event,
        (
            by.resource("another", _HEADER, (*_EVENT, "code"), "PatientAdmin-Arrival", SCHEMA),
            by.resource("update", _HEADER, (*_EVENT, "code"), "Immunization-Update", SCHEMA),
            by.resource("lower-case", _HEADER, (*_EVENT, "code"), "immunization-new", SCHEMA),
            by.resource("upper-case", _HEADER, (*_EVENT, "code"), "ENCOUNTER-NEW", SCHEMA),
            by.resource("number", _HEADER, (*_EVENT, "code"), 1, SCHEMA, "fhir/wrong-type"),
            by.resource("null", _HEADER, (*_EVENT, "code"), None, SCHEMA, "fhir/null"),
        ),
        stage="message",
    ),
    promise(
        "no-main-resource",
        "The message has the resource that it is about",
        "There is nothing to save.",
        f"{_SCHEMAS}/ImmunizationMessage",
        messages.no_main_resource,
        (by.without_type("absent", by.MAIN, SCHEMA),),
        stage="message",
        issue="required",
    ),
    promise(
        "no-patient",
        "The message has the patient",
        "The details are saved in the patient's chart, which only the patient's identifiers find.",
        f"{_SCHEMAS}/ImmunizationMessage",
        messages.no_patient,
        (by.without_type("absent", "Patient", SCHEMA),),
        stage="message",
        issue="required",
    ),
)
