"""The Redox mock over a live server: the printed examples, tokens, updates, searches, the queue, answers, leniency."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc.jwk import RSAKey

from mocksandbox.contract import Contract
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import open_provider
from mocksandbox.sandbox import replay
from tests.e2e.conftest import PROFILES
from tests.e2e.live import Reply, Server, fetch, serving

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # authlib prefers the successor of httpx, and warns when it is imported
    from authlib.integrations.base_client.errors import OAuthError  # type: ignore[import-untyped]
    from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]
    from authlib.oauth2.rfc7523 import PrivateKeyJWT  # type: ignore[import-untyped]

FORM = "application/x-www-form-urlencoded"
PRINTED = {
    "Immunization": "ef9228951b3ff9dbe01dc3b57cc66be927ffa2ae064396d40cb650a7c8b01696",
    "Encounter": "02183636e9feb1f61415afda754c4bdbac7878198fb930aa262ce2fa2594333d",
}
"""SHA-256 of the payloads as the pages print them, as JSON with sorted keys and no spaces."""

PATIENT = "urn:redox:health-one:MR|0000000001"


def contract() -> Contract:
    return open_provider("redox").contract


def printed(kind: str) -> dict[str, Any]:
    example: dict[str, Any] = contract().at(f"/components/examples/{kind}AsPrinted/value")
    return deepcopy(example)


def path(kind: str, operation: str = "$write", place: str = "redox-fhir-sandbox/Development") -> str:
    return f"/{place}/{kind}/{operation}"


def write(server: Server, kind: str, message: Any, place: str = "redox-fhir-sandbox/Development", **headers: str) -> Reply:
    return server.send("POST", path(kind, place=place), message, **headers)


def search(server: Server, kind: str, place: str = "redox-fhir-sandbox/Development", **asked: str) -> Reply:
    form = urlencode({name.replace("__", "."): value for name, value in asked.items()}).encode()
    return server.send("POST", path(kind, "_search", place), form, Content_Type=FORM)


def control(server: Server, method: str, route: str, body: Any = None) -> Any:
    sent = None if body is None else json.dumps(body).encode()
    answer = fetch(server.url, method, f"/__mocksandbox{route}", sent, {"Content-Type": "application/json"})
    assert answer.status == 200, answer.body
    return answer.json


def bugs(server: Server) -> list[Any]:
    return [entry["bugs"] for entry in control(server, "GET", "/journal")["entries"] if entry["bugs"]]


def log(server: Server, queue: str) -> list[dict[str, Any]]:
    """The deliveries of a queue, oldest first."""
    records = control(server, "POST", "/snapshot")["records"]
    return [record["body"] for record in records if record["kind"] == "Delivery" and record["body"]["queue"] == queue]


@pytest.fixture(scope="module", params=PROFILES)
def each(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving("--profile", request.param, "--strict", provider="redox") as server:
        yield server


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with serving("--strict", provider="redox") as server:
        yield server


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """A server as new, and without a bug at the end."""
    control(running, "POST", "/reset")
    yield running
    assert bugs(running) == []


@pytest.mark.parametrize("kind", PRINTED)
def test_the_examples_are_those_of_the_pages(kind: str) -> None:
    plain = json.dumps(printed(kind), sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(plain.encode()).hexdigest() == PRINTED[kind]


@pytest.mark.parametrize("kind", PRINTED)
def test_each_printed_example_is_answered_as_printed(each: Server, kind: str) -> None:
    answer = write(each, kind, printed(kind))
    assert (answer.status, answer.body) == (200, b'"Operation Response"')
    assert bugs(each) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_every_scenario_is_answered_as_documented(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whether a target remembers is asked with the operations of another API; here no scenario needs a record first.
    monkeypatch.setattr(replay, "target_remembers", lambda *_: False)
    provider = open_provider("redox")
    with serving("--profile", profile, provider="redox") as server:

        def send(request: Request) -> Response:
            reply = fetch(server.base, request.method, request.path, request.body, dict(request.headers.pairs))
            return Response(reply.status, Headers(reply.headers.items()), reply.body)

        outcomes = list(replay.replay(provider, send, provider.scenarios))
    assert len(outcomes) > 70
    assert [(each.scenario.id, each.why) for each in outcomes if each.verdict != replay.OK] == []


def test_the_same_identifier_again_is_an_update_and_never_a_conflict(server: Server) -> None:
    message = printed("Immunization")
    first = write(server, "Immunization", message, Prefer="answer=transaction-response").json
    message["entry"][1]["resource"]["lotNumber"] = "CHANGED"
    second = write(server, "Immunization", message, Prefer="answer=transaction-response").json
    created, updated = (each["entry"][0]["response"] for each in (first, second))
    assert (created["status"], updated["status"]) == ("201 Created", "200 OK")
    assert created["location"].endswith("/_history/1")
    assert updated["location"] == created["location"].removesuffix("1") + "2"
    assert created["location"].startswith(f"{server.base}/redox-fhir-sandbox/Development/Immunization/")
    found = search(server, "Immunization", patient__identifier=PATIENT).json
    assert found["total"] == 1
    assert found["entry"][0]["resource"]["lotNumber"] == "CHANGED"
    assert found["entry"][0]["resource"]["meta"]["versionId"] == "2"


def test_the_same_identifier_in_another_environment_is_another_record(server: Server) -> None:
    for place in ("sample-clinic/Development", "sample-clinic/Staging"):
        answer = write(server, "Encounter", printed("Encounter"), place, Prefer="answer=transaction-response")
        assert answer.json["entry"][0]["response"]["status"] == "201 Created"
        assert search(server, "Encounter", place).json["total"] == 1
    assert search(server, "Encounter", "sample-clinic/Production").json["total"] == 0


def test_a_destination_is_called_by_its_slug_or_its_id(server: Server) -> None:
    write(server, "Immunization", printed("Immunization"), "8d2a4b1e-0f6b-4f65-9a52-5b4de7c7a012/Staging")
    assert search(server, "Immunization", "sample-clinic/Staging").json["total"] == 1


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"patient__identifier": PATIENT}, 1),
        ({"patient__identifier": "0000000001"}, 1),
        ({"patient__identifier": "urn:redox:health-one:MR|"}, 2),
        ({"patient__identifier": "urn:other|0000000001"}, 0),
        ({"patient": "Patient/RedoxPatientExampleTimothy"}, 1),
        ({"patient": "RedoxPatientExampleTimothyMinimal"}, 1),
        ({"patient": "Patient/nobody"}, 0),
        ({"date": "2022"}, 1),
        ({"date": "2022-02-07"}, 1),
        ({"date": "ge2022-02-08"}, 1),
        ({"date": "ge2022-02-08", "status": "not-done"}, 0),
        ({"date": "lt2022-02-07"}, 0),
        ({"status": "completed"}, 2),
        ({"status": "not-done,entered-in-error"}, 0),
    ],
)
def test_a_search_finds_what_was_written_and_what_was_there(server: Server, asked: dict[str, str], found: int) -> None:
    write(server, "Immunization", printed("Immunization"))
    answer = search(server, "Immunization", **asked)
    assert (answer.status, answer.json["total"]) == (200, found)


def test_a_search_of_encounters_looks_at_their_periods(server: Server) -> None:
    write(server, "Encounter", printed("Encounter"))
    assert search(server, "Encounter", patient__identifier=PATIENT, date="2022-02-06").json["total"] == 1
    assert search(server, "Encounter", patient__identifier=PATIENT, date="2022-02-07").json["total"] == 0


def test_each_of_the_three_answers_can_be_asked_for(server: Server) -> None:
    message = printed("Immunization")
    plain = write(server, "Immunization", message, Prefer="answer=operation-response").json
    taken = write(server, "Immunization", message, Prefer="answer=message").json
    placed = write(server, "Immunization", message, Prefer="answer=transaction-response").json
    assert plain == "Operation Response"
    header = taken["entry"][0]["resource"]
    assert (taken["type"], header["resourceType"]) == ("message", "MessageHeader")
    assert header["response"] == {"identifier": "RedoxMessageHeaderExample", "code": "ok"}
    assert header["destination"] == [{"endpoint": message["entry"][0]["resource"]["source"]["endpoint"]}]
    assert placed["type"] == "transaction-response"


def test_a_message_without_ids_is_answered_under_a_new_one(server: Server) -> None:
    minimal = contract().at("/components/examples/EncounterMinimal/value")
    header = write(server, "Encounter", minimal, Prefer="answer=message").json["entry"][0]["resource"]
    assert len(header["response"]["identifier"]) == 36


def without_code(kind: str) -> dict[str, Any]:
    message = printed(kind)
    del message["entry"][0]["resource"]["eventCoding"]["code"]
    return message


def test_a_message_is_read_leniently_where_it_asks_or_its_destination_does(server: Server) -> None:
    message = without_code("Immunization")
    strict = write(server, "Immunization", message)
    assert (strict.status, strict.headers["x-mocksandbox-rules"]) == (400, "redox/missing-event-code")
    assert write(server, "Immunization", message, Prefer="handling=lenient", Content_Type="application/json").status == 200
    registry = "sample-state-registry/Production"
    assert write(server, "Immunization", message, registry).status == 200
    assert write(server, "Immunization", message, registry, Prefer="handling=strict").status == 400


def test_read_leniently_an_encounter_needs_no_patient_and_an_immunization_does(server: Server) -> None:
    for kind, status in (("Encounter", 200), ("Immunization", 400)):
        message = printed(kind)
        del message["entry"][2]
        assert write(server, kind, message).status == 400
        assert write(server, kind, message, Prefer="handling=lenient").status == status


def test_leniency_takes_no_wrong_event(server: Server) -> None:
    message = printed("Immunization")
    message["entry"][0]["resource"]["eventCoding"]["code"] = "Encounter-New"
    refused = write(server, "Immunization", message, Prefer="handling=lenient")
    assert refused.json["issue"][0]["expression"] == ["Bundle.entry[0].resource.eventCoding.code"]


def test_the_queue_waits_for_a_destination_that_fails_and_the_log_tells_it(server: Server) -> None:
    control(server, "PUT", "/clock", {"set": "2026-01-01T10:00:00Z", "freeze": True})
    place = "failing-sandbox/Development"
    first, second = printed("Immunization"), printed("Immunization")
    second["entry"][1]["resource"]["identifier"][0]["value"] = "second"
    for message in (first, second):
        assert write(server, "Immunization", message, place).status == 200
    one, two = log(server, place)
    assert [each["outcome"] for each in one["tries"]] == ["failed", "failed", "delivered"]
    assert [each["at"][11:19] for each in one["tries"]] == ["10:00:00", "10:00:15", "10:00:45"]
    assert (one["outcome"], one["delivered"]) == ("retried", "2026-01-01T10:00:45.000Z")
    assert two["tries"][0]["at"] == one["delivered"], "the second waits for the first"
    counts = []
    for move in ("PT0S", "PT45S", "PT45S"):
        control(server, "PUT", "/clock", {"move": move})
        counts.append(search(server, "Immunization", place).json["total"])
    assert counts == [0, 1, 2], "queued is not written"


def test_a_destination_that_never_takes_anything_pauses_its_queue(server: Server) -> None:
    place = "paused-sandbox/Development"
    for _ in range(2):
        assert write(server, "Encounter", printed("Encounter"), place).status == 200
    one, two = log(server, place)
    assert {each["outcome"] for each in one["tries"]} == {"failed"}
    assert (one["delivered"], one["outcome"]) == (None, "paused")
    assert (two["tries"], two["outcome"]) == ([], "paused")
    assert search(server, "Encounter", place).json["total"] == 0


def test_an_update_that_has_not_arrived_leaves_the_old_version_in_sight(server: Server) -> None:
    control(server, "PUT", "/clock", {"set": "2026-01-01T10:00:00Z", "freeze": True})
    place, message = "slow-sandbox/Development", printed("Immunization")
    write(server, "Immunization", message, place)
    control(server, "PUT", "/clock", {"move": "PT1M"})
    message["entry"][1]["resource"]["lotNumber"] = "NEWER"
    write(server, "Immunization", message, place)
    assert search(server, "Immunization", place).json["entry"][0]["resource"]["lotNumber"] == "AAJN11K"
    control(server, "PUT", "/clock", {"move": "PT30S"})
    assert search(server, "Immunization", place).json["entry"][0]["resource"]["lotNumber"] == "NEWER"


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_verb_is_forbidden(server: Server, verb: str) -> None:
    assert server.send(verb, path("Immunization")).status == 403


def test_a_refusal_names_every_place(server: Server) -> None:
    message = printed("Immunization")
    message["entry"][1]["resource"]["status"] = "done"
    message["entry"][2]["resource"]["gender"] = "M"
    del message["entry"][0]["resource"]["source"]
    refused = write(server, "Immunization", message)
    assert refused.status == 400
    assert {place for issue in refused.json["issue"] for place in issue["expression"]} == {
        "Bundle.entry[0].resource.source",
        "Bundle.entry[1].resource.status",
        "Bundle.entry[2].resource.gender",
    }


BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "a list": b"[]",
    "a number that is none": b'{"resourceType": "Bundle", "type": "message", "entry": [], "x": NaN}',
    "nested very deep": b'{"resourceType":"Bundle","entry":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested deep": b'{"resourceType":"Bundle","type":"message","entry":' + b'[{"a":' * 400 + b"1" + b"}]" * 400 + b"}",
    "a lone surrogate": b'{"resourceType": "\\ud800"}',
    "wrong types": b'{"resourceType": {}, "type": [], "entry": {"resource": 1}}',
    "entries of all sorts": b'{"resourceType":"Bundle","type":"message","entry":[null,1,"x",[],{},{"resource":[]}]}',
    "a type that is none": b'{"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":{}}}]}',
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("kind", PRINTED)
def test_no_body_makes_the_mock_fail(server: Server, kind: str, body: str) -> None:
    answer = server.send("POST", path(kind), BODIES[body], Content_Type="application/fhir+json")
    assert answer.status == 400, answer.body
    assert answer.json["resourceType"] == "OperationOutcome"


def test_only_made_up_social_security_numbers_pass_the_rail() -> None:
    message = printed("Encounter")
    with serving("--only-synthetic", provider="redox") as server:
        assert write(server, "Encounter", message).status == 200
        message["entry"][2]["resource"]["identifier"][1]["value"] = "219-09-9999"
        refused = write(server, "Encounter", message)
        assert refused.status == 403
        assert refused.json["issue"][0]["expression"] == ["Bundle.entry[2].resource.identifier[1].value"]
        assert b"219-09" not in refused.body


CLIENT, KID = "an-oauth-api-key", "key-1"


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": KID})


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, key: RSAKey) -> Iterator[Server]:
    """A server that asks for tokens, with one client that may send to the sandbox alone."""
    entry = {"destinations": ["redox-fhir-sandbox"], "keys": {"keys": [key.as_dict(private=False)]}}
    file: Path = tmp_path_factory.mktemp("clients") / "clients.json"
    file.write_text(json.dumps({"clients": {CLIENT: entry}}))
    with serving("--strict", "--auth", "token", "--clients", str(file), provider="redox") as server:
        yield server


def client_of(server: Server, key: RSAKey, **changes: Any) -> OAuth2Client:
    """authlib's client, set up as Redox asks: RS384, a kid, an assertion of five minutes."""
    endpoint = f"{server.url}/v2/auth/token"
    client = OAuth2Client(
        CLIENT, key, token_endpoint=endpoint, token_endpoint_auth_method="private_key_jwt", grant_type="client_credentials"
    )
    now = int(time())
    claims = {"iat": now, "exp": now + 300, **changes.get("claims", {})}
    headers = {"kid": KID} if changes.get("kid", True) else {}
    client.register_client_auth_method(
        PrivateKeyJWT(endpoint, claims=claims, headers=headers, alg=changes.get("alg", "RS384"))
    )
    return client


def post(client: httpx.Client, server: Server, place: str = "redox-fhir-sandbox/Development") -> httpx.Response:
    headers = {"Content-Type": "application/fhir+json"}
    return client.post(server.base + path("Immunization", place=place), json=printed("Immunization"), headers=headers)


def test_a_client_gets_a_token_and_writes(guarded: Server, key: RSAKey) -> None:
    with client_of(guarded, key) as client:
        token = client.fetch_token(client.metadata["token_endpoint"])
        assert (token["token_type"], token["expires_in"]) == ("Bearer", 300)
        assert post(client, guarded).status_code == 200
        refused = post(client, guarded, "sample-clinic/Development")
        assert (refused.status_code, refused.json()["issue"][0]["code"]) == (403, "forbidden")
    assert bugs(guarded) == []


def test_without_a_token_nobody_is_let_in(guarded: Server) -> None:
    missing = guarded.send("POST", path("Immunization"), printed("Immunization"))
    assert (missing.status, missing.headers["www-authenticate"]) == (401, "Bearer")
    unknown = guarded.send("POST", path("Immunization"), printed("Immunization"), Authorization="Bearer $API_TOKEN")
    assert (unknown.status, unknown.json["issue"][0]["code"]) == (401, "expired")
    assert fetch(guarded.base, "POST", "/nowhere/Development/Immunization/$write", b"{}", {}).status == 401


def test_a_token_ends_after_five_minutes(guarded: Server, key: RSAKey) -> None:
    with client_of(guarded, key) as client:
        client.fetch_token(client.metadata["token_endpoint"])
        control(guarded, "PUT", "/clock", {"move": "PT301S"})
        try:
            # Past authlib, which would not even send it.
            token = client.token["access_token"]
            refused = guarded.send("POST", path("Immunization"), printed("Immunization"), Authorization=f"Bearer {token}")
        finally:
            control(guarded, "DELETE", "/clock")
    assert refused.status == 401
    assert "get a new one" in refused.json["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"alg": "RS512"}, "Unexpected alg value"),
        ({"kid": False}, "JWT header kid property is required"),
        ({"claims": {"exp": int(time()) + 4000}}, "Unexpected exp claim value"),
        ({"claims": {"aud": "https://api.redoxengine.com/v2/auth/token"}}, "Unexpected aud claim value"),
        ({"claims": {"iss": "somebody-else"}}, "Unexpected sub claim value"),
    ],
)
def test_a_bad_assertion_is_refused_in_redox_own_words(
    guarded: Server, key: RSAKey, changes: dict[str, Any], says: str
) -> None:
    with client_of(guarded, key, **changes) as client, pytest.raises(OAuthError, match=says) as caught:
        client.fetch_token(client.metadata["token_endpoint"])
    assert caught.value.error == "invalid_request"


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "Missing grant_type parameter"),
        ({"grant_type": "password"}, "The grant_type parameter should equal 'client_credentials'"),
        ({"grant_type": "client_credentials"}, "Missing client assertion type"),
        ({"grant_type": "client_credentials", "client_assertion_type": "x"}, "Invalid client assertion type"),
        (
            {
                "grant_type": "client_credentials",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            },
            "Missing client assertion",
        ),
    ],
)
def test_a_bad_token_request_has_the_public_description(guarded: Server, form: dict[str, str], says: str) -> None:
    answer = fetch(guarded.url, "POST", "/v2/auth/token", urlencode(form).encode(), {"Content-Type": FORM})
    assert answer.status == 400
    assert answer.json["error_description"] == says
    assert set(answer.json) == {"error", "error_description", "error_uri"}


def test_a_token_request_is_a_form(guarded: Server) -> None:
    answer = fetch(guarded.url, "POST", "/v2/auth/token", b"{}", {"Content-Type": "application/json"})
    assert answer.json["error_description"] == "x-www-form-urlencoded content-type required"
