"""One patient, four dialects: the same vaccination told to each API, so that a mapping can be tested end to end."""

from __future__ import annotations

from typing import Any

import pytest

from mocksandbox.errors import UsageError
from mocksandbox.generators import dialects
from mocksandbox.generators.labels import stateless_findings
from mocksandbox.generators.tables import american, british
from mocksandbox.provider import open_provider
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import get

ALL = ("nhs", "redox", "clinikapi", "evaluation")


def told(vaccine: str | None = None, seed: int = 0) -> dict[str, Any]:
    made = list(dialects(ALL, 1, seed, vaccine=vaccine))
    return {payload.operation.partition("/")[0]: payload.body for payload in made}


def resource(bundle: Any, kind: str) -> Any:
    return next(entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind)


@pytest.mark.parametrize("vaccine", sorted(british().vaccines))
def test_each_dialect_is_of_the_same_patient_and_dose(vaccine: str) -> None:
    for seed in range(10):
        body = told(vaccine, seed)
        patient = body["nhs"]["contained"][1]
        message = resource(body["redox"], "Immunization")
        abroad = resource(body["redox"], "Patient")
        coded = american().vaccines[vaccine]["cvx"]
        assert abroad["birthDate"] == patient["birthDate"]
        assert get(abroad, ("name", 0, "family")) == patient["name"][0]["family"]
        assert coded in [coding["code"] for coding in message["vaccineCode"]["coding"]]
        assert body["clinikapi"]["vaccineCode"]["code"] == coded
        lots = {body["nhs"]["lotNumber"], message["lotNumber"], body["clinikapi"]["lotNumber"]}
        assert len(lots) == 1
        assert message["occurrenceDateTime"] == body["clinikapi"]["occurrenceDateTime"]
        diseases = {concept["coding"][0]["code"] for concept in body["nhs"]["protocolApplied"][0]["targetDisease"]}
        assert body["evaluation"]["targetDisease"]["coding"][0]["code"] in diseases
        assert body["evaluation"]["date"] == body["nhs"]["recorded"][:10]


def test_each_dialect_is_valid_to_its_api() -> None:
    for payload in dialects(ALL, 100):
        name = payload.operation.partition("/")[0]
        provider = open_provider(name)
        match = provider.contract.router.find(payload.request.method, payload.request.path)
        assert stateless_findings(provider, Attempt(payload.request, provider.contract, match)) == [], payload


def test_a_dose_that_does_not_count_says_why() -> None:
    seen = set()
    for seed in range(300):
        body = told(seed=seed)["evaluation"]
        status = body["doseStatus"]["coding"][0]["code"]
        seen.add(status)
        assert ("doseStatusReason" in body) == (status == "notvalid"), body
    assert seen == {"valid", "notvalid"}


def test_an_api_that_there_is_not_is_said() -> None:
    with pytest.raises(UsageError, match="No provider 'nowhere'"):
        list(dialects(["nhs", "nowhere"]))
