"""The interactions over HTTP: what was sent comes back, and what cannot be is refused."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from mocksandbox.providers.nhs import provider
from tests.e2e.live import Reply, Server, serving


def record() -> dict[str, Any]:
    """A valid record with an identifier of its own."""
    valid = provider().valid
    assert valid is not None
    body: dict[str, Any] = json.loads(valid("createImmunization").request.body)
    body["identifier"][0]["value"] = str(uuid4())
    return body


def the_same(body: Any) -> Any:
    """A record without what the service adds, its instants as instants: it writes microseconds (observed)."""
    kept = {key: value for key, value in body.items() if key not in ("id", "meta")}
    instants = {name: datetime.fromisoformat(kept[name]) for name in ("occurrenceDateTime", "recorded")}
    return {**kept, **instants}


def error_of(reply: Reply) -> str:
    code: str = reply.json["issue"][0]["details"]["coding"][0]["code"]
    return code


@pytest.mark.parametrize("profile", ["integration", "documented"])
def test_a_record_lives_and_is_deleted(profile: str) -> None:
    with serving("--profile", profile, "--strict") as server:
        sent = record()
        created = server.send("POST", "/Immunization", sent)
        assert created.status == 201, created.body
        assert created.headers["e-tag"] == "1"
        location = created.headers["location"]
        path = location.removeprefix(server.base)
        read = server.send("GET", path)
        assert read.status == 200
        assert the_same(read.json) == the_same(sent)

        again = server.send("POST", "/Immunization", sent)
        assert (again.status, error_of(again)) == (422, "DUPLICATE")

        changed = {**sent, "id": path.rpartition("/")[2], "lotNumber": "CHANGED-1"}
        assert server.send("PUT", path, changed, E_Tag="1").status == 200
        assert server.send("PUT", path, changed, E_Tag="1").status == 400
        assert server.send("GET", path).json["lotNumber"] == "CHANGED-1"

        assert server.send("DELETE", path).status == 204
        assert server.send("GET", path).status == 404
        assert server.send("DELETE", path).status == 404


def test_unknown_and_malformed_ids(each_profile: Server) -> None:
    unknown = each_profile.send("GET", f"/Immunization/{uuid4()}")
    assert (unknown.status, error_of(unknown)) == (404, "NOT-FOUND")
    malformed = each_profile.send("GET", "/Immunization/not_an_id")
    assert (malformed.status, error_of(malformed)) == (400, "INVALID")


def test_the_sandbox_profile_forgets() -> None:
    with serving("--profile", "sandbox") as server:
        sent = record()
        created = server.send("POST", "/Immunization", sent)
        assert created.status == 201
        assert server.send("POST", "/Immunization", sent).status == 201
        assert (
            server.send("GET", created.headers["location"].removeprefix(server.base)).json.get("identifier")
            != sent["identifier"]
        )


def test_tracing_headers_are_mirrored_and_browsers_may_call(each_profile: Server) -> None:
    tracing = {"X-Request-ID": str(uuid4()), "X-Correlation-ID": str(uuid4()), "Origin": "https://app.example"}
    for path in (f"/Immunization/{uuid4()}", "/nowhere"):
        reply = each_profile.send("GET", path, **tracing)
        assert reply.headers["x-request-id"] == tracing["X-Request-ID"]
        assert reply.headers["x-correlation-id"] == tracing["X-Correlation-ID"]
        assert reply.headers["access-control-allow-origin"] in ("*", tracing["Origin"])
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    preflight = each_profile.send("OPTIONS", "/Immunization/x", **asked)
    assert preflight.status in (200, 204)
    assert "PUT" in preflight.headers["access-control-allow-methods"]


@pytest.mark.parametrize("prefer", ["code=401", "code=400", "code=403"])
def test_any_documented_outcome_is_given_when_asked_for(each_profile: Server, prefer: str) -> None:
    forced = each_profile.send("POST", "/Immunization", record(), Prefer=prefer)
    assert forced.status == int(prefer.removeprefix("code="))
    assert forced.headers["preference-applied"] == prefer
    assert forced.json["resourceType"] == "OperationOutcome"
    assert forced.json["issue"][0]["diagnostics"]


@pytest.mark.parametrize("prefer", ["code=999", "code=x", "example=nope", "fault=nope", "return=minimal"])
def test_a_preference_that_is_not_known_is_ignored(each_profile: Server, prefer: str) -> None:
    answer = each_profile.send("GET", "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22", Prefer=prefer)
    assert answer.status == 200
    assert "preference-applied" not in answer.headers


def test_a_scenario_that_the_operation_does_not_have_is_refused(each_profile: Server) -> None:
    seeded = "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22"
    assert each_profile.send("GET", seeded, X_Mocksandbox_Scenario="read-forbidden-vaccine").status == 403
    misspelt = each_profile.send("GET", seeded, X_Mocksandbox_Scenario="read-forbidden-vacine")
    assert misspelt.status == 400
    assert misspelt.headers["x-mocksandbox-rules"] == "http/unknown-scenario"
    (issue,) = misspelt.json["issue"]
    assert (
        "no scenario 'read-forbidden-vacine' of readImmunization. Did you mean 'read-forbidden-vaccine'?"
        in issue["diagnostics"]
    )
    assert issue["expression"] == ["http.X-Mocksandbox-Scenario"]
    assert each_profile.send("GET", seeded, X_Mocksandbox_Scenario="create-valid").status == 400
    assert each_profile.send("GET", "/nowhere", X_Mocksandbox_Scenario="create-valid").status == 404


def test_a_status_without_a_scenario_has_words_too(each_profile: Server) -> None:
    forced = each_profile.send("PUT", "/Immunization/x", record(), Prefer="code=400")
    assert forced.status == 400
    issue = forced.json["issue"][0]
    assert issue["code"] != "not-found"
    assert issue["diagnostics"]


def test_one_issue_for_each_finding_when_asked_for(integration: Server) -> None:
    body = record()
    body.update(primarySource="yes", lotNumber=5)
    together = integration.send("POST", "/Immunization", body)
    split = integration.send("POST", "/Immunization", body, Prefer="outcome=split")
    assert (together.status, split.status) == (400, 400)
    assert len(together.json["issue"]) == 1
    named = [issue["expression"] for issue in split.json["issue"]]
    assert ["Immunization.lotNumber"] in named
    assert ["Immunization.primarySource"] in named
    assert sorted(place for places in named for place in places) == sorted(together.json["issue"][0]["expression"])


def test_parallel_runs_have_records_of_their_own(integration: Server) -> None:
    sent = record()
    assert integration.send("POST", "/Immunization", sent, X_Mocksandbox_Tenant="one").status == 201
    assert integration.send("POST", "/Immunization", sent, X_Mocksandbox_Tenant="two").status == 201
    assert integration.send("POST", "/Immunization", sent, X_Mocksandbox_Tenant="one").status == 422
    assert integration.send("POST", "/Immunization", sent, Authorization="Bearer supplier:EMIS@three").status == 201
    assert integration.send("POST", "/Immunization", sent, Authorization="Bearer supplier:EMIS@three").status == 422


def test_a_search_finds_what_was_created(integration: Server) -> None:
    sent = record()
    patient = next(part for part in sent["contained"] if part["resourceType"] == "Patient")
    number = patient["identifier"][0]["value"]
    tenant = str(uuid4())
    assert integration.send("POST", "/Immunization", sent, X_Mocksandbox_Tenant=tenant).status == 201
    asked = f"patient.identifier={quote(f'https://fhir.nhs.uk/Id/nhs-number|{number}')}&-immunization.target=COVID"
    by_get = integration.send("GET", f"/Immunization?{asked}", X_Mocksandbox_Tenant=tenant)
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-Mocksandbox-Tenant": tenant}
    by_post = integration.send("POST", "/Immunization/_search", asked.encode(), **form)
    for reply in (by_get, by_post):
        assert reply.status == 200, reply.body
        assert reply.json["type"] == "searchset"
        found = [
            entry["resource"]["identifier"][0]["value"] for entry in reply.json["entry"] if entry["search"]["mode"] == "match"
        ]
        assert found == [sent["identifier"][0]["value"]]
