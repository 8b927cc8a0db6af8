from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
from hypothesis import HealthCheck, given, settings
from vaccinations.async_client import lots, record_all
from vaccinations.record import FHIR, Vaccination

from mocksandbox.consumer import responses


def test_many_are_recorded_over_the_socket(nhs_sandbox, flu_jab: Vaccination) -> None:
    async def night() -> list[int]:
        async with httpx.AsyncClient(base_url=nhs_sandbox.url) as client:
            return await record_all(client, [replace(flu_jab, id=f"v-{number}") for number in range(10)])

    assert asyncio.run(night()) == [201] * 10
    nhs_sandbox.assert_called("createImmunization", times=10)


def test_many_are_recorded_in_the_process(nhs_sandbox, flu_jab: Vaccination) -> None:
    async def night() -> list[int]:
        async with nhs_sandbox.async_client() as client:
            return await record_all(client, [flu_jab, flu_jab])

    assert sorted(asyncio.run(night())) == [201, 422]


def test_made_up_records_can_be_read_back(nhs_sandbox, payloads) -> None:
    for payload in payloads("nhs/createImmunization", 5):
        with nhs_sandbox.client() as client:
            made = client.post("/Immunization", content=payload.request.body, headers=FHIR)
            assert made.status_code == 201
            assert client.get(made.headers["Location"]).json()["status"] == "completed"


@settings(max_examples=30, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=responses("nhs/searchImmunizationGet"))
def test_every_answer_can_be_read(nhs_sandbox, answer) -> None:
    async def read() -> list[str]:
        async with nhs_sandbox.async_client() as client:
            return await lots(client, "9449310475")

    with nhs_sandbox.answering(answer):
        assert isinstance(asyncio.run(read()), list)
