"""With two of xdist's workers everything is as with one process: each test's outcome and words, and all that is summed up."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import Run

pytest_plugins = ["pytester"]

SENT = """
import asyncio
import client
import pytest
import requests

ID = "12a33650-6f94-4e8f-a971-1c5c41da5b22"
SEEN = []

def broken(payloads):
    return {**payloads.body("nhs"), "status": "complete"}

@pytest.mark.parametrize("number", range(4))
def test_own(nhs_sandbox, payloads, number):
    SEEN.append(nhs_sandbox.url.partition("/tenants/")[0])
    assert len(set(SEEN)) == 1 and len(nhs_sandbox.journal) == 0
    assert client.create(nhs_sandbox.url, payloads.body("nhs")).status_code == 201
    nhs_sandbox.travel(days=400)
    nhs_sandbox.fault("500", times=None)
    assert client.search(nhs_sandbox.url).status_code == 500

def test_swallowed(nhs_sandbox, payloads):
    client.create(nhs_sandbox.url, broken(payloads))

def test_raised(nhs_sandbox, payloads):
    client.create(nhs_sandbox.url, broken(payloads)).raise_for_status()

@pytest.mark.mocksandbox(strict="warn")
@pytest.mark.filterwarnings("ignore::mocksandbox.pytest_plugin.ContractWarning")
def test_warned(nhs_sandbox, payloads):
    client.create(nhs_sandbox.url, broken(payloads))

def test_odd_characters(nhs_sandbox, payloads):
    odd = {"status": "\\ud800\\n\\x1b[31m", "\\udfff": 1}
    client.create(nhs_sandbox.url, {**payloads.body("nhs"), **odd})

def test_expected(nhs_sandbox, payloads):
    with nhs_sandbox.expect_violation("Immunization.status", rule="bad-status"):
        client.create(nhs_sandbox.url, broken(payloads))

@pytest.mark.mocksandbox(scenario="read-forbidden-vaccine")
def test_scenario(nhs_sandbox):
    assert client.read(nhs_sandbox.url, ID).status_code == 403

@pytest.mark.parametrize("fault", ["429", "timeout-after-write", "reset"])
def test_faults(nhs_sandbox, fault):
    nhs_sandbox.fault(fault)
    try:
        client.read(nhs_sandbox.url, ID)
    except requests.ConnectionError:
        assert fault == "reset"

def test_not_called_so(nhs_sandbox):
    client.read(nhs_sandbox.url, ID)
    nhs_sandbox.assert_called("readImmunization", times=2)

def test_stubs(nhs_sandbox, redox_sandbox):
    nhs_sandbox.stub("readImmunization", status=404)
    assert client.read(nhs_sandbox.url, ID).status_code == 404
    redox_sandbox.stub("immunizationWrite", status=400)

def test_in_the_process(nhs_sandbox, payloads):
    async def create():
        async with nhs_sandbox.async_client() as near:
            return await near.post("/Immunization", json=payloads.body("nhs"), headers=client.FHIR)
    assert asyncio.run(create()).status_code == 201

def test_duplicate(nhs_sandbox, payloads):
    body = payloads.body("nhs")
    assert [client.create(nhs_sandbox.url, body).status_code for _ in range(2)] == [201, 422]
"""

LATE = """
import threading
import time
import client

GO = threading.Event()
SENDING = []

def later(url, body, wait):
    def send():
        wait()
        client.create(url, body)
    SENDING.append(threading.Thread(target=send, daemon=True))
    SENDING[-1].start()

def test_soon(nhs_sandbox, payloads):
    later(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"}, lambda: time.sleep(0.1))

def test_late(nhs_sandbox, payloads):
    later(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"}, GO.wait)

def test_innocent(nhs_sandbox):
    client.search(nhs_sandbox.url)
    GO.set()
    for thread in SENDING:
        thread.join()
"""

OTHERS = """
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from mocksandbox import create_app
from mocksandbox.consumer import responses
from mocksandbox.server import Settings

@pytest.fixture(scope="session")
def mocksandbox_app():
    return create_app(Settings(providers=("clinikapi",)))

@pytest.mark.mocksandbox("clinikapi")
def test_provider(mocksandbox_check):
    mocksandbox_check()

@settings(max_examples=10, deadline=None, database=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=responses("clinikapi/readImmunization"))
def test_believes_too_much(clinikapi_sandbox, drawn):
    with clinikapi_sandbox.answering(drawn), clinikapi_sandbox.session() as session:
        assert session.get(clinikapi_sandbox.local_url + "/immunizations/imm_1").json()["data"]
"""

ASKED = (
    *("--mocksandbox-report", "coverage.json", "--mocksandbox-report", "coverage.html"),
    *("--mocksandbox-pact", "clinic.json", "--mocksandbox-har", "clinic.har", "--mocksandbox-min-coverage", "90"),
    *("--mocksandbox-late", "5", "--junit-xml", "junit.xml", "-k", "not test_provider or readImmunization"),
)
FAILED = {"test_swallowed", "test_raised", "test_odd_characters", "test_not_called_so", "test_soon", "test_believes_too_much"}


def same(text: str) -> str:
    """A text without what differs from run to run."""
    for pattern in (r"127\.0\.0\.1:\d+", r"/tenants/\w+", r"object at 0x\w+", r"[\d.]+ ?m?s\b"):
        text = re.sub(pattern, "…", text)
    return text


def told(folder: Path, result: pytest.RunResult) -> dict[str, Any]:
    """All that a session has said and written, in an order of its own."""
    text = result.stdout.str()
    section = re.search(r"^-+ mocksandbox -+\n(.*?)^=", text, re.MULTILINE | re.DOTALL)
    assert section is not None, text
    cases = ET.parse(folder / "junit.xml").getroot().iter("testcase")
    outcomes = {case.get("name", ""): sorted(same(part.get("message", "")) for part in case) for case in cases}
    coverage = json.loads((folder / "coverage.json").read_text("utf-8"))
    pact = json.loads((folder / "clinic-nhs.json").read_text("utf-8"))
    entries = json.loads((folder / "clinic.har").read_text("utf-8"))["log"]["entries"]
    exchanges = [(e["pageref"], e["request"]["method"], same(e["request"]["url"]), e["response"]["status"]) for e in entries]
    return {
        "summary": sorted(map(same, section[1].splitlines())),
        "outcomes": outcomes,
        "coverage": coverage,
        "page": (folder / "coverage.html").read_text("utf-8"),
        "pact": sorted(({**each, "comments": None} for each in pact["interactions"]), key=lambda each: each["key"]),
        "archive": Counter(exchanges),
        "code": result.ret,
    }


def test_everything_is_as_in_one_process(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_sent=SENT, test_late=LATE, test_besides=OTHERS)
    alone = told(pytester.path, run("", *ASKED))
    together = told(pytester.path, run("", *ASKED, "-n", "2", "--dist", "loadfile", apart=True))
    assert together == alone

    assert alone["code"] == pytest.ExitCode.TESTS_FAILED
    assert {name for name, messages in alone["outcomes"].items() if messages} == FAILED
    assert "[nhs/bad-status]" in alone["outcomes"]["test_swallowed"][0]
    assert "HTTPError: 400" in alone["outcomes"]["test_raised"][0]
    assert "times as described" not in alone["outcomes"]["test_not_called_so"][0]
    assert sum(name.startswith("test_provider[readImmunization") for name in alone["outcomes"]) > 3
    summary = "\n".join(alone["summary"])
    assert "after test_late.py::test_late had been reported, 1 request broke the contract of nhs" in summary
    assert "stub never asked for: stub immunizationWrite 400 (test_sent.py::test_stubs)" in summary
    assert "is below --mocksandbox-min-coverage 90" in summary
    assert alone["coverage"]["providers"]["nhs"]["operations"]["readImmunization"]["got"].keys() >= {"403", "429", "timeout"}
    assert {each["response"]["status"] for each in alone["pact"]} >= {201, 422}
    assert len(alone["archive"]) > 15
