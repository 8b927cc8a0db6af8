"""ClinikAPI over HTTP: a record's life, pages, keys, and the published sample."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from mocksandbox.provider import Scenario
from mocksandbox.providers.clinikapi import provider
from tests.e2e.live import Reply, Server, fetch, serving

PROFILES = ("integration", "documented", "sandbox")
SCENARIOS = [scenario for scenario in provider().scenarios if scenario.forced]
BY_REQUEST = [scenario for scenario in provider().scenarios if not scenario.forced]


@pytest.fixture(scope="module", params=PROFILES)
def each_profile(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that asks for keys, in each profile."""
    with serving("--profile", request.param, "--strict", "--auth", "token", provider="clinikapi") as server:
        yield server
        assert bugs(server) == []


@pytest.fixture(scope="module")
def integration() -> Iterator[Server]:
    """A server that lets everybody in."""
    with serving("--strict", provider="clinikapi") as server:
        yield server
        assert bugs(server) == []


def bugs(server: Server) -> list[Any]:
    """What the server's own answers broke, but for those that were asked for."""
    entries = json.loads(fetch(server.url, "GET", "/__mocksandbox/journal", None, {}).body)["entries"]
    assert entries
    return [entry["bugs"] for entry in entries if entry.get("bugs") and not entry["scenario"]]


def send(server: Server, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """One request, as a client of this API makes it."""
    pairs = {name.replace("_", "-"): value for name, value in headers.items()}
    pairs.setdefault("x-api-key", "clk_test_mocksandbox")
    if body is not None:
        pairs.setdefault("Content-Type", "application/json")
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return fetch(server.base, method, path, body, pairs)


def example(name: str) -> Any:
    return provider().contract.operation("createImmunization").bodies["application/json"].examples[name]


@pytest.mark.parametrize("profile", ["integration", "documented"])
def test_a_record_lives_and_is_deleted(profile: str) -> None:
    with serving("--profile", profile, "--strict", "--auth", "token", provider="clinikapi") as server:
        created = send(server, "POST", "/immunizations", example("full"))
        assert created.status == 201, created.body
        made = created.json["data"]
        path = f"/immunizations/{made['id']}"
        assert created.headers["location"] == server.base + path
        assert created.json["meta"]["status"] == 201
        assert created.json["meta"]["requestId"] == created.headers["x-request-id"]

        read = send(server, "GET", path)
        assert (read.status, read.json["data"]) == (200, made)
        assert read.headers["etag"] == 'W/"1"'

        change = {"status": "not-done", "statusReason": "Patient declined", "note": "Wrong visit."}
        sent = {"Content_Type": "application/json-patch+json", "If_Match": 'W/"1"'}
        changed = send(server, "PATCH", path, change, **sent)
        assert changed.status == 200, changed.body
        now = changed.json["data"]
        assert (now["status"], now["statusReason"]["text"], now["note"]) == (
            "not-done",
            "Patient declined",
            [{"text": "Wrong visit."}],
        )
        assert (now["meta"]["versionId"], now["lotNumber"]) == ("2", made["lotNumber"])
        conflict = send(server, "PATCH", path, change, **sent)
        assert (conflict.status, conflict.json["code"]) == (409, "CONFLICT")

        deleted = send(server, "DELETE", path)
        assert (deleted.status, deleted.body) == (204, b"")
        assert "x-ratelimit-limit" in deleted.headers
        for method, body in (("GET", None), ("PATCH", change), ("DELETE", None)):
            gone = send(server, method, path, body)
            assert (gone.status, gone.json["code"]) == (404, "NOT_FOUND")


def test_the_sandbox_profile_forgets() -> None:
    with serving("--profile", "sandbox", provider="clinikapi") as server:
        created = send(server, "POST", "/immunizations", example("minimal"))
        assert created.status == 201
        assert send(server, "GET", f"/immunizations/{created.json['data']['id']}").status == 404


def test_what_the_sdk_sends_is_understood(each_profile: Server) -> None:
    sent = {"Content_Type": "application/fhir+json", "Accept": "application/fhir+json"}
    for name in ("full", "typical", "minimal", "coded", "named", "notDone"):
        created = send(each_profile, "POST", "/immunizations", example(name), **sent)
        assert created.status == 201, created.body
        assert created.json["data"]["resourceType"] == "Immunization"
        assert created.json["data"]["status"] == example(name)["status"]


def test_the_published_sample_is_refused_for_its_missing_status(each_profile: Server) -> None:
    refused = send(each_profile, "POST", "/immunizations", example("asPrinted"))
    assert (refused.status, refused.json["code"]) == (422, "VALIDATION_ERROR")
    (issue,) = refused.json["issues"]
    assert issue["diagnostics"].startswith("status: ")
    assert send(each_profile, "POST", "/immunizations", {**example("asPrinted"), "status": "completed"}).status == 201


def test_a_list_is_walked_page_by_page(integration: Server) -> None:
    tenant = {"X_Mocksandbox_Tenant": str(uuid4())}
    made = [send(integration, "POST", "/immunizations", example("minimal"), **tenant).json["data"]["id"] for _ in range(25)]
    found: list[str] = []
    cursor, pages = "", 0
    while True:
        query = f"?cursor={cursor}" if cursor else ""
        page = send(integration, "GET", f"/immunizations{query}", **tenant).json["data"]
        found += [record["id"] for record in page["data"]]
        pages += 1
        assert page["total"] == len(made) + 3
        if not page["hasMore"]:
            assert "cursor" not in page
            break
        cursor = page["cursor"]
    assert (pages, found[3:]) == (2, made)
    assert len(send(integration, "GET", "/immunizations?count=100", **tenant).json["data"]["data"]) == 28


def test_a_search_filters(integration: Server) -> None:
    tenant = {"X_Mocksandbox_Tenant": str(uuid4())}
    send(integration, "POST", "/immunizations", example("typical"), **tenant)
    send(integration, "POST", "/immunizations", example("notDone"), **tenant)
    query = "?patientId=pt_demo0001&status=completed&vaccineCode=140&dateFrom=2025-01-01&dateTo=2025-01-31"
    (found,) = send(integration, "GET", f"/immunizations{query}", **tenant).json["data"]["data"]
    assert found["lotNumber"] == example("typical")["lotNumber"]
    assert send(integration, "GET", f"/immunizations{query}", Prefer="search-lag=10", **tenant).json["data"]["data"] == []


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("clk_prod_abc", 401, "INVALID_KEY_FORMAT"),
        ("clk_test_nobody", 401, "INVALID_KEY"),
        ("clk_test_revoked", 401, "KEY_REVOKED"),
        ("clk_test_expired", 401, "KEY_EXPIRED"),
        ("clk_test_reader", 403, "FORBIDDEN"),
    ],
)
def test_keys_are_told_apart(each_profile: Server, key: str, status: int, code: str) -> None:
    refused = send(each_profile, "POST", "/immunizations", example("minimal"), x_api_key=key)
    assert (refused.status, refused.json["code"]) == (status, code)
    assert refused.json["issues"][0]["diagnostics"].startswith("x-api-key: ")


def test_a_key_is_needed_and_has_so_many_requests(each_profile: Server) -> None:
    nobody = fetch(each_profile.base, "GET", "/immunizations", None, {})
    assert (nobody.status, nobody.json["code"]) == (401, "UNAUTHORIZED")
    told = [send(each_profile, "GET", "/immunizations", x_api_key="clk_test_limited") for _ in range(4)]
    assert [reply.status for reply in told] == [200, 200, 200, 429]
    assert [reply.headers["x-ratelimit-remaining"] for reply in told] == ["2", "1", "0", "0"]
    assert told[0].json["meta"]["rateLimitTotal"] == 3
    assert told[3].json["code"] == "RATE_LIMITED"
    assert 0 < int(told[3].headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("429:7", 429, "RATE_LIMITED"), ("500", 500, "INTERNAL_ERROR"), ("timeout-after-write", 504, "TIMEOUT")],
)
def test_faults_speak_this_apis_language(integration: Server, fault: str, status: int, code: str) -> None:
    failed = send(integration, "POST", "/immunizations", example("minimal"), Prefer=f"fault={fault}")
    assert (failed.status, failed.json["code"]) == (status, code)
    assert failed.json["issues"]
    assert failed.headers.get("retry-after") == ("7" if status == 429 else None)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_a_scenario_is_given_when_it_is_asked_for(integration: Server, scenario: Scenario) -> None:
    assert provider().valid is not None
    request = provider().valid(scenario.operation).request  # type: ignore[misc]
    headers = {**request.headers, "X-Mocksandbox-Scenario": scenario.id}
    forced = fetch(integration.base, request.method, request.path, request.body or None, headers)
    assert (forced.status, forced.json["code"]) == (scenario.documented.status, scenario.documented.error)


@pytest.mark.parametrize("scenario", BY_REQUEST, ids=lambda scenario: scenario.id)
def test_a_scenarios_request_brings_it_about(each_profile: Server, scenario: Scenario) -> None:
    assert provider().valid is not None
    recipe, request = scenario.request, provider().valid(scenario.operation).request  # type: ignore[misc]
    path, text = recipe.get("path", request.path), recipe.get("raw", request.body.decode())
    query = urlencode([tuple(pair) for pair in recipe.get("query", request.query)])
    body: Any = json.loads(text) if recipe.keys() & {"with", "without"} else None
    for (member,), value in recipe.get("with", ()):
        body[member] = value
    for (member,) in recipe.get("without", ()):
        del body[member]
    sent = (json.dumps(body) if body is not None else text).encode()
    headers = {**request.headers, **recipe.get("headers", {}), "X-Mocksandbox-Tenant": str(uuid4())}
    got = fetch(each_profile.base, request.method, f"{path}{'?' if query else ''}{query}", sent or None, headers)
    assert got.status == scenario.documented.status, got.body
    assert not scenario.documented.error or got.json["code"] == scenario.documented.error
    assert all(name.lower() in got.headers for name in scenario.documented.headers)


def test_every_documented_status_has_a_scenario() -> None:
    for operation in provider().contract.operations:
        documented = {int(status) for status in operation.answers}
        shown = {scenario.documented.status for scenario in provider().scenarios if scenario.operation == operation.id}
        assert documented - shown <= {413}, operation.id  # of any HTTP API; the create shows it
