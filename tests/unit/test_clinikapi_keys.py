"""ClinikAPI's keys: the file, who is let in, whose records they see, and how many requests they have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mocksandbox.errors import ContractError, UsageError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import AuthOptions, open_provider
from mocksandbox.providers.clinikapi import account
from mocksandbox.providers.clinikapi.account import Rate, Windows
from mocksandbox.providers.clinikapi.authority import authority
from mocksandbox.providers.clinikapi.keys import read_keys
from mocksandbox.providers.clinikapi.promise import FOLDER
from mocksandbox.sandbox import Sandbox
from mocksandbox.server.app import create_app
from mocksandbox.server.settings import Settings

BODY = {"status": "completed", "vaccineCode": "140", "patientId": "pt_demo0001"}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def sandbox(mode: str = "token", **files: Path) -> Sandbox:
    return Sandbox(open_provider("clinikapi"), auth=AuthOptions(mode, files), strict=True)


def ask(box: Sandbox, key: str | None, method: str = "GET", path: str = "/immunizations", body: Any = None) -> Response:
    pairs = [("Content-Type", "application/json"), *([("x-api-key", key)] if key is not None else [])]
    text = b"" if body is None else json.dumps(body).encode()
    answer = box.handle(Request(method, path, headers=Headers(pairs), body=text))
    entry = box.journal.last()
    assert entry is not None
    assert not entry.bugs, entry.bugs
    return answer


def code_of(answer: Response) -> tuple[int, str]:
    return answer.status, answer.json().get("code", "")


@pytest.mark.parametrize(
    ("key", "with_token", "without"),
    [
        (None, (401, "UNAUTHORIZED"), (200, "")),
        ("abc", (401, "INVALID_KEY_FORMAT"), (401, "INVALID_KEY_FORMAT")),
        ("", (401, "INVALID_KEY_FORMAT"), (401, "INVALID_KEY_FORMAT")),
        ("clk_test_nobody", (401, "INVALID_KEY"), (200, "")),
        ("clk_test_revoked", (401, "KEY_REVOKED"), (401, "KEY_REVOKED")),
        ("clk_test_expired", (401, "KEY_EXPIRED"), (401, "KEY_EXPIRED")),
        ("clk_test_noscope", (403, "FORBIDDEN"), (403, "FORBIDDEN")),
        ("clk_test_reader", (200, ""), (200, "")),
        ("clk_live_mocksandbox", (200, ""), (200, "")),
    ],
)
def test_a_key_is_told_what_is_wrong_with_it(key: str | None, with_token: Any, without: Any) -> None:
    assert code_of(ask(sandbox("token"), key)) == with_token
    assert code_of(ask(sandbox("off"), key)) == without


def test_a_key_that_may_only_read_may_not_write() -> None:
    box = sandbox()
    assert code_of(ask(box, "clk_test_reader", "POST", body=BODY)) == (403, "FORBIDDEN")
    assert ask(box, "clk_test_mocksandbox", "POST", body=BODY).status == 201


def test_a_key_expires_when_its_time_has_come() -> None:
    box = sandbox()
    box.clock.set(datetime(2024, 12, 31, 23, 59, 58, tzinfo=UTC), freeze=True)
    assert ask(box, "clk_test_expired").status == 200
    box.clock.set(datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC), freeze=True)
    assert code_of(ask(box, "clk_test_expired")) == (401, "KEY_EXPIRED")


def test_another_organisations_records_are_not_there() -> None:
    box = sandbox()
    id = ask(box, "clk_test_neighbour", "POST", body=BODY).json()["data"]["id"]
    path = f"/immunizations/{id}"
    assert ask(box, "clk_test_neighbour", path=path).status == 200
    for method, body in (("GET", None), ("PATCH", {"note": "mine"}), ("DELETE", None)):
        assert code_of(ask(box, "clk_test_mocksandbox", method, path, body)) == (404, "NOT_FOUND")
    ours = ask(box, "clk_test_mocksandbox").json()["data"]["data"]
    theirs = ask(box, "clk_test_neighbour").json()["data"]["data"]
    assert {record["meta"]["tag"][0]["code"] for record in ours} == {"org_abc123"}
    assert {record["meta"]["tag"][0]["code"] for record in theirs} == {"org_def456"}
    assert id in [record["id"] for record in theirs]


def limits(answer: Response) -> list[int]:
    return [int(answer.headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")]


def test_a_window_is_used_up_and_begins_again() -> None:
    box = sandbox()
    box.clock.set(NOON, freeze=True)
    assert [limits(ask(box, "clk_test_limited")) for _ in range(3)] == [[3, 2, 60], [3, 1, 60], [3, 0, 60]]
    box.clock.set(NOON + timedelta(seconds=45), freeze=True)
    refused = ask(box, "clk_test_limited")
    assert code_of(refused) == (429, "RATE_LIMITED")
    assert limits(refused) == [3, 0, 15]
    assert refused.headers["Retry-After"] == "15"
    assert ask(box, "clk_test_mocksandbox").status == 200
    box.clock.set(NOON + timedelta(seconds=60), freeze=True)
    assert limits(ask(box, "clk_test_limited")) == [3, 2, 60]


def test_without_a_limit_the_headers_are_there_all_the_same() -> None:
    box = sandbox("off")
    for answer in (ask(box, None), ask(box, None, path="/nowhere"), ask(box, "abc"), ask(box, None, "POST", body={})):
        assert limits(answer) == [500, 499, 3600]


def test_a_window_is_not_fooled_by_a_clock_that_is_set_back() -> None:
    windows, rate = Windows(), Rate(1, 60)
    assert windows.count("", "a", rate, NOON)[1] is False
    assert windows.count("", "a", rate, NOON)[1] is True
    assert windows.count("", "a", rate, NOON - timedelta(days=1))[1] is False


def test_each_tenant_has_windows_of_its_own_which_a_reset_begins_again() -> None:
    windows, rate = Windows(), Rate(1, 60)
    one, other = (partial(windows.count, tenant, "a", rate) for tenant in ("one", "other"))
    assert [one(NOON)[1], one(NOON)[1]] == [False, True]
    assert other(NOON - timedelta(days=1))[1] is False
    assert one(NOON)[1] is True, "another tenant's clock begins no window"
    windows.forget("one")
    assert [one(NOON)[1], other(NOON - timedelta(days=1))[1]] == [False, True]
    windows.forget(None)
    assert [one(NOON)[1], other(NOON)[1]] == [False, False]


def test_the_tenants_that_are_counted_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "MOST_TENANTS", 2)
    windows, rate = Windows(), Rate(1, 60)
    told = [windows.count(tenant, "a", rate, NOON)[1] for tenant in ("one", "two", "one", "three", "one", "two")]
    assert told == [False, False, True, False, True, False]


def test_over_http_a_limit_is_a_tenants_and_a_reset_gives_it_back() -> None:
    client = create_app(Settings(("clinikapi",), auth="token")).test_client()
    path = f"{open_provider('clinikapi').base_path}/immunizations"

    def read(tenant: str) -> int:
        return client.get(f"/tenants/{tenant}{path}", headers={"x-api-key": "clk_test_limited"}).status_code

    assert [read("a") for _ in range(4)] == [200, 200, 200, 429]
    assert [read("b") for _ in range(4)] == [200, 200, 200, 429]
    client.post("/__mocksandbox/reset?tenant=b")
    assert [read("a"), read("b")] == [429, 200]
    client.post("/__mocksandbox/reset")
    assert [read("a"), read("b")] == [200, 200]


def test_a_file_of_keys_replaces_the_providers_own(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(
        "organization: org_ours\nrateLimit: {requests: 1, seconds: 10}\nsearchLag: 10\n"
        "keys:\n  clk_test_own: {scopes: [immunizations:read, immunizations:write]}\n"
        "  clk_test_free: {scopes: [immunizations:read], rateLimit: null, expires: 2030-01-01T00:00:00Z}\n",
        "utf-8",
    )
    box = sandbox("token", clients=path)
    box.clock.set(NOON, freeze=True)
    made = ask(box, "clk_test_own", "POST", body=BODY)
    assert made.json()["data"]["meta"]["tag"][0]["code"] == "org_ours"
    assert code_of(ask(box, "clk_test_own")) == (429, "RATE_LIMITED")
    assert code_of(ask(box, "clk_test_mocksandbox")) == (401, "INVALID_KEY")
    assert ask(box, "clk_test_free").json()["data"]["total"] == 0
    box.clock.set(NOON + timedelta(seconds=10), freeze=True)
    assert ask(box, "clk_test_free").json()["data"]["total"] == 1


def test_a_file_of_another_apis_clients_leaves_the_own_keys(tmp_path: Path) -> None:
    path = tmp_path / "clients.json"
    path.write_text(json.dumps({"clients": {}}), "utf-8")
    assert ask(sandbox("token", clients=path), "clk_test_mocksandbox").status == 200
    path.write_text(json.dumps({"clients": {}, "keys": {"clk_test_own": {"scopes": ["immunizations:read"]}}}), "utf-8")
    both = sandbox("token", clients=path)
    assert ask(both, "clk_test_own").status == 200
    assert code_of(ask(both, "clk_test_mocksandbox")) == (401, "INVALID_KEY")


@pytest.mark.parametrize(
    ("table", "pointer"),
    [
        ({"key": {}}, "/key"),
        ({"keys": []}, "/keys"),
        ({"keys": {"abc": {"scopes": []}}}, "/keys/abc"),
        ({"keys": {"clk_test_a": None}}, "/keys/clk_test_a"),
        ({"keys": {"clk_test_a": {}}}, "/keys/clk_test_a/scopes"),
        ({"keys": {"clk_test_a": {"scopes": ["all"]}}}, "/keys/clk_test_a/scopes"),
        ({"keys": {"clk_test_a": {"scopes": [], "owner": "me"}}}, "/keys/clk_test_a/owner"),
        ({"keys": {"clk_test_a": {"scopes": [], "revoked": "yes"}}}, "/keys/clk_test_a/revoked"),
        ({"keys": {"clk_test_a": {"scopes": [], "expires": "soon"}}}, "/keys/clk_test_a/expires"),
        ({"keys": {"clk_test_a": {"scopes": [], "expires": 5}}}, "/keys/clk_test_a/expires"),
        ({"keys": {"clk_test_a": {"scopes": [], "organization": ""}}}, "/keys/clk_test_a/organization"),
        ({"keys": {"clk_test_a": {"scopes": [], "rateLimit": 5}}}, "/keys/clk_test_a/rateLimit"),
        ({"rateLimit": {"requests": 0, "seconds": 1}}, "/rateLimit/requests"),
        ({"rateLimit": {"requests": 1}}, "/rateLimit"),
        ({"searchLag": -1}, "/searchLag"),
        ({"searchLag": True}, "/searchLag"),
    ],
)
def test_a_mistake_in_a_file_of_keys_is_told_with_its_place(tmp_path: Path, table: Mapping[str, Any], pointer: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(table), "utf-8")
    with pytest.raises(ContractError) as told:
        read_keys(path)
    assert told.value.pointer == pointer


def test_the_own_file_is_right_and_an_unknown_mode_is_not() -> None:
    file = read_keys(FOLDER / "keys.yaml")
    assert {key.partition("_")[2].partition("_")[0] for key in file.keys} == {"live", "test"}
    assert (file.rate, file.lag) == (None, 0)
    with pytest.raises(UsageError, match="off, token"):
        authority(replace(AuthOptions(), mode="basic"))
