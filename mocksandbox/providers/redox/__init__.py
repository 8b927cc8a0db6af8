"""The Redox FHIR API, as far as it saves immunizations and encounters: `$write`, and a search of what was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from mocksandbox import codec
from mocksandbox.contract import load, read_mapping
from mocksandbox.fhir import outcome_told
from mocksandbox.provider import Profile, Provider, scenarios_from
from mocksandbox.providers.redox import answers
from mocksandbox.providers.redox.authority import authority
from mocksandbox.providers.redox.parts import BASE_PATH, FHIR_JSON, FOLDER, SEARCHES, WRITES
from mocksandbox.providers.redox.people import PEOPLE
from mocksandbox.rules.attempt import Record
from mocksandbox.rules.fields import read_fields

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("integration", "As the public pages say: stateful, every element of FHIR R4 is taken."),
        Profile("documented", "The document's schema decides, then FHIR R4; stateful.", enforces_document=True),
        Profile("sandbox", "As `documented`, but nothing is remembered.", remembers=False, enforces_document=True),
    )
}

EFFECTS = {**dict.fromkeys(WRITES, answers.write), **dict.fromkeys(SEARCHES, answers.search)}


def _seeds() -> Iterator[Record]:
    """What has been at a destination from the beginning (contracts/redox/seeds.yaml)."""
    for spec in read_mapping(FOLDER / "seeds.yaml")["records"]:
        resource, queue = spec["resource"], spec["queue"]
        identifier = resource["identifier"][0]
        keys = {
            "queue": queue,
            "identifier": f"{queue} {identifier['system']}|{identifier['value']}",
            "patients": "\n".join(spec["patients"]),
        }
        yield Record(resource["resourceType"], resource["id"], 1, codec.dumps(resource), keys)


@cache
def provider() -> Provider:
    """The provider `redox`.

    Raises:
        ContractError: its contract folder is damaged.
    """
    # Imported here: the rules of FHIR are many, and only an opened provider needs them.
    from mocksandbox.providers.redox.rules import request_catalogue, response_catalogue
    from mocksandbox.providers.redox.valid import templates, valid_attempt

    contract = load(FOLDER)
    table: Mapping[str, Any] = read_mapping(FOLDER / "scenarios.yaml")
    return Provider(
        name="redox",
        title="Redox FHIR API, writeback",
        base_path=BASE_PATH,
        contract=contract,
        catalogue=request_catalogue(contract),
        responses=response_catalogue(contract),
        effects=EFFECTS,
        refuse=answers.refuse,
        profiles=PROFILES,
        default_profile="integration",
        scenarios=scenarios_from(table, str(FOLDER / "scenarios.yaml"), contract),
        seeds=_seeds,
        authority=authority,
        valid=lambda operation: valid_attempt(contract, operation),
        templates=lambda operation: templates(contract, operation),
        people=PEOPLE,
        fields=read_fields(FOLDER / "fields.yaml", "Bundle"),
        told=outcome_told,
        media_type=FHIR_JSON,
    )
