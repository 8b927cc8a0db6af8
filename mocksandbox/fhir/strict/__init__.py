"""FHIR R4's own rules: what every resource must be, whoever it is sent to. Found and broken, as all rules are."""

from mocksandbox.fhir.strict.examples import fhir_examples
from mocksandbox.fhir.strict.rules import fhir_catalogue, fhir_rules

__all__ = ["fhir_catalogue", "fhir_examples", "fhir_rules"]
