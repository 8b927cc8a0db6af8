"""Programs that we did not write, against our server: a public FHIR client, and schemathesis on the overlaid document."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mocksandbox.provider import open_provider
from mocksandbox.providers.nhs import provider
from mocksandbox.sandbox.sandbox import RULES_HEADER
from tests.e2e.live import PATIENCE, Server, serving

FULL = bool(os.environ.get("MOCKSANDBOX_FULL"))


def test_a_public_fhir_client_creates_reads_searches_updates_and_deletes(integration: Server) -> None:
    asyncio.run(with_fhirpy(integration))


async def with_fhirpy(server: Server) -> None:
    from fhirpy import AsyncFHIRClient
    from fhirpy.base.exceptions import ResourceNotFound

    opened = provider()
    assert opened.valid is not None
    body: dict[str, Any] = json.loads(opened.valid("createImmunization").request.body)
    body["identifier"][0]["value"] = str(uuid4())
    headers = {
        "X-Mocksandbox-Tenant": str(uuid4()),
        "Content-Type": "application/fhir+json",
        "Accept": "application/fhir+json",
    }
    client = AsyncFHIRClient(server.base, extra_headers=headers)
    # Made by hand: the service answers a create without a body, and names the record in Location only.
    await client.execute("Immunization", method="post", data=body)
    number = next(part for part in body["contained"] if part["resourceType"] == "Patient")["identifier"][0]["value"]
    asked = {"patient.identifier": f"https://fhir.nhs.uk/Id/nhs-number|{number}", "-immunization.target": "COVID"}
    bundle = await client.execute("Immunization", method="get", params=asked)
    found = next(entry["resource"] for entry in bundle["entry"] if entry["search"]["mode"] == "match")
    assert found["identifier"][0]["value"] == body["identifier"][0]["value"]

    read = await client.reference("Immunization", found["id"]).to_resource()
    assert read["status"] == "completed"

    changed = {**body, "id": found["id"], "lotNumber": "CHANGED"}
    client.extra_headers = {**headers, "E-Tag": "1"}
    await client.execute(f"Immunization/{found['id']}", method="put", data=changed)
    client.extra_headers = headers
    assert (await client.reference("Immunization", found["id"]).to_resource())["lotNumber"] == "CHANGED"

    await client.reference("Immunization", found["id"]).delete()
    with pytest.raises(ResourceNotFound):
        await client.reference("Immunization", found["id"]).to_resource()


CREDENTIALS = {"clinikapi": ("token", ["-H", "x-api-key: clk_test_mocksandbox"])}
"""How callers are let in where `--auth off` would not do: whether tokens are asked for, and what schemathesis sends."""


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("nhs", "documented"),
        ("nhs", "sandbox"),
        ("redox", "documented"),
        ("clinikapi", "documented"),
        ("evaluation", "documented"),
        *([("evaluation", "sandbox"), ("redox", "sandbox")] if FULL else []),
    ],
)
def test_schemathesis_finds_no_contract_violation(name: str, profile: str, tmp_path: Path) -> None:
    """All checks but `positive_data_acceptance`: a body that the schema allows may still break a rule. Where callers are let
    in without credentials (`--auth off`), `ignored_auth` would report it of documents that ask for some.
    """
    auth, key = CREDENTIALS.get(name, ("off", []))
    st = Path(sys.executable).with_name("st")
    if not st.exists() and not shutil.which("st"):
        pytest.skip("needs schemathesis: install mocksandbox[fuzz]")
    document = tmp_path / "overlaid.json"
    document.write_text(json.dumps(open_provider(name).contract.document), "utf-8")
    with serving("--profile", profile, "--auth", auth, provider=name) as server:
        command = [str(st), "run", str(document), "--url", server.base, "--checks", "all", "--seed", "1", "--no-color"]
        left_out = "positive_data_acceptance" + (",ignored_auth" if auth == "off" else "")
        command += [*key, "--exclude-checks", left_out, "--max-examples", "100" if FULL else "10"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE * 10, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    counted = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert counted, done.stdout[-2000:]
    assert int(counted[1]) > 100


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["nhs", "redox", "clinikapi", "evaluation"])
def test_each_body_that_the_schema_allows_and_we_refuse_is_traced_to_a_rule(name: str, tmp_path: Path) -> None:
    """What `positive_data_acceptance` reports is a rule that a schema does not say: the refusal names it."""
    st = Path(sys.executable).with_name("st")
    if not st.exists() and not shutil.which("st"):
        pytest.skip("needs schemathesis: install mocksandbox[fuzz]")
    document = tmp_path / "overlaid.json"
    document.write_text(json.dumps(open_provider(name).contract.document), "utf-8")
    auth, key = CREDENTIALS.get(name, ("off", []))
    with serving("--profile", "documented", "--auth", auth, provider=name) as server:
        command = [str(st), "run", str(document), "--url", server.base, "--seed", "1", "--no-color", *key]
        command += ["--checks", "positive_data_acceptance", "--phases", "examples,fuzzing", "--mode", "positive"]
        command += ["--max-examples", "100" if FULL else "10", "--report", "har", "--report-dir", str(tmp_path)]
        command += ["--continue-on-failure"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE * 10, check=False)
    (recorded,) = tmp_path.glob("har-*.json")
    entries = json.loads(recorded.read_text("utf-8"))["log"]["entries"]
    assert entries, done.stdout[-2000:]
    refused = [entry["response"] for entry in entries if entry["response"]["status"] >= 400]
    rules = {
        header["value"] for each in refused for header in each["headers"] if header["name"].lower() == RULES_HEADER.lower()
    }
    print(f"{name}: {len(entries)} requests, {len(refused)} refused, by {len(rules)} sets of rules")
    untraced = [each for each in refused if RULES_HEADER.lower() not in {header["name"].lower() for header in each["headers"]}]
    assert untraced == []
