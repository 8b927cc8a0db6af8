"""A vaccination as the NHS wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FHIR = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
_PROCEDURE = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-VaccinationProcedure"


@dataclass(frozen=True)
class Vaccination:
    """One dose of flu vaccine, given to a patient."""

    id: str
    nhs_number: str
    family: str
    given: str
    gender: str
    born: str
    postcode: str
    when: str

    def resource(self) -> dict[str, Any]:
        snomed = "http://snomed.info/sct"
        patient = {
            "resourceType": "Patient",
            "id": "Pat1",
            "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": self.nhs_number}],
            "name": [{"family": self.family, "given": [self.given]}],
            "gender": self.gender,
            "birthDate": self.born,
            "address": [{"postalCode": self.postcode}],
        }
        procedure = {"system": snomed, "code": "884861000000100", "display": "Seasonal influenza vaccination given"}
        site = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "B0C4P"}
        return {
            "resourceType": "Immunization",
            "contained": [patient],
            "extension": [{"url": _PROCEDURE, "valueCodeableConcept": {"coding": [procedure]}}],
            "identifier": [{"system": "https://clinic.example/vaccinations", "value": self.id}],
            "status": "completed",
            "vaccineCode": {"coding": [{"system": snomed, "code": "42605811000001109", "display": "Flu vaccine"}]},
            "patient": {"reference": "#Pat1"},
            "occurrenceDateTime": self.when,
            "recorded": self.when,
            "primarySource": True,
            "location": {"type": "Location", "identifier": {"system": site["system"], "value": "X99999"}},
            "performer": [{"actor": {"type": "Organization", "identifier": site}}],
            "protocolApplied": [
                {
                    "targetDisease": [{"coding": [{"system": snomed, "code": "6142004", "display": "Influenza"}]}],
                    "doseNumberPositiveInt": 1,
                }
            ],
        }
