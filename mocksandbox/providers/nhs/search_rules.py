"""The rules about the parameters of a search, in the order in which the service looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mocksandbox.providers.nhs import defects as by
from mocksandbox.providers.nhs import search
from mocksandbox.providers.nhs.bundle import too_many_results
from mocksandbox.providers.nhs.parts import NHS_NUMBER_SYSTEM
from mocksandbox.providers.nhs.promise import SEARCHES, promise
from mocksandbox.providers.nhs.search import (
    DISEASE,
    ELEMENTS,
    FROM,
    IDENTIFIER,
    INCLUDE,
    PATIENT,
    PATIENT_PARAMETERS,
    TARGET,
    TO,
)
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import ALL, Defect, Hit, Rule

_SCHEMA = "http/parameter"
_PATIENT_RULE, _TARGET_RULE = "nhs/bad-patient-parameter", "nhs/bad-target-parameter"
_IDENTIFIER_RULE, _MIXED = "nhs/bad-identifier-parameter", "nhs/identifier-with-patient"
_GET = "openapi.json#/paths/~1Immunization/get/description"
_PARAMETERS = "openapi.json#/components/parameters"
_MEASLES = "http://snomed.info/sct|14189004"


def _rule(
    id: str,
    title: str,
    why: str,
    source: str,
    find: Callable[[Attempt], Iterable[Hit]],
    defects: Iterable[Defect[Attempt]],
    stage: str,
    status: int = 400,
    issue: str = "invalid",
    profiles: frozenset[str] | None = None,
) -> Rule[Attempt]:
    return promise(
        id, title, why, source, find, defects, stage=stage, operations=SEARCHES, status=status, issue=issue, profiles=profiles
    )


def _by_identifier(name: str, *values: str, also: Iterable[str] = ()) -> Defect[Attempt]:
    return by.query(name, IDENTIFIER, *values, without=PATIENT_PARAMETERS, also=also)


_BAD_DAYS = {
    "year": "2023",
    "year-month": "2023-01",
    "slashes": "2023/01/01",
    "prefix": "ge2023-01-01",
    "with-time": "2023-01-01T00:00:00",
    "impossible": "2023-02-30",
    "compact": "20230101",
}


def _day_rule(id: str, name: str, find: Callable[[Attempt], Iterable[Hit]]) -> Rule[Attempt]:
    defects = [by.query(label, name, text, also=(_SCHEMA,)) for label, text in _BAD_DAYS.items()]
    return _rule(
        id,
        f"{name} is one day, YYYY-MM-DD",
        "The search compares whole days.",
        f"{_PARAMETERS}/{'DateFrom' if name == FROM else 'DateTo'}",
        find,
        (*defects, by.query("two-days", name, "2023-01-01,2023-01-02", also=(_SCHEMA,))),
        "options",
    )


SEARCH_RULES: tuple[Rule[Attempt], ...] = (
    _rule(
        "repeated-parameter",
        "No parameter comes twice",
        "Several values are separated by commas.",
        "messages.yaml#search.repeated",
        search.repeated_parameters,
        (by.query("target", TARGET, "COVID", "FLU"), by.query("unknown", "foo", "1", "2", also=("http/unknown-parameter",))),
        "parameters",
        profiles=ALL,
    ),
    _rule(
        "no-parameter",
        "A search has parameters",
        "A search for everybody's records is not possible.",
        _GET,
        search.no_parameters,
        (by.query("none", IDENTIFIER, without=PATIENT_PARAMETERS, also=(_PATIENT_RULE, _TARGET_RULE, _SCHEMA)),),
        "parameters",
    ),
    _rule(
        "disease-with-other",
        "target-disease is not combined with -immunization.target or identifier",
        "Each is a search of its own.",
        f"{_PARAMETERS}/TargetDisease/description",
        search.disease_and_other,
        (
            by.query("with-target", DISEASE, _MEASLES),
            Defect("with-identifier", lambda attempt: _disease_and_identifier(attempt), frozenset({_MIXED})),
        ),
        "exclusive",
    ),
    _rule(
        "identifier-with-patient",
        "A search by identifier has no other search parameters",
        "The identifier names one record already.",
        "messages.yaml#search.identifier-with-patient",
        search.identifier_with_patient,
        (
            by.query("with-both", IDENTIFIER, "https://x.example|1"),
            by.query("with-target", IDENTIFIER, "https://x.example|1", without=(PATIENT,)),
            by.query("elements-with-patient", ELEMENTS, "id", also=(_IDENTIFIER_RULE,)),
        ),
        "mixed",
        profiles=ALL,
    ),
    _rule(
        "bad-identifier-parameter",
        "identifier is one system|value",
        "A value alone may be of many suppliers.",
        "messages.yaml#search.identifier",
        search.bad_identifier,
        (
            _by_identifier("no-pipe", "12345"),
            _by_identifier("space", "https://x.example|1 2"),
            _by_identifier("two-values", "https://x.example|1,https://x.example|2"),
            by.query("elements-alone", ELEMENTS, "id", without=PATIENT_PARAMETERS),
        ),
        "identifier",
        profiles=ALL,
    ),
    _rule(
        "bad-elements",
        "_elements is id, meta or both",
        "A search by identifier gives nothing else in part.",
        "messages.yaml#search.elements",
        search.bad_elements,
        (Defect("other", lambda attempt: _elements(attempt, "status"), frozenset({_SCHEMA})),),
        "elements",
        profiles=ALL,
    ),
    _rule(
        "bad-patient-parameter",
        "patient.identifier is one valid NHS number with its system",
        "Records are found by traced NHS numbers only.",
        f"{_PARAMETERS}/PatientIdentifier",
        search.bad_patient,
        (
            by.query("absent", PATIENT),
            by.query("two-values", PATIENT, f"{NHS_NUMBER_SYSTEM}|9000000009,{NHS_NUMBER_SYSTEM}|9990000018"),
            by.query("no-system", PATIENT, "9000000009"),
            by.query("other-system", PATIENT, "https://x.example|9000000009"),
            by.query("http-system", PATIENT, "http://fhir.nhs.uk/Id/nhs-number|9000000009"),
            by.query("two-pipes", PATIENT, f"{NHS_NUMBER_SYSTEM}|9000000009|x"),
            by.query("check-digit", PATIENT, f"{NHS_NUMBER_SYSTEM}|9000000008"),
            by.query("nine-digits", PATIENT, f"{NHS_NUMBER_SYSTEM}|900000000"),
            by.query("letters", PATIENT, f"{NHS_NUMBER_SYSTEM}|ABCDEFGHIJ"),
        ),
        "patient",
    ),
    _rule(
        "bad-target-parameter",
        "-immunization.target names at least one vaccine type",
        "The search is by vaccine type, in the service's own names; others are left out with a warning.",
        f"{_PARAMETERS}/ImmunizationTarget",
        search.bad_target,
        (
            by.query("absent", TARGET),
            by.query("unknown", TARGET, "POLIO", also=(_SCHEMA,)),
            by.query("lower-case", TARGET, "covid", also=(_SCHEMA,)),
        ),
        "target",
    ),
    _rule(
        "bad-disease-parameter",
        "target-disease names at least one disease as http://snomed.info/sct|CODE",
        "The search is by SNOMED CT code.",
        f"{_PARAMETERS}/TargetDisease/description",
        search.bad_disease,
        (
            by.query("no-system", DISEASE, "14189004", without=(TARGET,)),
            by.query("other-system", DISEASE, "http://x.example|14189004", without=(TARGET,)),
            by.query("no-code", DISEASE, "http://snomed.info/sct|", without=(TARGET,)),
            by.query("unknown-and-malformed", DISEASE, "http://snomed.info/sct|99999,abc", without=(TARGET,)),
        ),
        "target",
    ),
    _day_rule("bad-date-from", FROM, search.bad_date_from),
    _day_rule("bad-date-to", TO, search.bad_date_to),
    _rule(
        "bad-include",
        "_include is Immunization:patient",
        "Nothing else can be included.",
        f"{_PARAMETERS}/Include",
        search.bad_include,
        (by.query("location", INCLUDE, "Immunization:location"),),
        "options",
    ),
    _rule(
        "dates-reversed",
        "-date.from is not after -date.to",
        "No day is in such a range.",
        "messages.yaml#search.dates-reversed",
        search.dates_reversed,
        (Defect("reversed", lambda attempt: _dates(attempt, "2023-02-01", "2023-01-01")),),
        "range",
    ),
    _rule(
        "search-forbidden",
        "The sender may search for at least one of the vaccine types",
        "Types without the right are left out; when none is left the search is refused.",
        "openapi.json#/components/responses/4XX-imms-search/description",
        search.search_forbidden,
        (by.as_caller("no-rights", ()),),
        "rights",
        403,
        "forbidden",
    ),
    _rule(
        "too-many-results",
        "The answer is not larger than 1 MiB",
        "The service's platform sends no more.",
        "messages.yaml#search.too-many",
        too_many_results,
        (Defect("many-records", lambda attempt: attempt, needs=("create-many",)),),
        "size",
    ),
)


def _disease_and_identifier(attempt: Attempt) -> Attempt:
    alone = by.searching(attempt, DISEASE, _MEASLES, without=PATIENT_PARAMETERS)
    return by.searching(alone, IDENTIFIER, "https://x.example|1")


def _elements(attempt: Attempt, names: str) -> Attempt:
    found = by.searching(attempt, IDENTIFIER, "https://x.example|1", without=PATIENT_PARAMETERS)
    return by.searching(found, ELEMENTS, names)


def _dates(attempt: Attempt, first: str, last: str) -> Attempt:
    return by.searching(by.searching(attempt, FROM, first), TO, last)


SEARCH_STAGES = (
    "parameters",
    "exclusive",
    "token",
    "mixed",
    "identifier",
    "elements",
    "patient",
    "target",
    "options",
    "range",
    "document",
    "rights",
    "size",
)
