"""For those who want no socket: requests and httpx, sync and async, against the sandbox in the process."""

from __future__ import annotations

import sys

import pytest

from mocksandbox.consumer.options import Options
from mocksandbox.consumer.plugged import Plugged
from mocksandbox.errors import UsageError
from tests.plugin.conftest import Run

pytest_plugins = ["pytester"]

NO_SERVER = """
import pytest

@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    import socketserver
    def refuse(*_, **__):
        raise AssertionError("a server was started")
    monkeypatch.setattr(socketserver.TCPServer, "__init__", refuse)
"""


def test_requests_and_httpx_need_no_server(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(NO_SERVER)
    result = run("""
        import asyncio
        import httpx
        import pytest
        import requests
        from mocksandbox.consumer.difference import differences

        FHIR = {"Content-Type": "application/fhir+json"}
        ID = "12a33650-6f94-4e8f-a971-1c5c41da5b22"

        def test_requests(nhs_sandbox, payloads):
            body = payloads.body("nhs")
            with nhs_sandbox.session() as session:
                made = session.post(nhs_sandbox.local_url + "/Immunization", json=body, headers=FHIR)
                assert (made.status_code, made.reason) == (201, "Created")
                assert made.headers["location"].startswith(nhs_sandbox.local_url)
                assert session.get(made.headers["Location"]).json()["lotNumber"] == body["lotNumber"]
            nhs_sandbox.assert_called("createImmunization", times=1, json={"lotNumber": body["lotNumber"]})

        def test_own_session(nhs_sandbox):
            with requests.Session() as session:
                session.mount("https://api.example/", nhs_sandbox.requests_adapter())
                url = "https://api.example" + nhs_sandbox.provider.base_path
                assert session.get(f"{url}/Immunization/{ID}").status_code == 200

        def test_httpx(nhs_sandbox, payloads):
            with nhs_sandbox.client() as client:
                assert client.post("/Immunization", json=payloads.body("nhs"), headers=FHIR).status_code == 201
                assert client.get(f"/Immunization/{ID}").headers["e-tag"] == "1"

        def test_async(nhs_sandbox, payloads):
            async def both():
                async with nhs_sandbox.async_client() as client:
                    created = client.post("/Immunization", json=payloads.body("nhs"), headers=FHIR)
                    return await asyncio.gather(created, client.get(f"/Immunization/{ID}"))
            assert [answer.status_code for answer in asyncio.run(both())] == [201, 200]

        def test_wsgi(nhs_sandbox):
            with httpx.Client(transport=httpx.WSGITransport(app=nhs_sandbox.app), base_url=nhs_sandbox.local_url) as client:
                assert client.get(f"/Immunization/{ID}").status_code == 200

        def test_swallowed(nhs_sandbox, payloads):
            with nhs_sandbox.client() as client:
                client.post("/Immunization", json={**payloads.body("nhs"), "status": "complete"}, headers=FHIR)
    """)
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["*test_swallowed*", "*[[]nhs/bad-status]*"])


def test_faults_are_raised_as_each_library_raises_them(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(NO_SERVER)
    result = run("""
        import asyncio
        import httpx
        import pytest
        import requests

        URL = "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22"

        @pytest.mark.parametrize(("fault", "expected"), [
            ("reset", requests.ConnectionError),
            ("truncate", requests.exceptions.ChunkedEncodingError),
            ("latency:150ms", requests.ReadTimeout),
        ])
        def test_requests(nhs_sandbox, fault, expected):
            nhs_sandbox.fault(fault.replace("150ms", "20s"))
            with nhs_sandbox.session() as session:
                with pytest.raises(expected):
                    session.get(nhs_sandbox.local_url + URL, timeout=0.1)
                assert session.get(nhs_sandbox.local_url + URL, timeout=(1, 1)).status_code == 200

        FAULTS = [("reset", httpx.ReadError), ("truncate", httpx.RemoteProtocolError), ("latency:150ms", httpx.ReadTimeout)]

        @pytest.mark.parametrize(("fault", "expected"), FAULTS)
        def test_httpx(nhs_sandbox, fault, expected):
            nhs_sandbox.fault(fault)
            with nhs_sandbox.client(timeout=0.1) as client:
                with pytest.raises(expected):
                    client.get(URL)
                assert client.get(URL).status_code == 200

        @pytest.mark.parametrize(("fault", "expected"), FAULTS)
        def test_async(nhs_sandbox, fault, expected):
            async def ask():
                async with nhs_sandbox.async_client(timeout=0.1) as client:
                    await client.get(URL)
            nhs_sandbox.fault(fault)
            with pytest.raises(expected):
                asyncio.run(ask())

        def test_others_go_on_meanwhile(nhs_sandbox):
            async def both():
                order = []
                async def ask(name):
                    await client.get(URL)
                    order.append(name)
                async with nhs_sandbox.async_client(timeout=30) as client:
                    await asyncio.gather(ask("late"), ask("prompt"))
                return order
            nhs_sandbox.fault("latency:300ms")
            assert asyncio.run(both()) == ["prompt", "late"]

        def test_wsgi(nhs_sandbox):
            nhs_sandbox.fault("reset")
            with pytest.raises(ConnectionResetError):
                httpx.Client(transport=httpx.WSGITransport(app=nhs_sandbox.app), base_url=nhs_sandbox.local_url).get(URL)
    """)
    result.assert_outcomes(passed=11)


def test_the_same_answers_as_over_the_socket(run: Run) -> None:
    result = run("""
        import httpx
        import pytest

        FHIR = {"Content-Type": "application/fhir+json"}
        PERSON = "https://fhir.nhs.uk/Id/nhs-number%7C9449310475"
        SENT = [
            ("GET", "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22", b"", {}),
            ("GET", "/Immunization/a%20b", b"", {}),
            ("GET", f"/Immunization?patient.identifier={PERSON}&-immunization.target=FLU", b"", {}),
            ("POST", "/Immunization", b'{"resourceType": "Immunization", "x": "\\xc3\\xa9"}', FHIR),
            ("POST", "/Immunization", b"{", FHIR),
            ("DELETE", "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22", b"", {}),
            ("GET", "/_ping", b"", {"X-Request-ID": "60E0B220-8136-4CA5-AE46-1D97EF59D068"}),
        ]
        OWN = ("date", "server", "connection", "content-length")

        @pytest.mark.mocksandbox(strict="off")
        def test_it(nhs_sandbox):
            with httpx.Client(base_url=nhs_sandbox.url) as far:
                over = [far.request(m, p, content=b, headers=h) for m, p, b, h in SENT]
            nhs_sandbox.reset()
            with nhs_sandbox.client() as near:
                inside = [near.request(m, p, content=b, headers=h) for m, p, b, h in SENT]
            for one, other in zip(over, inside):
                assert one.status_code == other.status_code, one.url
                names = [{name for name in answer.headers if name not in OWN} for answer in (one, other)]
                assert names[0] == names[1]
                if one.status_code < 300 and "Bundle" not in one.text:
                    assert one.text.replace(nhs_sandbox.url, "") == other.text.replace(nhs_sandbox.local_url, "")
    """)
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("package", "ask"),
    [
        ("httpx", "client"),
        ("httpx", "async_client"),
        ("httpx", "httpx_transport"),
        ("requests", "session"),
        ("requests", "requests_adapter"),
    ],
)
def test_a_client_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, package: str, ask: str) -> None:
    view = Plugged(Options()).shared("nhs")
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "mocksandbox.consumer.httpx_transport", raising=False)
    monkeypatch.delitem(sys.modules, "mocksandbox.consumer.requests_adapter", raising=False)
    with pytest.raises(UsageError, match=f"needs {package} .*: pip install {package}$"):
        getattr(view, ask)()
