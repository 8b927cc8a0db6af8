"""The NHS Immunisation FHIR API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from mocksandbox import codec
from mocksandbox.contract import load, read_mapping
from mocksandbox.errors import ContractError
from mocksandbox.fhir import outcome_told, read_resource
from mocksandbox.provider import Profile, Provider, scenarios_from
from mocksandbox.providers.nhs import answers
from mocksandbox.providers.nhs.authority import authority
from mocksandbox.providers.nhs.fields import FOLDER, fields
from mocksandbox.providers.nhs.people import people
from mocksandbox.providers.nhs.promise import CREATE, DELETE, READ, SEARCH_GET, SEARCH_POST, UPDATE
from mocksandbox.providers.nhs.state import KIND
from mocksandbox.providers.nhs.status import status_routes
from mocksandbox.rules.attempt import Record

BASE_PATH = "/immunisation-fhir-api/FHIR/R4"

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("integration", "As the real service behaves: stateful, its own rules in its own words."),
        Profile("documented", "As the published document says, stateful.", enforces_document=True),
        Profile("sandbox", "As `documented`, but nothing is remembered.", remembers=False, enforces_document=True),
    )
}

EFFECTS = {
    CREATE: answers.create,
    READ: answers.read,
    UPDATE: answers.update,
    DELETE: answers.delete,
    SEARCH_GET: answers.search,
    SEARCH_POST: answers.search,
}


def _seeds() -> Iterator[Record]:
    """The documented records, each from an example of the document (contracts/nhs/seeds.yaml)."""
    contract = provider().contract
    for number, spec in enumerate(read_mapping(FOLDER / "seeds.yaml")["records"]):
        try:
            example = contract.at(spec["example"])
        except KeyError as error:
            path = str(FOLDER / "seeds.yaml")
            raise ContractError(f"the document has no {error}", path, f"/records/{number}/example") from error
        body: dict[str, Any] = {**example, **spec.get("with", {}), "id": spec["id"]}
        read, _ = read_resource(body, KIND)
        reserved = bool(spec.get("reserved"))
        yield Record(
            KIND,
            spec["id"],
            version=0 if reserved else 1,
            body=codec.dumps(read),
            keys=answers.record_keys(read),
            state="reserved" if reserved else "live",
        )


@cache
def provider() -> Provider:
    """The provider `nhs`.

    Raises:
        ContractError: its contract folder is damaged.
    """
    # Imported here: the tables of rules compile every field's path, which only an opened provider needs.
    from mocksandbox.providers.nhs.rules import STATEFUL, request_catalogue, response_catalogue
    from mocksandbox.providers.nhs.valid import about, templates, valid_attempt

    contract = load(FOLDER)
    table: Mapping[str, Any] = read_mapping(FOLDER / "scenarios.yaml")
    return Provider(
        name="nhs",
        title="NHS Immunisation FHIR API",
        base_path=BASE_PATH,
        contract=contract,
        catalogue=request_catalogue(),
        responses=response_catalogue(contract),
        effects=EFFECTS,
        refuse=answers.refuse,
        profiles=PROFILES,
        default_profile="integration",
        scenarios=scenarios_from(table, str(FOLDER / "scenarios.yaml"), contract),
        seeds=_seeds,
        stateful=STATEFUL,
        authority=authority,
        valid=lambda operation: valid_attempt(contract, operation),
        specials=status_routes(contract),
        people=people(_seeds),
        fields=fields(),
        templates=lambda operation: templates(contract, operation),
        about=about,
        told=outcome_told,
        media_type=answers.FHIR_JSON,
    )
