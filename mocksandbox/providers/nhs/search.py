"""Searches: what one asks for, read as the service reads it, and the rules about that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache, wraps
from urllib.parse import parse_qsl

from mocksandbox.providers.nhs.diseases import type_names, types_against, vaccine_types
from mocksandbox.providers.nhs.moments import read_day
from mocksandbox.providers.nhs.parts import NHS_NUMBER_SYSTEM, SNOMED
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import Hit
from mocksandbox.rules.values import is_nhs_number

PATIENT, TARGET, DISEASE = "patient.identifier", "-immunization.target", "target-disease"
FROM, TO, INCLUDE = "-date.from", "-date.to", "_include"
IDENTIFIER, ELEMENTS = "identifier", "_elements"
PATIENT_PARAMETERS = (PATIENT, TARGET, DISEASE, FROM, TO, INCLUDE)


class Search:
    """What one search asks for: `values` are the values of each parameter, split at commas and stripped, and `names` those of
    the parameters; `repeated` when one came twice; `by_identifier` when one record is sought by its identifier.

    `patient` is the system of the patient's identifier, a pipe and the NHS number, each empty when there is none. `diseases`
    are the target diseases as sent: supported ones, well-formed but unsupported ones, malformed ones. `types` are the vaccine
    types asked for, by name or by disease, as far as the service knows them. A day is None when absent or malformed.
    """

    __slots__ = ("by_identifier", "diseases", "first_day", "last_day", "names", "patient", "repeated", "types", "values")

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        values: dict[str, Sequence[str]] = {}
        for name, value in pairs:
            values[name] = _parts(value) if "," in value else (value.strip(),)
        self.values = values
        self.names = values.keys()
        self.repeated = len(values) < len(pairs)
        self.by_identifier = IDENTIFIER in values or ELEMENTS in values
        self.patient = "".join(values.get(PATIENT, ())).partition("|")
        self.first_day = read_day(values[FROM][0]) if FROM in values else None
        self.last_day = read_day(values[TO][0]) if TO in values else None
        if DISEASE in values:
            self.diseases = _sorted_out(values[DISEASE])
            codes = (raw.partition("|")[2].strip() for raw in self.diseases[0])
            self.types = frozenset[str]().union(*(types_against()[code] for code in codes))
        else:
            self.diseases = _NO_DISEASES
            self.types = type_names().intersection(values.get(TARGET, ()))

    def has(self, *names: str) -> bool:
        """Whether any of these parameters was sent."""
        return not self.names.isdisjoint(names)

    def get(self, name: str) -> Sequence[str]:
        """A parameter's values."""
        return self.values.get(name, ())

    @property
    def unknown_types(self) -> list[str]:
        """The vaccine types asked for that do not exist, sorted."""
        return sorted(set(self.get(TARGET)) - type_names())


_Diseases = tuple[Sequence[str], Sequence[str], Sequence[str]]
_NO_DISEASES: _Diseases = ((), (), ())


def _parts(value: str) -> Sequence[str]:
    return tuple(part.strip() for part in value.split(","))


def _sorted_out(diseases: Sequence[str]) -> _Diseases:
    sorted_out: tuple[list[str], list[str], list[str]] = ([], [], [])
    for raw in filter(None, diseases):
        system, pipe, code = raw.partition("|")
        well_formed = bool(pipe) and system.strip() == SNOMED and bool(code.strip())
        sorted_out[2 if not well_formed else 0 if code.strip() in types_against() else 1].append(raw)
    return sorted_out


def read_search(attempt: Attempt) -> Search:
    """The parameters of a search: of the query for GET, of the form for POST (whose query string is ignored). A form's empty
    parameters are dropped, a query's are kept (observed).
    """
    request = attempt.request
    posted = request.method == "POST"
    return Search(parse_qsl(request.body.decode("utf-8", "replace")) if posted else request.query)


def search_of(attempt: Attempt) -> Search:
    """The search of an attempt, read once."""
    kept: Search | None = attempt.__dict__.get("_search")
    if kept is None:
        kept = attempt.__dict__["_search"] = read_search(attempt)
    return kept


def _of_all(find: Callable[[Search], Iterable[Hit]]) -> Callable[[Attempt], Iterable[Hit]]:
    """A rule about the parameters of every search."""

    @wraps(find)
    def of_attempt(attempt: Attempt) -> Iterable[Hit]:
        return find(attempt.__dict__.get("_search") or search_of(attempt))

    return of_attempt


def _of(*names: str) -> Callable[[Callable[[Search], Iterable[Hit]]], Callable[[Attempt], Iterable[Hit]]]:
    """A rule about searches with one of these parameters, which asks nothing of the others."""

    def of_some(find: Callable[[Search], Iterable[Hit]]) -> Callable[[Attempt], Iterable[Hit]]:
        @wraps(find)
        def of_attempt(attempt: Attempt) -> Iterable[Hit]:
            search = attempt.__dict__.get("_search") or search_of(attempt)
            return () if search.names.isdisjoint(names) else find(search)

        return of_attempt

    return of_some


@_of_all
def no_parameters(search: Search) -> Iterable[Hit]:
    """There is a parameter at all."""
    return () if search.values else ((f"query:{PATIENT}", "search.none", {}),)


@_of_all
def repeated_parameters(search: Search) -> Iterable[Hit]:
    """No parameter comes twice."""
    return (("query", "search.repeated", {}),) if search.repeated else ()


@_of(DISEASE)
def disease_and_other(search: Search) -> Iterable[Hit]:
    """target-disease stands alone."""
    return ((f"query:{DISEASE}", "search.disease-and-other", {}),) if search.has(TARGET, IDENTIFIER) else ()


@_of(IDENTIFIER, ELEMENTS)
def identifier_with_patient(search: Search) -> Iterable[Hit]:
    """A search by identifier has no patient parameters."""
    if not search.has(*PATIENT_PARAMETERS):
        return ()
    elif search.has(PATIENT) and search.has(IDENTIFIER):
        return ((f"query:{IDENTIFIER}", "search.both-identifiers", {}),)
    return ((f"query:{IDENTIFIER}", "search.identifier-with-patient", {}),)


@_of(IDENTIFIER, ELEMENTS)
def bad_identifier(search: Search) -> Iterable[Hit]:
    """Identifier is one value with a system."""
    values = search.get(IDENTIFIER)
    if len(values) <= 1 and not "".join(values) and search.has(ELEMENTS):
        return ((f"query:{ELEMENTS}", "search.elements-alone", {}),)
    elif len(values) != 1 or "|" not in values[0] or " " in values[0]:
        return ((f"query:{IDENTIFIER}", "search.identifier", {}),)
    return ()


@_of(ELEMENTS)
def bad_elements(search: Search) -> Iterable[Hit]:
    """_elements names elements that the service gives."""
    return ((f"query:{ELEMENTS}", "search.elements", {}),) if set(search.get(ELEMENTS)) - {"id", "meta"} else ()


_is_nhs_number = lru_cache(maxsize=4096)(is_nhs_number)  # the patients that are searched for again and again


@_of_all
def bad_patient(search: Search) -> Iterable[Hit]:
    """patient.identifier is one valid NHS number with its system."""
    if search.by_identifier:
        return ()
    if len(search.get(PATIENT)) != 1:
        return ((f"query:{PATIENT}", "search.one-value", {"name": PATIENT}),)
    system, pipe, number = search.patient
    if system != NHS_NUMBER_SYSTEM or not pipe or "|" in number:
        return ((f"query:{PATIENT}", "search.patient-format", {}),)
    elif len(number) != 10 or not _is_nhs_number(number):
        return ((f"query:{PATIENT}", "search.nhs-number", {}),)
    return ()


@_of_all
def bad_target(search: Search) -> Iterable[Hit]:
    """-immunization.target names at least one vaccine type."""
    if search.by_identifier or DISEASE in search.values:
        return ()
    if not search.get(TARGET):
        return ((f"query:{TARGET}", "search.values", {"name": TARGET}),)
    elif not search.types:
        choices = ", ".join(sorted(vaccine_types().values()))
        return ((f"query:{TARGET}", "search.target", {"choices": choices}),)
    return ()


@_of(DISEASE)
def bad_disease(search: Search) -> Iterable[Hit]:
    """target-disease names at least one disease well enough."""
    if search.by_identifier:
        return ()
    known, _, malformed = search.diseases
    if not any(search.get(DISEASE)):
        return ((f"query:{DISEASE}", "search.values", {"name": DISEASE}),)
    elif not known and malformed:
        return ((f"query:{DISEASE}", "search.disease", {}),)
    return ()


def _bad_day(search: Search, name: str, day: date | None) -> Iterable[Hit]:
    if search.by_identifier:
        return ()
    hits: list[Hit] = []
    if len(search.get(name)) != 1:
        hits.append((f"query:{name}", "search.at-most-one-value", {"name": name}))
    if day is None:
        hits.append((f"query:{name}", "search.date", {"name": name}))
    return hits


@_of(FROM)
def bad_date_from(search: Search) -> Iterable[Hit]:
    """-date.from is a day."""
    return _bad_day(search, FROM, search.first_day)


@_of(TO)
def bad_date_to(search: Search) -> Iterable[Hit]:
    """-date.to is a day."""
    return _bad_day(search, TO, search.last_day)


@_of(INCLUDE)
def bad_include(search: Search) -> Iterable[Hit]:
    """_include is the patient."""
    if not search.by_identifier and search.get(INCLUDE)[0].lower() != "immunization:patient":
        return ((f"query:{INCLUDE}", "search.include", {}),)
    return ()


@_of(FROM)
def dates_reversed(search: Search) -> Iterable[Hit]:
    """-date.from is not after -date.to."""
    first, last = search.first_day, search.last_day
    if not search.by_identifier and first and last and first > last:
        return ((f"query:{FROM}", "search.dates-reversed", {}),)
    return ()


def search_forbidden(attempt: Attempt) -> Iterable[Hit]:
    """The caller may search for at least one of the types."""
    caller = attempt.caller
    if caller.rights is None:
        return ()
    search = search_of(attempt)
    if not search.by_identifier and search.types and not any(caller.may(f"{name}.S") for name in search.types):
        return ((f"query:{DISEASE if search.has(DISEASE) else TARGET}", "forbidden", {}),)
    return ()
