"""The target diseases of a record, and the vaccine type that they make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.providers.nhs.fields import FOLDER, fields, number_of, values_of
from mocksandbox.providers.nhs.parts import SNOMED, body_of, walked_by_service
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.gathering import Gathering
from mocksandbox.rules.places import MISSING, get
from mocksandbox.rules.rule import Hit


@cache
def vaccine_types() -> Mapping[frozenset[str], str]:
    """The vaccine type of each set of target diseases that the service takes."""
    table = read_mapping(FOLDER / "vaccines.yaml")["types"]
    return {frozenset(disease["code"] for disease in spec["diseases"]): name for name, spec in table.items()}


@cache
def type_names() -> frozenset[str]:
    """The names of the vaccine types."""
    return frozenset(vaccine_types().values())


@cache
def types_against() -> Mapping[str, frozenset[str]]:
    """The names of the vaccine types that have a target disease, by its SNOMED CT code."""
    codes = {code for codes in vaccine_types() for code in codes}
    return {code: frozenset(name for codes, name in vaccine_types().items() if code in codes) for code in codes}


_CODES = number_of(fields()["target-disease-code"].path)
_CODINGS = number_of(fields()["target-disease-codings"].path)
_DISEASES = number_of("protocolApplied[0].targetDisease")


def disease_codes(attempt: Attempt) -> list[str]:
    """The SNOMED CT codes of the target diseases of an attempt's record, as far as they can be read."""
    return [value for value in values_of(attempt)[_CODES] if isinstance(value, str)]


def stored_disease_codes(body: Any) -> list[str]:
    """The same of a record that was read."""
    return [value for value in _codes().values(body)[0] if isinstance(value, str)]


@cache
def _codes() -> Gathering:
    codes = Gathering()
    codes.add(fields()["target-disease-code"].path)
    return codes


def vaccine_type(codes: Sequence[str]) -> str | None:
    """The vaccine type that target diseases make, None when they are no combination that the service takes."""
    unique = frozenset(codes)
    return vaccine_types().get(unique) if len(unique) == len(codes) else None


def disease_code_missing(attempt: Attempt) -> Iterable[Hit]:
    """Each target disease has a code."""
    values = values_of(attempt)
    for diseases in values[_DISEASES]:
        if isinstance(diseases, list) and (not diseases or len(values[_CODES]) != len(diseases) or None in values[_CODES]):
            return _uncoded(body_of(attempt), diseases)
    return ()


def _uncoded(body: Mapping[str, Any], diseases: list[Any]) -> Iterator[Hit]:
    field = fields()["target-disease-code"]
    if not diseases:
        yield "Immunization.protocolApplied[0].targetDisease", "mandatory-disease-code", {"at": field.spelled()}
        return
    coded = {found.indices[0] for found in field.present(body) if found.value is not None}
    for index in range(len(diseases)):
        if index not in coded:
            at = f"Immunization.protocolApplied[0].targetDisease[{index}].coding"
            yield at, "mandatory-disease-code", {"at": field.says.format(index)}
            return


def disease_combination(attempt: Attempt) -> Iterable[Hit]:
    """The target diseases are those of one of the vaccines."""
    codes = disease_codes(attempt)
    if codes and vaccine_type(codes) is None:
        at = "Immunization.protocolApplied[0].targetDisease"
        return ((at, "not-a-disease-combination", {"codes": repr(codes)}),)
    return ()


def target_diseases(attempt: Attempt) -> Iterable[Hit]:
    """There is a list of target diseases, each with codings."""
    for diseases in values_of(attempt)[_DISEASES]:
        if type(diseases) is list and all(map(_has_codings, diseases)):
            return ()
    return _target_faults(attempt)


def _has_codings(disease: Any) -> bool:
    return type(disease) is dict and "coding" in disease


def _target_faults(attempt: Attempt) -> Iterator[Hit]:
    field = fields()["target-diseases"]
    at = "Immunization.protocolApplied[0].targetDisease"
    protocols = body_of(attempt).get("protocolApplied", MISSING)
    if protocols is MISSING or protocols in ("", []) or isinstance(protocols, dict):
        yield at, "mandatory", {"at": field.spelled()}
        return
    first = get(protocols, (0,))
    if not isinstance(first, dict):
        return  # nhs/wrong-shape says so
    diseases = first.get("targetDisease", MISSING)
    if diseases is MISSING:
        yield at, "mandatory", {"at": field.spelled()}
    # The service walks over whatever there is: over the letters of a string, over the keys of an object.
    for index, disease in enumerate(walked_by_service(diseases)):
        if isinstance(disease, (dict, list, str)) and "coding" not in disease:
            yield f"{at}[{index}].coding", "target-disease-without-coding", {}
            return
        if not isinstance(disease, (dict, list, str)):
            return


def one_snomed_coding(attempt: Attempt) -> Iterable[Hit]:
    """Each target disease has exactly one SNOMED CT coding."""
    if not any(map(_not_one, values_of(attempt)[_CODINGS])):
        return ()
    field = fields()["target-disease-codings"]
    found = next(found for found in field.present(body_of(attempt)) if _not_one(found.value))
    return ((field.at(found), "not-one-snomed-coding", {"at": field.spelled(found)}),)


def _not_one(codings: Any) -> bool:
    """Whether codings that can be read are not exactly one of SNOMED CT and any others."""
    if type(codings) is list and len(codings) == 1 and type(codings[0]) is dict:
        return codings[0].get("system") != SNOMED
    if not isinstance(codings, list):
        return codings in ("", {})
    systems = [coding.get("system") for coding in codings if isinstance(coding, dict)]
    return len(systems) == len(codings) and systems.count(SNOMED) != 1
