"""The folder of this provider's contract, and the types of resources that its table has."""

from __future__ import annotations

from mocksandbox.fhir.search import read_types
from mocksandbox.resources import contracts_root

FOLDER = contracts_root() / "evaluation"
TYPES = read_types(FOLDER / "resources.yaml")

MAIN = "ImmunizationEvaluation"
