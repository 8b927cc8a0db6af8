"""How the server under test searches."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from tests.mutants.validation import NHS, SNOMED, TYPES, Bugs, nhs_number

PATIENT, TARGET, DISEASE, FROM, TO, INCLUDE = (
    "patient.identifier",
    "-immunization.target",
    "target-disease",
    "-date.from",
    "-date.to",
    "_include",
)
OTHERS = {PATIENT, TARGET, DISEASE, FROM, TO, INCLUDE}
KNOWN = set(TYPES.values())
CODES = {code for codes in TYPES for code in codes}


class WrongSearchError(Exception):
    """A search that is refused: which parameter, and why."""

    def __init__(self, at: str, why: str) -> None:
        super().__init__(why)
        self.at, self.why = at, why


def _day(values: list[str]) -> date | None:
    try:
        return datetime.strptime(values[0], "%Y-%m-%d").date()
    except (ValueError, IndexError):
        return None


def read(pairs: list[tuple[str, str]], bugs: Bugs) -> dict[str, list[str]]:
    """The parameters with their values; raises WrongSearchError."""
    asked = {name: [part.strip() for part in value.split(",")] for name, value in pairs}
    if len(asked) < len(pairs) and "off:search-repeated" not in bugs:
        raise WrongSearchError("parameters", "Parameters may not be duplicated")
    if not asked:
        raise WrongSearchError(PATIENT, "No parameter provided: identifier or patient.identifier")
    if DISEASE in asked and (TARGET in asked or "identifier" in asked) and "off:search-mixed-disease" not in bugs:
        raise WrongSearchError(DISEASE, "target-disease stands alone, without -immunization.target and identifier")
    if "identifier" in asked or "_elements" in asked:
        return _by_identifier(asked, bugs)
    patient = asked.get(PATIENT, [])
    formed = len(patient) == 1 and patient[0].count("|") == 1 and patient[0].partition("|")[0] == NHS
    if not formed and ("off:search-patient-format" not in bugs or len(patient) != 1):
        raise WrongSearchError(PATIENT, "patient.identifier must be one system|value")
    if not nhs_number(frozenset())(patient[0].partition("|")[2]) and "off:search-nhs-number" not in bugs:
        raise WrongSearchError(PATIENT, "patient.identifier must be a valid NHS number")
    if DISEASE in asked:
        _diseases(asked, bugs)
    elif not set(asked.get(TARGET, [])) & KNOWN and "off:search-target" not in bugs:
        raise WrongSearchError(TARGET, "-immunization.target must be one of the types")
    for name in (FROM, TO):
        if name in asked and (len(asked[name]) != 1 or _day(asked[name]) is None) and "off:search-dates" not in bugs:
            raise WrongSearchError(name, f"{name} must be YYYY-MM-DD")
    if asked.get(INCLUDE, ["immunization:patient"])[0].lower() != "immunization:patient" and "off:search-include" not in bugs:
        raise WrongSearchError(INCLUDE, "_include may only be Immunization:patient")
    first, last = _day(asked.get(FROM, [])), _day(asked.get(TO, []))
    if first and last and first > last and "off:search-dates-reversed" not in bugs:
        raise WrongSearchError(FROM, "-date.from must be before -date.to")
    if first and last and first == last and "one-day-search-refused" in bugs:
        raise WrongSearchError(FROM, "-date.from must be before -date.to")
    return asked


def _by_identifier(asked: dict[str, list[str]], bugs: Bugs) -> dict[str, list[str]]:
    values = asked.get("identifier", [])
    if OTHERS & asked.keys() and "off:search-identifier-with-patient" not in bugs:
        raise WrongSearchError("identifier", "identifier is searched for alone")
    if (len(values) != 1 or "|" not in values[0] or " " in values[0]) and "off:search-identifier" not in bugs:
        raise WrongSearchError("identifier", "identifier must be one system|value; _elements goes with identifier")
    if set(asked.get("_elements", [])) - {"id", "meta"} and "off:search-elements" not in bugs:
        raise WrongSearchError("_elements", "_elements must be id, meta")
    return asked


def _sorted(asked: dict[str, list[str]]) -> tuple[list[str], list[str], list[str]]:
    found: tuple[list[str], list[str], list[str]] = ([], [], [])
    for raw in filter(None, asked[DISEASE]):
        system, bar, code = raw.partition("|")
        good = bool(bar) and system.strip() == SNOMED and bool(code.strip())
        found[2 if not good else 0 if code.strip() in CODES else 1].append(raw)
    return found


def _diseases(asked: dict[str, list[str]], bugs: Bugs) -> None:
    known, _, malformed = _sorted(asked)
    if (not any(asked[DISEASE]) or (not known and malformed)) and "off:search-disease" not in bugs:
        raise WrongSearchError(DISEASE, "target-disease must be http://snomed.info/sct|CODE")


def types_of(asked: dict[str, list[str]]) -> set[str]:
    """The vaccine types that are asked for."""
    if DISEASE in asked:
        codes = {raw.partition("|")[2].strip() for raw in _sorted(asked)[0]}
        return {name for wanted, name in TYPES.items() if wanted & codes}
    return set(asked.get(TARGET, [])) & KNOWN


def patient_bundle(
    asked: dict[str, list[str]], records: Iterable[Any], base: str, outcome: Callable[..., Any], bugs: Bugs
) -> Any:
    """The Bundle of a search by patient."""
    wanted, number = types_of(asked), "".join(asked[PATIENT]).partition("|")[2]
    first, last = _day(asked.get(FROM, [])), _day(asked.get(TO, []))
    found = []
    for record in records:
        if record.number != number and "search-ignores-patient" not in bugs:
            continue
        day = record.day
        late = last and ((day >= last.isoformat()) if "date-to-exclusive" in bugs else day > last.isoformat())
        early = first and ((day <= first.isoformat()) if "date-from-exclusive" in bugs else day < first.isoformat())
        if "search-ignores-dates" in bugs:
            late = early = False
        gone = not record.live and "search-finds-deleted" not in bugs
        if not (gone or late or early or (record.type not in wanted and "search-ignores-target" not in bugs)):
            found.append(record)
    found.sort(key=lambda record: (record.type, record.id))
    if "search-drops-last" in bugs:
        found = found[:-1]
    url = f"urn:uuid:{uuid.uuid4()}"
    entries = [_entry(record, base, url, bugs) for record in found]
    if found and "search-without-patient" not in bugs:
        named = [
            {key: each[key] for key in ("system", "value") if key in each} for each in found[-1].patient.get("identifier", [])
        ]
        patient = {"resourceType": "Patient", "id": named[0]["value"], "identifier": named}
        entries.append({"fullUrl": url, "resource": patient, "search": {"mode": "include"}})
    unknown = sorted(set(asked.get(TARGET, [])) - KNOWN)
    if DISEASE in asked:
        known, unsupported, malformed = _sorted(asked)
        if not known:
            return bundle(
                f"{base}/Immunization?{urlencode({PATIENT: asked[PATIENT][0]})}", [{"resource": outcome("unknown")}], 0
            )
        entries += [{"resource": outcome("ignored")} for _ in [*unsupported, *malformed]]
    elif unknown:
        entries.append({"resource": outcome("ignored")})
    return bundle(_link(asked, wanted, base, number, first, last), entries, len(found) + ("total-off-by-one" in bugs))


def _link(asked: dict[str, list[str]], wanted: set[str], base: str, number: str, first: Any, last: Any) -> str:
    types = ",".join(sorted(wanted))
    shown = (
        {DISEASE: ",".join(sorted(set(_sorted(asked)[0])))} if DISEASE in asked else {TARGET.lstrip("-"): types, TARGET: types}
    )
    shown[PATIENT] = f"{NHS}|{number}"
    shown |= {name: day.isoformat() for name, day in ((FROM, first), (TO, last)) if day}
    if asked.get(INCLUDE):
        shown[INCLUDE] = asked[INCLUDE][0]
    return f"{base}/Immunization?{urlencode(shown)}"


def bundle(link: str, entries: list[Any], total: int) -> Any:
    """A searchset."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "self", "url": link}],
        "entry": entries,
        "total": total,
    }


def _entry(record: Any, base: str, url: str, bugs: Bugs) -> Any:
    shown: dict[str, Any] = {}
    for name, value in record.body.items():
        if name == "id":
            shown["id"] = value
            shown["meta"] = {"versionId": str(record.version)}
        elif name == "identifier":
            shown[name] = [{"use": "official", **value[0]}, *value[1:]]
        elif name == "patient":
            number = next((each for each in record.patient.get("identifier", []) if each and each.get("system") == NHS), None)
            shown[name] = {"reference": url, "type": "Patient", **({"identifier": number} if number else {})}
        elif name == "performer" and record.practitioner is not None:
            mine = f"#{record.practitioner}"
            shown[name] = [each for each in value if each.get("actor", {}).get("reference") != mine]
        elif name not in ("contained", "meta"):
            shown[name] = value
    if "search-shows-contained" in bugs:
        shown["contained"] = record.body["contained"]
    if "search-without-lot" in bugs:
        shown.pop("lotNumber", None)
    return {"fullUrl": f"{base}/Immunization/{record.id}", "resource": shown, "search": {"mode": "match"}}


def identifier_bundle(asked: dict[str, list[str]], record: Any, base: str, bugs: Bugs) -> Any:
    """The Bundle of a search by identifier."""
    if record is None:
        return bundle(f"{base}/Immunization?identifier=None", [], 0)
    names = sorted(set(asked.get("_elements", [])))
    link = f"{base}/Immunization?identifier={asked['identifier'][0]}" + (f"&_elements={','.join(names)}" if names else "")
    if not names:
        return bundle(link, [_entry(record, base, f"urn:uuid:{uuid.uuid4()}", bugs)], 1)
    resource: dict[str, Any] = {"resourceType": "Immunization"}
    resource |= {"id": record.id} if "id" in names else {}
    resource |= {"meta": {"versionId": record.version}} if "meta" in names else {}
    return bundle(link, [{"fullUrl": f"{base}/Immunization/{record.id}", "resource": resource}], 1)
