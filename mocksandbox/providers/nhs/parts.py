"""The parts of a record that several rules look at, read without minding what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mocksandbox.rules.attempt import Attempt

SNOMED = "http://snomed.info/sct"
NHS_NUMBER_SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"
PROCEDURE_URL = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-VaccinationProcedure"


def body_of(attempt: Attempt) -> Mapping[str, Any]:
    """The body when it is an object, else an empty one."""
    return attempt.body if isinstance(attempt.body, dict) else {}


def walked_by_service(value: Any) -> Iterable[Any]:
    """What the service walks over: the items of a list, the letters of a string, the keys of an object."""
    return value if isinstance(value, (list, str, dict)) else ()


def items_of(value: Any) -> list[Any]:
    """The value when it is a list, else an empty one."""
    return value if isinstance(value, list) else []
