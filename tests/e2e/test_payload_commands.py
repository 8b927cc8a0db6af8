"""`mocksandbox generate` and `mocksandbox check`, as programs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.live import Server, cli, fetch

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("MOCKSANDBOX_FULL") == "1"
RECORDS = 1_000_000 if FULL else 20_000
MOST_MEMORY = 200 * 1024  # kB

STREAMING = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "mocksandbox", *sys.argv[1:]])
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_what_is_generated_is_taken_by_the_server(integration: Server) -> None:
    made = cli("generate", "nhs", "--count", "30", "--seed", "77")
    assert made.returncode == 0, made.stderr
    for line in made.stdout.splitlines():
        told = json.loads(line)
        assert told["verdict"] == "must-accept"
        body = json.dumps(told["body"]).encode()
        answer = fetch(integration.base, told["method"], told["path"], body, told["headers"])
        assert answer.status == 201, answer.body


def test_what_is_broken_is_refused_as_it_says(integration: Server) -> None:
    made = cli("generate", "nhs", "--broken", "--count", "60", "--source", "rules", "--source", "edits")
    refused = 0
    for line in made.stdout.splitlines():
        told = json.loads(line)
        answer = fetch(integration.base, told["method"], told["path"], json.dumps(told["body"]).encode(), told["headers"])
        if told["verdict"] == "must-reject":
            refused += 1
            assert answer.status == told["expect"]["status"], (told["defect"], answer.body)
            assert answer.json["issue"][0]["code"] == told["expect"]["issue"]
    assert refused > 20


@pytest.mark.heavy
def test_any_number_of_records_is_streamed_in_little_memory(tmp_path: Path) -> None:
    out = tmp_path / "lives.ndjson"
    arguments = ["generate", "nhs", "--history", "life", "--count", str(RECORDS), "-o", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", STREAMING, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    code, kilobytes = map(int, done.stdout.split())
    with out.open("rb") as lines:
        count = sum(1 for _ in lines)
    print(f"{count:,} records, {out.stat().st_size / 1e6:,.0f} MB, {kilobytes / 1024:.0f} MB of memory at most")
    assert code == 0
    assert count == RECORDS
    assert kilobytes < MOST_MEMORY


def test_check_names_each_of_ten_mistakes_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a folder-with-a-name-that-is-long" / "and-another-one-beneath-it" / "ten-mistakes.json"
    path.parent.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "unit" / "ten-mistakes.json", path)
    done = cli("check", "nhs", str(path), "--format", "json")
    assert done.returncode == 1
    found = [problem for problem in json.loads(done.stdout) if problem["severity"] == "error"]
    assert len({problem["line"] for problem in found}) == 10
    assert {problem["file"] for problem in found} == {str(path)}
    table = cli("check", "nhs", str(path))
    assert all(f"{path}:{problem['line']} " in table.stdout for problem in found)
    assert "1 record: 10 errors" in table.stdout


def test_check_reads_standard_input() -> None:
    made = cli("generate", "nhs", "--count", "5", "--format", "bundle").stdout
    done = cli("check", "nhs", "-", input=made)
    assert (done.returncode, done.stdout.strip()) == (0, "5 records: 0 errors, 0 warnings")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["generate", "nowhere"], 2, "No provider 'nowhere'"),
        (["generate", "nhs", "--rule", "nhs/bad-gender"], 2, "go with --broken"),
        (["generate", "nhs", "--broken", "--rule", "nhs/bad-gendr"], 2, "Did you mean 'nhs/bad-gender'"),
        (["generate", "nhs", "--history", "life", "--broken"], 2, "--history goes with"),
        (["generate", "nhs", "--as-of", "tomorrow"], 2, "is not a day"),
        (["generate", "nhs", "-o", "no/such/folder/x"], 2, "cannot be written"),
        (["generate", "nhs", "--count", "0"], 2, "--count"),
        (["check", "nhs"], 2, "FILE"),
        (["check", "nhs", "no-such-file.json"], 2, "No file 'no-such-file.json'"),
        (["check", "nhs", ".", "--profile", "odd"], 2, "no profile 'odd'"),
        (["check", "nhs/odd", "."], 2, "no operation 'odd'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: list[str], code: int, says: str) -> None:
    done = cli(*arguments)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def printing(*arguments: str, into: int) -> subprocess.CompletedProcess[str]:
    """`mocksandbox ARGUMENTS`, with its standard output going there."""
    command = [sys.executable, "-m", "mocksandbox", *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=into, stderr=subprocess.PIPE, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["rules", "nhs"], 0), (["generate", "nhs", "--count", "9"], 0), (["check", "nhs", "tests/unit/ten-mistakes.json"], 1)],
)
def test_whoever_stops_reading_changes_no_exit_code(arguments: list[str], code: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = printing(*arguments, into=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("rules nhs", 0), ("generate nhs", 0), ("check nhs tests/unit/ten-mistakes.json", 1), ("check nhs -", 1), ("rules x", 2)],
)
def test_closed_streams_are_like_empty_ones(arguments: str, code: int) -> None:
    line = f"{sys.executable} -m mocksandbox {arguments} <&- >&-"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert subprocess.run(["sh", "-c", f"{line} 2>&-"], cwd=ROOT, timeout=120, check=False).returncode == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize(
    "arguments", [["rules", "nhs"], ["generate", "nhs"], ["check", "nhs", "tests/unit/ten-mistakes.json"]]
)
def test_a_full_disk_is_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = printing(*arguments, into=full.fileno())
    assert (done.returncode, done.stderr) == (2, "mocksandbox: the output cannot be written: No space left on device.\n")
