"""`mocksandbox fuzz` as a person runs it: against servers by URL, killed and gone on with, refused before anything is sent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.live import ROOT, cli, serving
from tests.mutants.serving import serving as serving_bugs

BUGS = ("off:nhs-number", "accepts-duplicates", "no-version-on-read", "loses-the-lot")
SHARD = "1/90"


@pytest.fixture(scope="module")
def wrong() -> Iterator[str]:
    """The base URL of a server with bugs."""
    with serving_bugs(*BUGS) as url:
        yield url


def found(folder: Path) -> dict[str, int]:
    told = json.loads((folder / "report.json").read_text("utf-8"))
    return {each["identity"]: each["times"] for each in told["findings"]}


def fuzz(url: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return cli("fuzz", "nhs", "--url", url, "--report", "json", "--report-dir", str(folder), *more)


def test_the_served_mock_has_no_findings(tmp_path: Path) -> None:
    with serving() as server:
        done = fuzz(server.base, tmp_path, "--budget", "350", "--report", "terminal")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert told["findings"] == []
    assert told["errors"] == []
    assert told["accepted_valid"][0] == told["accepted_valid"][1] > 0
    assert 300 <= told["requests"] <= 350
    assert "0 findings" in done.stdout


def test_a_server_with_bugs_has_findings_each_with_a_way_to_see_it_again(wrong: str, tmp_path: Path) -> None:
    done = fuzz(wrong, tmp_path, "--budget", "700")
    assert done.returncode == 1, done.stdout + done.stderr
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))
    first = next(each for each in told["findings"] if each["rules"] == ["nhs/bad-nhs-number"])
    assert first["class"] == "accepted-invalid"
    for _ in range(2):  # as often as one likes
        line = subprocess.run(["sh", "-c", first["curl"]], capture_output=True, text=True, timeout=20, check=True)
        assert line.stdout.startswith("HTTP/1.1 201")
    script = next(each for each in told["findings"] if each["identity"].startswith("readImmunization|read-your-write"))["curl"]
    assert script.startswith("#!/bin/sh\nNEW=")
    for _ in range(2):
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=20, check=True)
        assert "HTTP/1.1 201" in done.stderr, "the record is made"
        assert "HTTP/1.1 200" in done.stdout, "and read by the id that it was given"
    snippet = tmp_path / "test_it.py"
    snippet.write_text(first["pytest"], "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", "-p", "no:cacheprovider", str(snippet)]
    again = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 1, again.stdout
    assert "1 failed" in again.stdout
    alone = cli("fuzz", "nhs", "--url", wrong, "--cell", str(first["cell"]["number"]))
    assert alone.returncode == 1
    assert "1 finding" in alone.stdout


def test_a_baseline_lets_what_is_known_pass(wrong: str, tmp_path: Path) -> None:
    assert fuzz(wrong, tmp_path, "--shard", SHARD).returncode == 1
    entries = [{"identity": each, "reason": "known", "expires": "2999-01-01"} for each in found(tmp_path)]
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps({"version": 1, "provider": "nhs", "entries": entries}), "utf-8")
    assert fuzz(wrong, tmp_path / "b", "--shard", SHARD, "--baseline", str(baseline)).returncode == 0
    baseline.write_text(json.dumps({"version": 1, "provider": "nhs", "entries": entries[1:]}), "utf-8")
    assert fuzz(wrong, tmp_path / "c", "--shard", SHARD, "--baseline", str(baseline)).returncode == 1


def test_a_run_that_is_killed_and_goes_on_finds_the_same_as_one_that_is_not(wrong: str, tmp_path: Path) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    assert fuzz(wrong, unbroken, "--shard", SHARD).returncode == 1
    cells = len((unbroken / "diary.ndjson").read_bytes().splitlines()) - 1
    diary = broken / "diary.ndjson"
    arguments = ["fuzz", "nhs", "--url", wrong, "--report", "json", "--report-dir", str(broken), "--shard", SHARD]
    process = subprocess.Popen([sys.executable, "-m", "mocksandbox", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not diary.is_file() or len(diary.read_bytes().splitlines()) < cells // 2:
        assert process.poll() is None, "it was done before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    assert not (broken / "report.json").exists()
    kept = len(diary.read_bytes().splitlines()) - 1
    assert cells // 2 <= kept + 1 < cells
    assert cli(*arguments, "--resume").returncode == 1
    assert found(broken) == found(unbroken)
    assert len(diary.read_bytes().splitlines()) - 1 == cells


def test_a_run_that_is_stopped_by_ctrl_c_reports_what_it_has_found(wrong: str, tmp_path: Path) -> None:
    folder = tmp_path / "stopped"
    diary = folder / "diary.ndjson"
    arguments = ["fuzz", "nhs", "--url", wrong, "--report", "json", "--report", "html", "--report-dir", str(folder)]
    command = [sys.executable, "-m", "mocksandbox", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not diary.is_file() or len(diary.read_bytes().splitlines()) < 300:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == f"mocksandbox: stopped by Ctrl-C; go on with --report-dir {folder} --resume."
    assert "stopped: by Ctrl-C" in out
    assert found(folder)
    assert (folder / "report.html").is_file()


def test_the_same_seed_finds_the_same_and_another_server_is_not_gone_on_with(wrong: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert fuzz(wrong, first, "--shard", SHARD).returncode == 1
    assert fuzz(wrong, second, "--shard", SHARD).returncode == 1
    assert found(first) == found(second)
    other = fuzz(wrong, first, "--shard", SHARD, "--seed", "5", "--resume")
    assert other.returncode == 2
    assert "another campaign" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--url", "https://example.org/x"], "--allow-host example.org --yes"),
        (["--url", "https://example.org/x", "--allow-host", "example.org"], "--yes"),
        (["--url", "https://api.service.nhs.uk/x", "--allow-host", "api.service.nhs.uk", "--yes"], "production"),
        (["--url", "no url"], "is not a URL"),
        ([], "Name one target"),
        (["--url", "http://127.0.0.1:1", "--app", "a:b"], "Name one target"),
        (["--url", "http://127.0.0.1:1", "--shard", "5/4"], "is not I/N"),
        (["--url", "http://127.0.0.1:1", "--resume"], "--report-dir"),
        (["--url", "http://127.0.0.1:1", "--profile", "x"], "no profile 'x'"),
        (["--url", "http://127.0.0.1:1", "--auth", "env:NOT_SET_ANYWHERE"], "env:VAR"),
        (["--url", "http://127.0.0.1:1", "--cell", "99999999"], "No cell"),
        (["--app", "nowhere:app"], "MODULE:APP"),
    ],
)
def test_what_cannot_be_fired_at_is_told_in_a_line(arguments: list[str], told: str) -> None:
    done = cli("fuzz", "nhs", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_nobody_at_home_is_4() -> None:
    done = cli("fuzz", "nhs", "--url", "http://127.0.0.1:1/x")
    assert done.returncode == 4
    assert "does not answer" in done.stderr


def test_nothing_that_ran_is_5(wrong: str) -> None:
    assert cli("fuzz", "nhs", "--url", wrong, "--max-time", "0.000001").returncode == 5


def test_a_dry_run_sends_nothing_and_tells_the_plan() -> None:
    done = cli("fuzz", "clinikapi", "--url", "http://127.0.0.1:1", "--dry-run", "--shard", "1/50")
    assert done.returncode == 0
    assert "Nothing was sent" in done.stderr
    assert all(line.split()[0].isdecimal() for line in done.stdout.splitlines())


def test_the_secret_is_in_no_file(wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUZZ_SECRET", "Bearer s3cr3t-s3cr3t")
    formats: list[Any] = ["ndjson", "junit", "sarif", "html", "har", "github", "terminal"]
    more = [argument for each in formats for argument in ("--report", each)]
    assert fuzz(wrong, tmp_path, "--shard", SHARD, "--auth", "env:FUZZ_SECRET", *more).returncode == 1
    written = list(tmp_path.iterdir())
    assert len(written) >= 8
    assert [path.name for path in written if b"s3cr3t" in path.read_bytes()] == []


@pytest.mark.prism
def test_what_a_generic_mock_of_the_same_document_gets_wrong_is_told_in_groups(prism: str, tmp_path: Path) -> None:
    started = time.monotonic()
    done = fuzz(prism, tmp_path, "--budget", "900", "--no-stock")
    assert done.returncode == 1, done.stderr
    assert time.monotonic() - started < 120
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))
    kinds = {each["class"] for each in told["findings"]}
    assert kinds >= {"accepted-invalid", "duplicate-accepted", "wrong-status", "read-your-write", "wrong-outcome"}
    assert sum(outcome == "broken" for outcome in told["rules"].values()) > 90
    headings = [line for line in done.stdout.splitlines() if "more findings like it" in line]
    assert len(headings) > 3
    assert len(done.stdout.splitlines()) < 5 * len(told["findings"])
