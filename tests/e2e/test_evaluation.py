"""The evaluation server over a live server: a public FHIR client, schemathesis, every documented scenario."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import open_provider
from mocksandbox.providers.evaluation.bodies import bundles, template
from mocksandbox.sandbox.replay import replay
from tests.e2e.conftest import PROFILES
from tests.e2e.live import Server, cli, fetch, serving

MAIN = "ImmunizationEvaluation"
MANY = 1000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--strict", provider="evaluation") as server:
        yield server
        # Whatever was asked for in between: no answer differed from the document, and each was FHIR.
        told = json.loads(fetch(server.url, "GET", "/__mocksandbox/journal", None, {}).body)
        assert [entry for entry in told["entries"] if entry.get("bugs")] == []


def client(server: Server, **headers: str) -> Any:
    from fhirpy import AsyncFHIRClient

    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    own = {"X-Mocksandbox-Tenant": str(uuid4()), "Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    return AsyncFHIRClient(server.base, extra_headers={**own, **sent})


def evaluation(**changes: Any) -> dict[str, Any]:
    return {**template(MAIN)["bodies"][0], **changes}


def test_a_public_fhir_client_pages_through_a_thousand_evaluations(server: Server) -> None:
    asyncio.run(_page_through(server))


async def _page_through(server: Server) -> None:
    fhir = client(server)
    patient = await fhir.resource("Patient", name=[{"family": "Thousand"}]).create()
    entries = [
        {
            "resource": evaluation(patient={"reference": f"Patient/{patient['id']}"}, series=f"S{number:04}"),
            "request": {"method": "POST", "url": MAIN},
        }
        for number in range(MANY)
    ]
    for start in range(0, MANY, 250):
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries[start : start + 250]}
        await fhir.execute("", data=bundle)

    found = fhir.resources(MAIN).search(patient__Patient__family="thousand").sort("-_id").limit(100)
    assert await found.count() == MANY
    seen = []
    async for resource in found:
        seen.append(resource["id"])
        if len(seen) in (150, 450):  # while the pages are read, the server goes on
            await fhir.resource(MAIN, **evaluation(patient={"reference": f"Patient/{patient['id']}"})).create()
            await fhir.delete(MAIN, seen[0])
    assert len(seen) == MANY
    assert seen == sorted(set(seen), reverse=True)
    assert await found.count() == MANY + 1


def test_a_public_fhir_client_creates_on_condition_updates_and_loses_a_race(server: Server) -> None:
    asyncio.run(_race(server))


async def _race(server: Server) -> None:
    from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

    fhir = client(server)
    value = str(uuid4())
    body = evaluation(identifier=[{"system": "urn:example", "value": value}])
    fhir.extra_headers["If-None-Exist"] = f"identifier=urn:example|{value}"
    first = await fhir.execute(MAIN, data=body)
    again = await fhir.execute(MAIN, data=body)
    assert first["id"] == again["id"]
    del fhir.extra_headers["If-None-Exist"]

    read = await fhir.reference(MAIN, first["id"]).to_resource()
    read["series"] = "Changed"
    await read.save()
    fhir.extra_headers["If-Match"] = 'W/"1"'
    with pytest.raises(MultipleResourcesFound) as lost:  # fhirpy's name for any 412
        await fhir.execute(f"{MAIN}/{first['id']}", method="put", data=dict(read))
    assert "If-Match" in str(lost.value)
    del fhir.extra_headers["If-Match"]
    with pytest.raises(OperationOutcome, match="status"):
        await fhir.execute(MAIN, data={**body, "status": "not-done"})
    await read.delete()
    with pytest.raises(ResourceNotFound):
        await fhir.reference(MAIN, first["id"]).to_resource()


def test_a_public_fhir_client_sends_a_transaction(server: Server) -> None:
    asyncio.run(_transaction(server))


async def _transaction(server: Server) -> None:
    fhir = client(server)
    answer = await fhir.execute("", data=bundles()[0])
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["201"] * 4 + ["200"]
    found = fhir.resources(MAIN).search(patient__Patient__family="sample").include(MAIN, "patient")
    made = await found.fetch_raw()
    assert made["total"] == 2
    included = [entry["resource"]["resourceType"] for entry in made["entry"] if entry["search"]["mode"] == "include"]
    assert included == ["Patient"]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_scenario_is_as_documented(profile: str) -> None:
    provider = open_provider("evaluation")
    with serving("--profile", profile, "--strict", provider="evaluation") as server:

        def send(request: Request) -> Response:
            url = request.url.removeprefix(request.base_url)
            reply = fetch(server.base, request.method, url, request.body, dict(request.headers.pairs))
            return Response(reply.status, Headers(reply.headers.items()), reply.body)

        outcomes = list(replay(provider, send, provider.scenarios))
    assert len(outcomes) > 25
    assert [(each.scenario.id, each.why) for each in outcomes if each.verdict != "ok"] == []


def test_the_command_lists_the_scenarios_and_the_rules() -> None:
    for command in ("scenarios", "rules"):
        done = cli(command, "evaluation", "--format", "json")
        assert done.returncode == 0, done.stderr
        assert len(json.loads(done.stdout)) > 25
