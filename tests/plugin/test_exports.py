"""What was recorded, for others to use: a Pact for brokers, an archive for browsers and proxies."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import Run

pytest_plugins = ["pytester"]

SUITE = """
import client
import pytest
import requests

ID = "12a33650-6f94-4e8f-a971-1c5c41da5b22"

def test_create(nhs_sandbox, payloads):
    body = payloads.body("nhs")
    for _ in range(2):
        client.create(nhs_sandbox.url, body, Authorization="Bearer supplier:MEDICUS")

def test_again(nhs_sandbox, payloads):
    client.create(nhs_sandbox.url, payloads.body("nhs"))

def test_search(nhs_sandbox):
    client.search(nhs_sandbox.url)
    client.read(nhs_sandbox.url, ID)

def test_not_for_others(nhs_sandbox, payloads):
    nhs_sandbox.fault("500")
    client.read(nhs_sandbox.url, ID)
    nhs_sandbox.stub("readImmunization", status=404, times=1)
    client.read(nhs_sandbox.url, ID)
    client.read(nhs_sandbox.url, ID, Prefer="code=403")
    with nhs_sandbox.expect_violation("Immunization.status"):
        client.create(nhs_sandbox.url, {**payloads.body("nhs"), "status": "complete"})
    with nhs_sandbox.expect_violation("path"):
        requests.get(nhs_sandbox.url + "/Imunization")
"""


def test_a_pact_has_what_a_provider_can_be_verified_by(run: Run, pytester: pytest.Pytester) -> None:
    result = run(SUITE, "--mocksandbox-pact", "pacts/clinic.json", "--mocksandbox-consumer", "my-clinic")
    result.assert_outcomes(passed=4)
    text = (pytester.path / "pacts" / "clinic.json").read_text("utf-8")
    assert "MEDICUS" not in text
    pact = json.loads(text)
    assert problems(pact) == []
    assert (pact["consumer"], pact["provider"]) == ({"name": "my-clinic"}, {"name": "nhs"})
    found = sorted((each["request"]["method"], each["response"]["status"]) for each in pact["interactions"])
    # The same record was created in two tests: that is one interaction.
    assert found == [("GET", 200), ("GET", 200), ("POST", 201), ("POST", 422)]
    created = next(each for each in pact["interactions"] if each["response"]["status"] == 201)
    assert created["providerStates"] == [{"name": "the records of the beginning"}]
    assert created["request"]["headers"] == {"Accept": ["*/*"], "Content-Type": ["application/fhir+json"]}
    assert created["request"]["body"]["content"]["resourceType"] == "Immunization"
    assert created["response"]["matchingRules"]["header"]["Location"]["matchers"] == [{"match": "type"}]
    duplicate = next(each for each in pact["interactions"] if each["response"]["status"] == 422)
    state = duplicate["providerStates"][0]
    assert state["name"] == "after createImmunization"
    assert [each["body"]["content"] for each in state["params"]["requests"]] == [created["request"]["body"]["content"]]
    search = next(each for each in pact["interactions"] if "query" in each["request"])
    assert search["request"]["query"]["-immunization.target"] == ["FLU"]
    assert search["request"]["path"] == "/immunisation-fhir-api/FHIR/R4/Immunization"


def problems(pact: dict[str, Any]) -> list[str]:
    """What is wrong with the form of a Pact of version 4."""
    found = [] if pact["metadata"]["pactSpecification"] == {"version": "4.0"} else ["version"]
    descriptions = [each["description"] for each in pact["interactions"]]
    keys = [each["key"] for each in pact["interactions"]]
    found += [
        name for name in ("description", "key") if len(set(descriptions if name == "description" else keys)) != len(keys)
    ]
    for each in pact["interactions"]:
        if each["type"] != "Synchronous/HTTP" or not isinstance(each["pending"], bool):
            found.append(f"type of {each['description']}")
        for part in (each["request"], each["response"]):
            headers = part.get("headers", {})
            if not all(isinstance(value, list) for value in headers.values()):
                found.append(f"headers of {each['description']}")
            if "body" in part and {"content", "contentType", "encoded"} != part["body"].keys():
                found.append(f"body of {each['description']}")
    return found


@pytest.mark.skipif(importlib.util.find_spec("pact") is None, reason="pact-python is not installed")
def test_pact_python_verifies_the_sandbox_by_it(run: Run, pytester: pytest.Pytester) -> None:
    run(SUITE, "--mocksandbox-pact", "clinic.json").assert_outcomes(passed=4)
    verified = pytester.runpython_c(VERIFY)
    assert verified.ret == 0, verified.outlines


VERIFY = """
import os

os.environ["PACT_DO_NOT_TRACK"] = "true"
import requests
from pact import Verifier
from mocksandbox.consumer.options import Options
from mocksandbox.consumer.plugged import Plugged

plugged = Plugged(Options())
view = plugged.shared("nhs")

def restore(state, action, parameters):
    view.reset()
    for request in (parameters or {}).get("requests", []):
        headers = {"Content-Type": request["body"]["contentType"]}
        url = view.url.removesuffix(view.provider.base_path) + request["path"]
        assert requests.request(request["method"], url, json=request["body"]["content"], headers=headers).ok

verifier = Verifier("nhs", host="127.0.0.1").add_transport(url=view.url.partition("/tenants")[0])
verifier.add_source("clinic.json").state_handler(restore).verify()
assert len(view.calls()) > 0
plugged.suite.shut()
"""


def test_several_providers_have_a_pact_each(run: Run, pytester: pytest.Pytester) -> None:
    result = run(
        """
        import client
        import requests

        def test_it(nhs_sandbox, clinikapi_sandbox):
            client.search(nhs_sandbox.url)
            requests.get(clinikapi_sandbox.url + "/immunizations/imm_unknown")
        """,
        "--mocksandbox-pact",
        "clinic.json",
    )
    result.assert_outcomes(passed=1)
    assert sorted(path.name for path in pytester.path.glob("*.json")) == ["clinic-clinikapi.json", "clinic-nhs.json"]


def test_an_archive_has_every_exchange_and_no_secret(run: Run, pytester: pytest.Pytester) -> None:
    run(SUITE, "--mocksandbox-har", "clinic.har").assert_outcomes(passed=4)
    text = (pytester.path / "clinic.har").read_text("utf-8")
    assert "MEDICUS" not in text
    log = json.loads(text)["log"]
    assert log["version"] == "1.2"
    assert log["creator"]["name"] == "mocksandbox"
    assert len(log["entries"]) == 10
    assert {page["id"] for page in log["pages"]} == {entry["pageref"] for entry in log["entries"]}
    for entry in log["entries"]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*(Z|[+-]\d\d:\d\d)", entry["startedDateTime"])
        assert entry["request"].keys() >= {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize"}
        assert entry["response"].keys() >= {"status", "statusText", "httpVersion", "content", "redirectURL", "bodySize"}
        assert entry["timings"].keys() >= {"send", "wait", "receive"}
        assert entry["request"]["url"].startswith("http://127.0.0.1:")
        if entry["request"]["method"] == "POST":
            assert entry["request"]["bodySize"] == len(entry["request"]["postData"]["text"].encode())
    assert {entry["response"]["status"] for entry in log["entries"]} == {200, 201, 400, 403, 404, 422, 500}


def test_nothing_is_recorded_that_nobody_wants(run: Run, pytester: pytest.Pytester) -> None:
    run(SUITE).assert_outcomes(passed=4)
    assert [path.name for path in Path(pytester.path).iterdir() if path.suffix in (".json", ".har", ".html")] == []
