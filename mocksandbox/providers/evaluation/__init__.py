"""FHIR R4 ImmunizationEvaluation: a FHIR server for evaluations of doses, and what they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from mocksandbox.contract import load, read_mapping
from mocksandbox.fhir import outcome_told
from mocksandbox.fhir.server.answers import refuse
from mocksandbox.fhir.server.preferences import FHIR_JSON
from mocksandbox.provider import Profile, Provider, scenarios_from
from mocksandbox.providers.evaluation.bodies import seeds
from mocksandbox.providers.evaluation.table import FOLDER, MAIN, TYPES
from mocksandbox.rules.fields import read_fields

BASE_PATH = "/evaluation/R4"

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("integration", "A FHIR R4 server, stateful."),
        Profile("documented", "As the document says, with its limits, stateful.", enforces_document=True),
        Profile("sandbox", "As `documented`, but nothing is remembered.", remembers=False, enforces_document=True),
    )
}


@cache
def provider() -> Provider:
    """The provider `evaluation`.

    Raises:
        ContractError: its contract folder is damaged.
    """
    # Imported here: the tables of rules read R4's definitions, which only an opened provider needs.
    from mocksandbox.fhir.server import FhirServer
    from mocksandbox.providers.evaluation.rules import BODY_STAGES, STATEFUL, request_catalogue, response_catalogue
    from mocksandbox.providers.evaluation.valid import about, templates

    contract = load(FOLDER)
    table: Mapping[str, Any] = read_mapping(FOLDER / "scenarios.yaml")
    server = FhirServer(contract, TYPES, lambda: catalogue, BODY_STAGES, "integration")
    catalogue = request_catalogue(contract, server)
    return Provider(
        name="evaluation",
        title="FHIR R4 ImmunizationEvaluation",
        base_path=BASE_PATH,
        contract=contract,
        catalogue=catalogue,
        responses=response_catalogue(contract),
        effects=server.effects,
        refuse=refuse,
        profiles=PROFILES,
        default_profile="integration",
        scenarios=scenarios_from(table, str(FOLDER / "scenarios.yaml"), contract),
        seeds=seeds,
        stateful=STATEFUL,
        valid=lambda operation: templates(contract, operation)[0],
        templates=lambda operation: templates(contract, operation),
        fields=read_fields(FOLDER / "fields.yaml", MAIN),
        about=about,
        told=outcome_told,
        media_type=FHIR_JSON,
        main=f"create{MAIN}",
    )
