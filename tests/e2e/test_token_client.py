"""A real OAuth client against the server: it signs its own assertions, gets a token and works with records."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import time
from typing import Any

import httpx
import pytest
from authlib.integrations.base_client.errors import OAuthError  # type: ignore[import-untyped]
from authlib.oauth2.rfc7523 import PrivateKeyJWT  # type: ignore[import-untyped]
from flask import Flask
from joserfc.jwk import RSAKey

from mocksandbox import create_app
from mocksandbox.providers.nhs import BASE_PATH, provider
from mocksandbox.server.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # authlib prefers the successor of httpx, and warns when it is imported
    from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]

ORIGIN = "http://sandbox.example:8080"
ENDPOINT = f"{ORIGIN}/oauth2/token"
RECORDS = f"{ORIGIN}{BASE_PATH}/Immunization"
API_KEY, KID = "an-api-key", "test-1"


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": KID})


@pytest.fixture
def app(tmp_path: Path, key: RSAKey) -> Flask:
    """A server that asks for tokens, with one client of the supplier RAVS."""
    entry = {"supplier": "RAVS", "keys": {"keys": [key.as_dict(private=False)]}}
    path = tmp_path / "clients.yaml"
    path.write_text(json.dumps({"clients": {API_KEY: entry}}))
    return create_app(Settings(auth="token", auth_files={"clients": path}, strict=True))


def client_of(app: Flask, key: RSAKey, **claims: Any) -> OAuth2Client:
    """authlib's client, set up as the NHS asks: RS512, a kid, and an assertion that ends within five minutes."""
    client = OAuth2Client(
        API_KEY,
        key,
        token_endpoint=ENDPOINT,
        token_endpoint_auth_method="private_key_jwt",
        grant_type="client_credentials",
        transport=httpx.WSGITransport(app=app.wsgi_app),
        headers={"Accept": "application/fhir+json"},
    )
    client.register_client_auth_method(PrivateKeyJWT(ENDPOINT, claims=claims, headers={"kid": KID}, alg="RS512"))
    return client


@pytest.fixture
def client(app: Flask, key: RSAKey) -> Iterator[OAuth2Client]:
    with client_of(app, key, exp=int(time()) + 240) as opened:
        yield opened


@pytest.fixture
def record() -> dict[str, Any]:
    opened = provider()
    assert opened.valid is not None
    made: dict[str, Any] = opened.valid("createImmunization").request.json()
    return made


def post(client: OAuth2Client, record: dict[str, Any]) -> httpx.Response:
    answer: httpx.Response = client.post(RECORDS, json=record, headers={"Content-Type": "application/fhir+json"})
    return answer


def test_a_client_gets_a_token_and_creates_and_reads_a_record(client: OAuth2Client, record: dict[str, Any]) -> None:
    token = client.fetch_token(ENDPOINT)
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == "599"
    assert token["expires_at"] - time() == pytest.approx(599, abs=5)
    created = post(client, record)
    assert created.status_code == 201
    read = client.get(created.headers["Location"])
    assert (read.status_code, read.headers["E-Tag"]) == (200, "1")
    assert read.json()["identifier"] == record["identifier"]


def test_each_token_request_needs_a_new_assertion(client: OAuth2Client) -> None:
    client.fetch_token(ENDPOINT)
    # This client keeps the jti of its first assertion (authlib writes it into the claims that it was given).
    with pytest.raises(OAuthError, match=r"Non-unique jti .* sign a new one with a new jti"):
        client.fetch_token(ENDPOINT)


def test_the_hour_that_authlib_gives_an_assertion_is_too_long_and_the_error_says_so(app: Flask, key: RSAKey) -> None:
    with client_of(app, key) as client, pytest.raises(OAuthError, match=r"more than 5 minutes in future.*libraries often"):
        client.fetch_token(ENDPOINT)


def test_a_key_that_the_server_does_not_know_gets_no_token(app: Flask) -> None:
    stranger = RSAKey.generate_key(2048, {"kid": KID})
    with client_of(app, stranger, exp=int(time()) + 240) as client:
        with pytest.raises(OAuthError, match="JWT signature verification failed") as caught:
            client.fetch_token(ENDPOINT)
        assert caught.value.error == "public_key error"


def test_a_token_ends_and_a_new_one_is_taken(app: Flask, key: RSAKey, client: OAuth2Client, record: dict[str, Any]) -> None:
    client.fetch_token(ENDPOINT)
    clock = app.extensions["mocksandbox"]["nhs"].clock
    clock.move(timedelta(seconds=600))
    refused = post(client, record)
    assert refused.status_code == 401
    assert refused.json()["issue"][0]["details"]["coding"][0]["code"] == "SEND_UNAUTHORIZED"
    with client_of(app, key, exp=int(time()) + 600 + 240) as later:
        later.fetch_token(ENDPOINT)
        assert post(later, record).status_code == 201


def test_without_a_token_nobody_is_let_in_but_a_supplier_by_its_short_form(app: Flask) -> None:
    with httpx.Client(transport=httpx.WSGITransport(app=app.wsgi_app)) as plain:
        assert plain.get(f"{RECORDS}/nothing").status_code == 401
        assert plain.get(f"{RECORDS}/nothing", headers={"Authorization": "Bearer supplier:RAVS"}).status_code == 404


def test_a_token_gives_the_rights_of_its_supplier_and_no_others(
    app: Flask, client: OAuth2Client, record: dict[str, Any]
) -> None:
    bcg = [{"coding": [{"system": "http://snomed.info/sct", "code": "56717001"}]}]
    record["protocolApplied"][0]["targetDisease"] = bcg
    client.fetch_token(ENDPOINT)
    refused = post(client, record)
    assert refused.status_code == 403
    assert refused.json()["issue"][0]["diagnostics"] == "Unauthorized request for vaccine type"
