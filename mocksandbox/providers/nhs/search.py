"""Searches: reading the parameters as the service does, the rules about them, and the Bundle that answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl

from mocksandbox.frozen import once
from mocksandbox.providers.nhs.diseases import type_names, vaccine_types
from mocksandbox.providers.nhs.moments import read_day
from mocksandbox.providers.nhs.parts import NHS_NUMBER_SYSTEM, SNOMED
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import Hit
from mocksandbox.rules.values import is_nhs_number

PATIENT, TARGET, DISEASE = "patient.identifier", "-immunization.target", "target-disease"
FROM, TO, INCLUDE = "-date.from", "-date.to", "_include"
IDENTIFIER, ELEMENTS = "identifier", "_elements"
PATIENT_PARAMETERS = (PATIENT, TARGET, DISEASE, FROM, TO, INCLUDE)


@dataclass(frozen=True)
class Search:
    """The parameters of one search: each name with its values, split at commas and stripped. `repeated` when a name came
    twice.
    """

    values: Mapping[str, Sequence[str]]
    repeated: bool = False

    def has(self, *names: str) -> bool:
        """Whether any of these parameters was sent."""
        return not self.values.keys().isdisjoint(names)

    def get(self, name: str) -> Sequence[str]:
        """A parameter's values."""
        return self.values.get(name, ())

    @once
    def by_identifier(self) -> bool:
        """Whether this is a search for one record by its identifier."""
        return self.has(IDENTIFIER, ELEMENTS)

    @once
    def nhs_number(self) -> str:
        """The patient's NHS number, empty when there is none."""
        return "".join(self.get(PATIENT)).partition("|")[2]

    @once
    def diseases(self) -> tuple[list[str], list[str], list[str]]:
        """The target diseases as sent: supported ones, well-formed but unsupported ones, malformed ones."""
        known = {code for codes in vaccine_types() for code in codes}
        sorted_out: tuple[list[str], list[str], list[str]] = ([], [], [])
        for raw in filter(None, self.get(DISEASE)):
            system, pipe, code = raw.partition("|")
            well_formed = bool(pipe) and system.strip() == SNOMED and bool(code.strip())
            sorted_out[2 if not well_formed else 0 if code.strip() in known else 1].append(raw)
        return sorted_out

    @once
    def types(self) -> frozenset[str]:
        """The vaccine types asked for, by name or by disease, as far as the service knows them."""
        if self.has(DISEASE):
            codes = {raw.partition("|")[2].strip() for raw in self.diseases[0]}
            return frozenset(name for wanted, name in vaccine_types().items() if wanted & codes)
        return frozenset(self.get(TARGET)) & type_names()

    @property
    def unknown_types(self) -> list[str]:
        """The vaccine types asked for that do not exist, sorted."""
        return sorted(set(self.get(TARGET)) - type_names())

    def day(self, name: str) -> date | None:
        """A date parameter as a date; None when it is absent or malformed."""
        values = self.get(name)
        return read_day(values[0]) if values else None


def read_search(attempt: Attempt) -> Search:
    """The parameters of a search: of the query for GET, of the form for POST (whose query string is ignored). A form's empty
    parameters are dropped, a query's are kept (observed).
    """
    request = attempt.request
    posted = request.method == "POST"
    pairs = parse_qsl(request.body.decode("utf-8", "replace")) if posted else list(request.query)
    names = [name for name, _ in pairs]
    values = {name: tuple(part.strip() for part in value.split(",")) for name, value in pairs}
    return Search(values, repeated=len(set(names)) < len(names))


def search_of(attempt: Attempt) -> Search:
    """The search of an attempt, read once."""
    kept = attempt.__dict__.get("_search")
    if kept is None:
        kept = attempt.__dict__["_search"] = read_search(attempt)
    return kept


def no_parameters(attempt: Attempt) -> Iterable[Hit]:
    """There is a parameter at all."""
    if not search_of(attempt).values:
        return ((f"query:{PATIENT}", "search.none", {}),)
    return ()


def repeated_parameters(attempt: Attempt) -> Iterable[Hit]:
    """No parameter comes twice."""
    if search_of(attempt).repeated:
        return (("query", "search.repeated", {}),)
    return ()


def disease_and_other(attempt: Attempt) -> Iterable[Hit]:
    """target-disease stands alone."""
    search = search_of(attempt)
    if search.has(DISEASE) and search.has(TARGET, IDENTIFIER):
        return ((f"query:{DISEASE}", "search.disease-and-other", {}),)
    return ()


def identifier_with_patient(attempt: Attempt) -> Iterable[Hit]:
    """A search by identifier has no patient parameters."""
    search = search_of(attempt)
    if search.by_identifier and search.has(*PATIENT_PARAMETERS):
        if search.has(PATIENT) and search.has(IDENTIFIER):
            return ((f"query:{IDENTIFIER}", "search.both-identifiers", {}),)
        else:
            return ((f"query:{IDENTIFIER}", "search.identifier-with-patient", {}),)
    return ()


def bad_identifier(attempt: Attempt) -> Iterable[Hit]:
    """Identifier is one value with a system."""
    search = search_of(attempt)
    if not search.by_identifier:
        return ()
    values = search.get(IDENTIFIER)
    if len(values) <= 1 and not "".join(values) and search.has(ELEMENTS):
        return ((f"query:{ELEMENTS}", "search.elements-alone", {}),)
    elif len(values) != 1 or "|" not in values[0] or " " in values[0]:
        return ((f"query:{IDENTIFIER}", "search.identifier", {}),)
    return ()


def bad_elements(attempt: Attempt) -> Iterable[Hit]:
    """_elements names elements that the service gives."""
    search = search_of(attempt)
    if search.by_identifier and set(search.get(ELEMENTS)) - {"id", "meta"}:
        return ((f"query:{ELEMENTS}", "search.elements", {}),)
    return ()


def bad_patient(attempt: Attempt) -> Iterable[Hit]:
    """patient.identifier is one valid NHS number with its system."""
    search = search_of(attempt)
    if search.by_identifier:
        return ()
    values, at = search.get(PATIENT), f"query:{PATIENT}"
    if len(values) != 1:
        return ((at, "search.one-value", {"name": PATIENT}),)
    system, _, number = values[0].partition("|")
    if values[0].count("|") != 1 or system != NHS_NUMBER_SYSTEM:
        return ((at, "search.patient-format", {}),)
    elif not is_nhs_number(number):
        return ((at, "search.nhs-number", {}),)
    return ()


def bad_target(attempt: Attempt) -> Iterable[Hit]:
    """-immunization.target names at least one vaccine type."""
    search = search_of(attempt)
    if search.by_identifier or search.has(DISEASE):
        return ()
    if not search.get(TARGET):
        return ((f"query:{TARGET}", "search.values", {"name": TARGET}),)
    elif not search.types:
        choices = ", ".join(sorted(vaccine_types().values()))
        return ((f"query:{TARGET}", "search.target", {"choices": choices}),)
    return ()


def bad_disease(attempt: Attempt) -> Iterable[Hit]:
    """target-disease names at least one disease well enough."""
    search = search_of(attempt)
    if search.by_identifier or not search.has(DISEASE):
        return ()
    known, _, malformed = search.diseases
    if not any(search.get(DISEASE)):
        return ((f"query:{DISEASE}", "search.values", {"name": DISEASE}),)
    elif not known and malformed:
        return ((f"query:{DISEASE}", "search.disease", {}),)
    return ()


def _bad_day(attempt: Attempt, name: str) -> Iterable[Hit]:
    search = search_of(attempt)
    if search.by_identifier or not search.has(name):
        return ()
    hits: list[Hit] = []
    if len(search.get(name)) != 1:
        hits.append((f"query:{name}", "search.at-most-one-value", {"name": name}))
    if search.day(name) is None:
        hits.append((f"query:{name}", "search.date", {"name": name}))
    return hits


def bad_date_from(attempt: Attempt) -> Iterable[Hit]:
    """-date.from is a day."""
    return _bad_day(attempt, FROM)


def bad_date_to(attempt: Attempt) -> Iterable[Hit]:
    """-date.to is a day."""
    return _bad_day(attempt, TO)


def bad_include(attempt: Attempt) -> Iterable[Hit]:
    """_include is the patient."""
    search = search_of(attempt)
    if search.has(INCLUDE) and not search.by_identifier and search.get(INCLUDE)[0].lower() != "immunization:patient":
        return ((f"query:{INCLUDE}", "search.include", {}),)
    return ()


def dates_reversed(attempt: Attempt) -> Iterable[Hit]:
    """-date.from is not after -date.to."""
    search = search_of(attempt)
    first, last = search.day(FROM), search.day(TO)
    if not search.by_identifier and first and last and first > last:
        return ((f"query:{FROM}", "search.dates-reversed", {}),)
    return ()


def search_forbidden(attempt: Attempt) -> Iterable[Hit]:
    """The caller may search for at least one of the types."""
    search = search_of(attempt)
    if search.by_identifier:
        return ()
    if search.types and not any(attempt.caller.may(f"{name}.S") for name in search.types):
        return ((f"query:{DISEASE if search.has(DISEASE) else TARGET}", "forbidden", {}),)
    return ()
