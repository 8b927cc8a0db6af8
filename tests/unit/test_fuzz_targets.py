"""Targets: URLs, applications in process, what is refused before anything is sent, and what comes back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from mocksandbox.errors import TargetError, UsageError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz import Step, UrlTarget
from mocksandbox.fuzz.guard import allow, is_loopback
from mocksandbox.fuzz.in_process import AsgiTarget, WsgiTarget, load_app
from mocksandbox.fuzz.secrets import Secret, secret_from, secret_header
from mocksandbox.fuzz.storm import FAILURES, KEPT_OUT, Storm
from mocksandbox.fuzz.transport import RAISED, UNSENT, Authorised, reach
from mocksandbox.provider import open_provider

REQUEST = Request("POST", "/a%20b", (("x", "1"), ("x", "ü&")), Headers([("X-One", "1"), ("Content-Type", "text/x")]), b"body")


@contextmanager
def server(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    made = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}/base"
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        super().setup()
        Echo.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = f"{self.path} {self.headers.get('X-One')} ".encode() + body
        self.send_response(301)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: Any) -> None:
        return


class Hangs(Echo):
    def do_POST(self) -> None:
        threading.Event().wait(1)


class Drops(Echo):
    def do_POST(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


def test_a_url_gets_the_request_as_it_is_over_one_connection_and_redirects_are_answers() -> None:
    Echo.connections = 0
    with server(Echo) as url:
        target = UrlTarget(url)
        steps = [target.send(REQUEST) for _ in range(3)]
        target._close()
    answers = [step.response for step in steps]
    assert all(answer is not None and answer.status == 301 for answer in answers)
    assert answers[0] is not None
    assert answers[0].body == b"/base/a%20b?x=1&x=%C3%BC%26 1 body"
    assert steps[0].request.base_url == url
    assert Echo.connections == 1


@pytest.mark.parametrize(("handler", "failure"), [(Hangs, "timeout"), (Drops, "RemoteDisconnected ConnectionResetError")])
def test_no_answer_is_a_failure_of_the_step(handler: type[BaseHTTPRequestHandler], failure: str) -> None:
    with server(handler) as url:
        step = UrlTarget(url, timeout=0.2).send(REQUEST)
    assert step.response is None
    assert step.failure in failure.split()


@pytest.mark.parametrize("bad", [Request("GET", "/é"), Request("GET", "/", headers=Headers([("X", "a\nb")]))])
def test_what_http_cannot_write_is_not_sent(bad: Request) -> None:
    for target in (UrlTarget("http://127.0.0.1:1"), WsgiTarget(lambda *_: []), AsgiTarget(lambda *_: None)):
        assert target.send(bad).failure.startswith(UNSENT)


def test_an_exchange_that_is_stopped_leaves_nothing_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(_: HTTPConnection) -> None:
        raise KeyboardInterrupt

    with server(Echo) as url:
        target = UrlTarget(url)
        with monkeypatch.context() as during:
            during.setattr(HTTPConnection, "getresponse", pressed)
            with pytest.raises(KeyboardInterrupt):
                target.send(REQUEST)
        answer = target.send(REQUEST).response
        target._close()
    assert answer is not None, "what was under way is done with"


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://x", "http://", "http://x:99999", "http://x/?q=1", "http://[::1"])
def test_what_is_no_url_is_told(url: str) -> None:
    with pytest.raises(UsageError, match="is not a URL"):
        UrlTarget(url)


def test_a_target_that_does_not_answer_at_the_start_is_told() -> None:
    with pytest.raises(TargetError, match="does not answer: ConnectionRefusedError"):
        reach(UrlTarget("http://127.0.0.1:1"), REQUEST)


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    if environ["PATH_INFO"].endswith("/crash"):
        raise KeyError("x")
    start_response("201 Made", [("X-Path", environ["PATH_INFO"]), ("X-Query", environ["QUERY_STRING"])])
    return [environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)), environ["HTTP_X_ONE"].encode()]


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"].endswith("/crash"):
        raise KeyError("x")
    message = await receive()
    headers = [(b"X-Path", scope["path"].encode()), (b"X-Query", scope["query_string"])]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": message["body"], "more_body": True})
    await send({"type": "http.response.body", "body": dict(scope["headers"])[b"x-one"]})


@pytest.mark.parametrize("target", [WsgiTarget(wsgi, "http://app.invalid/base"), AsgiTarget(asgi, "http://app.invalid/base")])
def test_an_application_in_process_gets_what_a_server_would_give_it(target: Any) -> None:
    step: Step = target.send(REQUEST)
    assert step.response == Response(201, step.response.headers if step.response else Headers(), b"body1"), step.failure
    assert step.response is not None
    assert step.response.headers["X-Path"] == "/base/a b"
    assert step.response.headers["X-Query"] == "x=1&x=%C3%BC%26"
    assert target.send(Request("GET", "/crash")).failure == f"{RAISED} KeyError"


def test_applications_are_found_by_name() -> None:
    assert isinstance(load_app("tests.unit.test_fuzz_targets:wsgi"), WsgiTarget)
    assert isinstance(load_app("tests.unit.test_fuzz_targets:asgi"), AsgiTarget)
    assert isinstance(load_app("tests.mutants.target:Target()", "/x"), WsgiTarget)


@pytest.mark.parametrize("name", ["nowhere:app", "json", "json:nothing", "json:__name__", ":"])
def test_an_application_that_there_is_not_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="MODULE:APP"):
        load_app(name)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "[::1]"])
def test_loopback_needs_no_leave(host: str) -> None:
    assert allow(f"http://{host}:8080/x", (), confirmed=False)


@pytest.mark.parametrize(
    ("url", "hosts", "confirmed", "told"),
    [
        ("https://api.example.org/x", (), True, "--allow-host api.example.org --yes"),
        ("https://api.example.org/x", ("other.example.org",), True, "--allow-host"),
        ("https://api.example.org/x", ("api.example.org",), False, "add --yes"),
        ("https://api.service.nhs.uk/x", ("api.service.nhs.uk",), True, "production"),
        ("https://API.Service.NHS.uk./x", ("api.service.nhs.uk",), True, "production"),
        ("https://api.redoxengine.com/x", ("api.redoxengine.com",), True, "production"),
        ("https://api.clinikapi.com/x", ("api.clinikapi.com",), True, "production"),
        ("http://127.0.0.1.example.org/x", (), False, "is not this machine"),
        ("http://localhost@example.org/x", (), False, "is not this machine"),
        ("no url", (), False, "is not a URL"),
    ],
)
def test_other_hosts_are_refused(url: str, hosts: tuple[str, ...], confirmed: bool, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        allow(url, hosts, confirmed=confirmed)


def test_a_test_environment_may_be_allowed() -> None:
    assert not allow("https://int.api.service.nhs.uk/x", ("INT.api.service.nhs.uk",), confirmed=True)
    assert not is_loopback("example.org")


def test_a_secret_goes_into_every_request_that_has_none_of_its_own_and_into_no_report() -> None:
    sent: list[Request] = []

    class Kept:
        name, base_url = "kept", "http://kept.invalid"

        def send(self, request: Request) -> Step:
            sent.append(request)
            return Step(request, Response(200))

    target = Authorised(Kept(), Secret("Authorization", "Bearer s3cret"))
    step = target.send(Request("GET", "/"))
    target.send(Request("GET", "/", headers=Headers([("authorization", "broken")])))
    assert [each.headers["Authorization"] for each in sent] == ["Bearer s3cret", "broken"]
    assert "Authorization" not in step.request.headers


def test_the_secret_is_read_from_the_environment_and_stands_for_the_example_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "clk_live_x")
    clinikapi = open_provider("clinikapi")
    assert secret_header(clinikapi).lower() == "x-api-key"
    assert secret_header(open_provider("nhs")) == "Authorization"
    secret = secret_from("env:TOKEN", clinikapi)
    assert clinikapi.valid is not None
    request = clinikapi.valid("readImmunization").request
    assert secret(request).headers["x-api-key"] == "clk_live_x"
    assert secret(request.with_header("x-api-key", "broken")).headers["x-api-key"] == "broken"
    assert "clk_live_x" not in repr(secret)


@pytest.mark.parametrize("auth", ["TOKEN", "env:", "env:NOT_SET", "file:x"])
def test_a_secret_that_is_not_there_is_told(auth: str) -> None:
    with pytest.raises(UsageError, match="env:VAR"):
        secret_from(auth, open_provider("nhs"))


def answered(status: int) -> Step:
    return Step(Request("GET", "/"), Response(status) if status else None)


def test_a_target_that_fails_whatever_it_is_asked_stops_the_campaign() -> None:
    storm = Storm(lambda: answered(503), pauses=(0, 0))
    assert [bool(storm.gone(answered(500))) for _ in range(FAILURES)] == [False, False, True]
    assert "whatever" in Storm(lambda: answered(0), pauses=(0,), failed=FAILURES - 1).gone(answered(0))


def test_a_target_that_is_merely_wrong_goes_on() -> None:
    storm = Storm(lambda: answered(201), pauses=(0,))
    assert not any(storm.gone(answered(500)) for _ in range(50))
    assert not any(storm.gone(answered(status)) for status in (500, 500, 400) * 20)


def test_a_target_that_lets_nobody_in_stops_the_campaign() -> None:
    storm = Storm(lambda: answered(401), pauses=(0,))
    assert "--auth" in [storm.gone(answered(401)) for _ in range(KEPT_OUT)][-1]
    assert not any(Storm(lambda: answered(200)).gone(answered(403)) for _ in range(50))
