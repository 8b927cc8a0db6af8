"""What all FHIR APIs share: OperationOutcome, and reading a resource."""

from mocksandbox.fhir.outcome import issue, operation_outcome, outcome_told
from mocksandbox.fhir.reading import Problem
from mocksandbox.fhir.wellread import read_resource

__all__ = ["Problem", "issue", "operation_outcome", "outcome_told", "read_resource"]
