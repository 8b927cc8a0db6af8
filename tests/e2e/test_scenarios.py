"""The documented scenarios, replayed: against our server in each profile, against a changed contract, against Prism."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mocksandbox.contract import read_mapping
from mocksandbox.providers.nhs import provider
from mocksandbox.providers.nhs.fields import FOLDER
from tests.e2e.conftest import PROFILES
from tests.e2e.live import PATIENCE, cli, fetch, serving, wait_for

# (rows ok, rows as observed): the two rows about an empty id, and two whose error the service spells otherwise.
EXPECTED = {"integration": {"ok": 48, "as observed": 4}, "documented": {"ok": 52}, "sandbox": {"ok": 52}}


def run(url: str) -> tuple[int, list[dict[str, Any]]]:
    done = cli("scenarios", "nhs", "--run", url, "--format", "json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_row_is_answered_twice_in_a_row_with_equal_results(profile: str) -> None:
    with serving("--profile", profile, "--strict") as server:
        code, first = run(server.base)
        again, second = run(server.base)
    assert (code, again) == (0, 0)
    assert Counter(row["verdict"] for row in first) == EXPECTED[profile]
    assert [(row["id"], row["verdict"]) for row in first] == [(row["id"], row["verdict"]) for row in second]


def test_a_changed_contract_answers_as_changed(tmp_path: Path) -> None:
    """One added path, one changed example, one changed header, and no Python."""
    folder = tmp_path / "changed"
    shutil.copytree(FOLDER, folder)
    (folder / "overlay.yaml").unlink()
    (folder / "scenarios.yaml").unlink()
    document = json.loads(json.dumps(provider().contract.document))
    example = {"resourceType": "Observation", "id": "added"}
    added = {"description": "ok", "content": {"application/fhir+json": {"example": example}}}
    document["paths"]["/Observation/{id}"] = {
        "get": {
            "operationId": "readObservation",
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "responses": {"200": added},
        }
    }
    ok = document["paths"]["/Immunization/{id}"]["get"]["responses"]["200"]
    media = ok["content"]["application/fhir+json"]
    media.pop("examples", None)
    media["example"] = {"resourceType": "Immunization", "id": "changed-example"}
    ok.setdefault("headers", {})["X-Changed"] = {"schema": {"type": "string"}, "example": "yes"}
    (folder / "openapi.json").write_text(json.dumps(document), "utf-8")
    with serving(provider=str(folder)) as server:
        assert server.send("GET", "/Observation/1").json == example
        read = server.send("GET", "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22")
        assert read.json["id"] == "changed-example"
        assert read.headers["x-changed"] == "yes"
        assert server.send("GET", "/Unknown").status == 404


@pytest.mark.prism
def test_a_generic_mock_of_the_same_document_fails_eight_checks(prism: str) -> None:
    code, rows = run(prism)
    assert code == 1
    verdicts = Counter((row["table"], row["verdict"]) for row in rows)
    assert verdicts["operations", "FAILED"] == 8
    assert verdicts["operations", "ok"] == 6


@pytest.mark.prism
@pytest.mark.parametrize("profile", ["documented", "integration"])
def test_a_validating_proxy_finds_nothing_in_our_answers(profile: str, tmp_path: Path) -> None:
    """Prism's proxy, on the overlaid document, in front of the mock: each defect of each rule sent through it."""
    program = os.environ.get("MOCKSANDBOX_PRISM")
    if not program:
        pytest.skip("needs Prism: npm install @stoplight/prism-cli@5.14.2, and its path in MOCKSANDBOX_PRISM")
    document = tmp_path / "overlaid.json"
    document.write_text(json.dumps(provider().contract.document), "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serving("--profile", profile) as server:
        command = [program, "proxy", str(document), server.base, "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_for(port)
            sent, found = through_proxy(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(PATIENCE)
    assert sent > 300
    assert found == []


def through_proxy(url: str) -> tuple[int, list[Any]]:
    """How many requests were sent, and what the proxy says of the answers."""
    opened, sent, found = provider(), 0, []
    assert opened.valid is not None
    for operation in opened.contract.operations:
        good = opened.valid(operation.id)
        subjects = [good]
        for rule in opened.catalogue:
            if not rule.operations or operation.id in rule.operations:
                subjects += [defect.apply(good) for defect in rule.defects[:2]]
        for subject in subjects:
            request = subject.request
            if len(request.body) > 100_000:
                continue  # Prism's own parser gives up on deep JSON
            reply = fetch(
                url, request.method, request.url.removeprefix(request.base_url), request.body or None, request.headers
            )
            sent += 1
            told = json.loads(reply.headers.get("sl-violations", "[]"))
            found += [(request.method, rule, item) for item in told if item["location"][0] == "response"]
    return sent, found


def test_the_table_is_the_published_one() -> None:
    scenarios = read_mapping(FOLDER / "scenarios.yaml")
    assert scenarios
    tables = Counter(scenario.table for scenario in provider().scenarios)
    assert tables == {"operations": 14, "errors": 38}
