"""A provider that this project does not know: another package's, by entry point; served, generated, checked, documented."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.e2e.live import PATIENCE, ROOT, fetch, serving

TOY = ROOT / "tests" / "toy"
MOST_LINES = 60


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which a package of another name offers the provider."""
    described = tmp_path / "toy_doses-0.1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-doses\nVersion: 0.1\n", "utf-8")
    (described / "entry_points.txt").write_text("[mocksandbox.providers]\ntoy = toy_provider:provider\n", "utf-8")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(TOY), str(tmp_path)])}


def run(environment: dict[str, str], *arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mocksandbox", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, input=input, capture_output=True, text=True, timeout=PATIENCE * 5, check=False
    )


def test_its_module_is_short_and_all_else_is_data() -> None:
    lines = (TOY / "toy_provider.py").read_text("utf-8").splitlines()
    assert len(lines) < MOST_LINES + 1
    assert [path.name for path in TOY.rglob("*.py")] == ["toy_provider.py"]


def test_it_is_documented(environment: dict[str, str]) -> None:
    rules = json.loads(run(environment, "rules", "toy", "--format", "json").stdout)
    assert "toy/bad-day" in {rule["id"] for rule in rules}
    scenarios = json.loads(run(environment, "scenarios", "toy", "--format", "json").stdout)
    assert [scenario["id"] for scenario in scenarios] == ["create"]


def test_payloads_are_made_for_it_valid_and_broken(environment: dict[str, str]) -> None:
    made = [
        json.loads(line)
        for line in run(environment, "generate", "toy", "--count", "20", "--style", "typical").stdout.splitlines()
    ]
    assert len({line["body"]["patient"] for line in made}) == 20
    assert all(line["body"]["patient"].startswith("999") for line in made)
    (broken,) = run(environment, "generate", "toy", "--broken", "--rule", "toy/bad-day").stdout.splitlines()
    assert json.loads(broken)["expect"] == {"status": 400, "issue": "value", "at": ["given"]}


def test_records_are_checked_against_it(environment: dict[str, str]) -> None:
    record = json.dumps({"patient": "9990000018", "given": "01/02/2025", "lot": "A"})
    done = run(environment, "check", "toy", "-", "--format", "json", input=record)
    (problem,) = json.loads(done.stdout)
    assert (done.returncode, problem["rule"], problem["nearest"]) == (1, "toy/bad-day", "2025-02-01")


def test_it_is_served_and_answers_as_its_payloads_say(environment: dict[str, str]) -> None:
    with serving("--strict", provider="toy", environment=environment) as server:
        lines = run(environment, "generate", "toy", "--count", "5").stdout.splitlines()
        lines += run(environment, "generate", "toy", "--broken", "--source", "rules", "--source", "edits").stdout.splitlines()
        assert len(lines) > 100
        for line in map(json.loads, lines):
            body = base64.b64decode(line["raw"]) if "raw" in line else json.dumps(line["body"]).encode()
            query = f"?{urlencode([tuple(pair) for pair in line['query']])}" if line["query"] else ""
            answer = fetch(server.base, line["method"], line["path"] + query, body, line["headers"])
            wanted = line["expect"]["status"] if line["verdict"] == "must-reject" else 201
            assert answer.status == wanted, (line["defect"], answer.body)
        scenarios = run(environment, "scenarios", "toy", "--run", server.base)
        assert "1 of 1 checks right" in scenarios.stdout
        journal = json.loads(fetch(server.url, "GET", "/__mocksandbox/journal", None, {}).body)
        assert [entry for entry in journal["entries"] if entry.get("bugs")] == []


def test_it_is_fuzzed(environment: dict[str, str], tmp_path: Path) -> None:
    """By our own runner: nothing is wrong, and every rule is enforced."""
    with serving(provider="toy", environment=environment) as server:
        arguments = ["fuzz", "toy", "--url", server.base, "--no-stock", "--report", "json", "--report-dir", str(tmp_path)]
        done = run(environment, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert (told["findings"], told["errors"]) == ([], [])
    assert told["accepted_valid"][0] == told["accepted_valid"][1] > 10
    assert told["rules"]["toy/bad-day"] == "enforced"


def test_it_is_fuzzed_by_schemathesis(environment: dict[str, str], tmp_path: Path) -> None:
    """With all its checks, on the toy's own document."""
    st = Path(sys.executable).with_name("st")
    if not st.exists():
        pytest.skip("needs schemathesis: install mocksandbox[fuzz]")
    with serving(provider="toy", environment=environment) as server:
        command = [
            str(st),
            "run",
            str(TOY / "contract" / "openapi.yaml"),
            "--url",
            server.base,
            "--checks",
            "all",
            "--seed",
            "1",
        ]
        command += ["--exclude-checks", "positive_data_acceptance", "--max-examples", "30", "--no-color"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE * 5, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
