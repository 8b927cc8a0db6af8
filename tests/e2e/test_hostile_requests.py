"""Requests that no client should send: each is refused with a reason, and the server goes on."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from mocksandbox.providers.nhs import provider
from tests.e2e.live import FHIR_JSON, Reply, Server, fetch

FORM = "application/x-www-form-urlencoded"
RECORD = "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22"
SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"
GOOD = provider().valid("createImmunization").request.body  # type: ignore[misc]


@dataclass(frozen=True)
class Hostile:
    name: str
    method: str = "POST"
    path: str = "/Immunization"
    body: bytes | None = GOOD
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": FHIR_JSON})


def bad_body(name: str, body: bytes) -> Hostile:
    return Hostile(f"body-{name}", body=body)


def changed(name: str, **elements: Any) -> Hostile:
    return Hostile(f"element-{name}", body=json.dumps({**json.loads(GOOD), **elements}).encode())


def bad_path(name: str, path: str, method: str = "GET") -> Hostile:
    return Hostile(f"path-{name}", method, path, None, {})


def bad_headers(name: str, **headers: str) -> Hostile:
    return Hostile(f"header-{name}", headers={key.replace("_", "-"): value for key, value in headers.items()})


def bad_search(name: str, query: str) -> Hostile:
    return Hostile(f"query-{name}", "GET", f"/Immunization?{query}", None, {})


def bad_form(name: str, body: bytes, media_type: str = FORM) -> Hostile:
    return Hostile(f"form-{name}", "POST", "/Immunization/_search", body, {"Content-Type": media_type})


DEEP = 100_000
HOSTILE = (
    bad_body("truncated", GOOD[:-2]),
    bad_body("cut-in-half", GOOD[: len(GOOD) // 2]),
    bad_body("trailing-comma", b'{"resourceType": "Immunization",}'),
    bad_body("two-values", b"{} {}"),
    bad_body("not-utf-8", b'{"resourceType": "\xff\xfe"}'),
    bad_body("utf-16", GOOD.decode().encode("utf-16")),
    bad_body("lone-surrogate", b'{"resourceType": "\\ud800"}'),
    bad_body("byte-order-mark", b"\xef\xbb\xbf[]"),
    bad_body("nul-bytes", b"\x00" * 64),
    bad_body("nan", b'{"resourceType": "Immunization", "doseQuantity": {"value": NaN}}'),
    bad_body("infinity", b'{"resourceType": "Immunization", "doseQuantity": {"value": 1e999}}'),
    bad_body("nested-lists", b"[" * DEEP + b"]" * DEEP),
    bad_body("nested-objects", b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    bad_body("endless-number", b'{"x": ' + b"9" * 5000 + b"}"),
    bad_body("duplicate-keys", b'{"resourceType": "Immunization", "resourceType": "Patient"}'),
    bad_body("array", b"[]"),
    bad_body("null", b"null"),
    bad_body("string", b'"Immunization"'),
    bad_body("number", b"17"),
    bad_body("true", b"true"),
    bad_body("xml", b"<Immunization xmlns='http://hl7.org/fhir'/>"),
    bad_body("form", b"resourceType=Immunization"),
    bad_body("gzip", b"\x1f\x8b\x08\x00" + b"\x00" * 32),
    bad_body("empty-object", b"{}"),
    bad_body("other-resource", b'{"resourceType": "Patient"}'),
    bad_body("too-large", b'{"resourceType": "' + b"x" * (6 * 1024 * 1024) + b'"}'),
    Hostile("body-none", body=None, headers={"Content-Type": FHIR_JSON}),
    Hostile("body-empty", body=b"", headers={"Content-Type": FHIR_JSON}),
    changed("contained-is-text", contained="Pat1"),
    changed("contained-of-nulls", contained=[None, None]),
    changed("identifier-is-object", identifier={"system": "x", "value": "y"}),
    changed("status-is-list", status=["completed"]),
    changed("extension-of-lists", extension=[[[]]]),
    changed("resource-type-is-null", resourceType=None),
    bad_path("unknown", "/Observation"),
    bad_path("empty-id", "/Immunization/"),
    bad_path("extra-segment", f"{RECORD}/history"),
    bad_path("traversal", "/Immunization/..%2f..%2fetc%2fpasswd"),
    bad_path("percent-nul", "/Immunization/%00"),
    bad_path("not-utf-8", "/Immunization/%ff%fe"),
    bad_path("long-id", "/Immunization/" + "a" * 5000),
    bad_path("underscore", "/Immunization/a_b"),
    bad_path("unknown-id", "/Immunization/6d3e1d6e-0001-4a0e-8e70-000000000000"),
    bad_path("delete-bad-id", "/Immunization/a%20b", "DELETE"),
    bad_path("patch", RECORD, "PATCH"),
    bad_path("trace", RECORD, "TRACE"),
    bad_path("invented-method", RECORD, "BREW"),
    bad_path("delete-all", "/Immunization", "DELETE"),
    bad_path("put-all", "/Immunization", "PUT"),
    Hostile("path-post-to-item", path=RECORD),
    bad_headers("accept-xml", Content_Type=FHIR_JSON, Accept="application/fhir+xml"),
    bad_headers("accept-nonsense", Content_Type=FHIR_JSON, Accept="//;;q=x"),
    Hostile("header-etag-missing", "PUT", RECORD),
    Hostile("header-etag-text", "PUT", RECORD, headers={"Content-Type": FHIR_JSON, "E-Tag": "abc"}),
    Hostile("header-etag-huge", "PUT", RECORD, headers={"Content-Type": FHIR_JSON, "E-Tag": "9" * 5000}),
    bad_search("nothing", ""),
    bad_search("bad-number", f"patient.identifier={SYSTEM}%7C9000000008&-immunization.target=FLU"),
    bad_search("bad-date", f"patient.identifier={SYSTEM}%7C9000000009&-immunization.target=FLU&-date.from=yesterday"),
    bad_search("twice", f"patient.identifier={SYSTEM}%7C9000000009&-immunization.target=FLU&-immunization.target=COVID"),
    bad_search("bad-percent", "patient.identifier=%ff%zz&-immunization.target=%00"),
    bad_search("identifier-no-system", "identifier=12345"),
    bad_search("long", "identifier=" + "x" * 8000),
    bad_form("empty", b""),
    bad_form("json", b"{}", FHIR_JSON),
    bad_form("not-utf-8", b"patient.identifier=\xff\xfe&-immunization.target=\x80"),
    bad_form("multipart", b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
)
# The document's schema does not speak of these; the service's own rules do.
SERVICE_REFUSES = (
    changed("date-impossible", occurrenceDateTime="2021-02-31T00:00:00+00:00"),
    changed("date-year-zero", recorded="0000-01-01"),
    changed("unknown-element", hacked=True),
)
MEDIA_TYPES = {"absent": None, "text": "text/plain", "garbage": "a/b/c;;=", "xml": "application/fhir+xml"}


def refused(reply: Reply) -> dict[str, Any]:
    """The issue of a refusal, which is an OperationOutcome with an error code and a text."""
    assert 400 <= reply.status < 500, (reply.status, reply.body[:300])
    outcome = reply.json
    assert outcome["resourceType"] == "OperationOutcome"
    issue: dict[str, Any] = outcome["issue"][0]
    assert issue["severity"] == "error"
    assert issue["code"]
    assert issue["details"]["coding"][0]["code"]
    assert issue["diagnostics"].strip()
    assert "Traceback" not in issue["diagnostics"]
    return issue


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_is_refused_with_a_reason_and_the_next_request_answered(each_profile: Server, hostile: Hostile) -> None:
    refused(fetch(each_profile.base, hostile.method, hostile.path, hostile.body, hostile.headers))
    read = each_profile.send("GET", RECORD)
    assert read.status == 200, read.body[:300]


@pytest.mark.parametrize("hostile", SERVICE_REFUSES, ids=lambda hostile: hostile.name)
def test_the_service_refuses_more_than_its_document(integration: Server, hostile: Hostile) -> None:
    assert refused(fetch(integration.base, hostile.method, hostile.path, hostile.body, hostile.headers))["expression"]


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_a_media_type_is_wrong_only_where_the_document_rules(name: str) -> None:
    """The service itself does not look at the media type of a create (observed); its document does."""
    from mocksandbox.exchange import Headers, Request
    from mocksandbox.sandbox import Sandbox

    sent = MEDIA_TYPES[name]
    headers = Headers([("Content-Type", sent)] if sent else [])
    request = Request("POST", "/Immunization", (), headers, GOOD)
    assert Sandbox(provider(), "documented").handle(request).status == 415
    assert Sandbox(provider(), "integration").handle(request).status == 201


@pytest.mark.parametrize(
    "raw",
    [
        b"NOT HTTP AT ALL\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"a" * 1_000_000 + b"\r\n\r\n",
    ],
    ids=["words", "half-a-line", "negative-length", "short-body", "bad-chunk", "tls", "long-header"],
)
def test_what_is_not_http_does_not_stop_the_server(integration: Server, raw: bytes) -> None:
    parts = urlsplit(integration.url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), 5) as connection:
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(5)
            said = connection.recv(4096)
        except OSError:
            said = b""
    assert not said.startswith(b"HTTP/1.1 5"), said[:100]
    assert integration.send("GET", RECORD).status == 200
