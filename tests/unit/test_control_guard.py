"""The control API is not for web pages, and nothing that it is sent makes it fail."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocksandbox.server.app import create_app
from mocksandbox.server.hosts import host_of, is_here
from mocksandbox.server.settings import Settings

CONTROL = "/__mocksandbox"
FULL = os.environ.get("MOCKSANDBOX_FULL") == "1"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app().test_client()


@pytest.mark.parametrize(
    ("netloc", "host", "here"),
    [
        ("localhost", "localhost", True),
        ("LOCALHOST.:80", "LOCALHOST.", True),
        ("127.0.0.1:8080", "127.0.0.1", True),
        ("127.9.9.9", "127.9.9.9", True),
        ("[::1]:8080", "::1", True),
        ("[::1", "::1", True),
        ("evil.example:8080", "evil.example", False),
        ("localhost.evil.example", "localhost.evil.example", False),
        ("10.0.0.1", "10.0.0.1", False),
        ("", "", False),
    ],
)
def test_hosts_are_read_and_known(netloc: str, host: str, here: bool) -> None:
    assert host_of(netloc) == host
    assert is_here(host) is here


@pytest.mark.parametrize(
    ("headers", "status", "place"),
    [
        ({}, 200, ""),
        ({"Host": "127.0.0.1:8080"}, 200, ""),
        ({"Host": "localhost:8080", "Origin": "http://localhost:8080"}, 200, ""),
        ({"Host": "rebound.example:8080"}, 403, "http.Host"),
        ({"Host": "localhost:8080", "Origin": "http://evil.example"}, 403, "http.Origin"),
        ({"Host": "localhost:8080", "Origin": "null"}, 403, "http.Origin"),
        ({"Host": "localhost:8080", "Origin": "http://localhost:9999"}, 403, "http.Origin"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/health"), ("GET", "/journal"), ("POST", "/reset")])
def test_a_page_of_another_site_is_kept_out(
    client: FlaskClient, method: str, path: str, headers: dict[str, str], status: int, place: str
) -> None:
    answer = client.open(CONTROL + path, method=method, headers=headers)
    assert answer.status_code == status
    if status == 403:
        (issue,) = answer.get_json(force=True)["issue"]
        assert issue["expression"] == [place]


def test_a_server_for_others_is_reached_by_any_name() -> None:
    client = create_app(Settings(loopback=False)).test_client()
    assert client.get(f"{CONTROL}/health", headers={"Host": "sandbox.team.example"}).status_code == 200
    assert client.get(f"{CONTROL}/health", headers={"Host": "a.example", "Origin": "http://b.example"}).status_code == 403


ROUTES = ("health", "scenarios", "journal", "journal/near-misses", "faults", "clock", "records", "seed", "reset", "snapshot")
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
NAMES = st.sampled_from(
    ("provider", "tenant", "status", "rule", "since", "limit", "bodies", "fault", "set", "move", "freeze", "records", "times",
     "operation", "share", "kind", "nhs", "journal", "clock", "version", "count", "id", "body")
) | st.text(max_size=8)  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.heavy
@settings(max_examples=20_000 if FULL else 300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(METHODS),
    st.sampled_from(ROUTES) | st.text(max_size=12),
    st.dictionaries(NAMES, st.text(max_size=10) | st.sampled_from(("nhs", "1", "4xx", "", "-1", "9" * 30)), max_size=3),
    VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40),
    st.sampled_from(("application/json", "application/fhir+json", "text/plain", "", "application/json; charset=utf-16")),
)
def test_whatever_it_is_sent_it_answers(
    client: FlaskClient, method: str, route: str, query: dict[str, str], body: bytes, media_type: str
) -> None:
    path = f"{CONTROL}/{quote(route)}"
    given_query: dict[str, Any] = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
    answer = client.open(path, method=method, query_string=given_query, data=body, content_type=media_type)
    assert answer.status_code < 500, (method, path, query, body, answer.text)
    if answer.status_code >= 400 and method != "HEAD":
        (issue,) = answer.get_json(force=True)["issue"]
        assert issue["diagnostics"], "a refusal says what to do"
