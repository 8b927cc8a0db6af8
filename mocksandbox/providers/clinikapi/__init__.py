"""ClinikAPI: immunizations over its REST API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache

from mocksandbox.contract import load, read_mapping
from mocksandbox.provider import Profile, Provider, scenarios_from
from mocksandbox.providers.clinikapi import answers
from mocksandbox.providers.clinikapi.account import ORGANIZATION
from mocksandbox.providers.clinikapi.authority import authority
from mocksandbox.providers.clinikapi.immunization import new_record
from mocksandbox.providers.clinikapi.promise import CREATE, DELETE, FOLDER, READ, SEARCH, UPDATE
from mocksandbox.rules.attempt import Record
from mocksandbox.rules.fields import read_fields

BASE_PATH = "/v1"

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("integration", "As the documentation tells of the real service: stateful, its own errors."),
        Profile("documented", "As the document's schemas say, stateful.", enforces_document=True),
        Profile("sandbox", "As `documented`, but nothing is remembered.", remembers=False, enforces_document=True),
    )
}

EFFECTS = {
    CREATE: answers.create,
    READ: answers.read,
    SEARCH: answers.search,
    UPDATE: answers.update,
    DELETE: answers.delete,
}


def _seeds() -> Iterator[Record]:
    """The records of contracts/clinikapi/seeds.yaml."""
    table = read_mapping(FOLDER / "seeds.yaml")
    recorded = datetime.fromisoformat(table["recorded"])
    for spec in table["records"]:
        yield new_record(spec["body"], spec["id"], spec.get("organization", ORGANIZATION), recorded)


@cache
def provider() -> Provider:
    """The provider `clinikapi`.

    Raises:
        ContractError: its contract folder is damaged.
    """
    # Imported here: the tables of rules make every defect, which only an opened provider needs.
    from mocksandbox.providers.clinikapi.rules import STATEFUL, request_catalogue, response_catalogue
    from mocksandbox.providers.clinikapi.valid import about, templates

    contract = load(FOLDER)
    scenarios = FOLDER / "scenarios.yaml"
    return Provider(
        name="clinikapi",
        title="ClinikAPI immunizations",
        base_path=BASE_PATH,
        contract=contract,
        catalogue=request_catalogue(),
        responses=response_catalogue(contract),
        effects=EFFECTS,
        refuse=answers.refuse,
        profiles=PROFILES,
        default_profile="integration",
        scenarios=scenarios_from(read_mapping(scenarios), str(scenarios), contract),
        seeds=_seeds,
        stateful=STATEFUL,
        authority=authority,
        valid=lambda operation: templates(contract, operation)[0],
        templates=lambda operation: templates(contract, operation),
        fields=read_fields(FOLDER / "fields.yaml"),
        about=about,
        told=answers.told,
        media_type=answers.JSON,
    )
