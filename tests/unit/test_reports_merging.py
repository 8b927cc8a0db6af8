"""Reports read back and merged: two shards say what one run would have said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from mocksandbox.cli.main import group
from mocksandbox.errors import UsageError
from mocksandbox.fuzz.model import Report
from mocksandbox.fuzz.reports import written
from mocksandbox.fuzz.reports.merge import merged
from mocksandbox.fuzz.reports.reading import read_lines, read_reports
from tests.unit.test_reports_made import finding, full, report


def test_a_report_comes_back_from_its_json(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_bytes(written(full(), "json"))
    [again] = read_reports([tmp_path])
    assert written(again, "json") == written(full(), "json")
    assert [each.flaw for each in again.findings] == [each.flaw for each in full().findings]
    assert [len(each.steps) for each in again.findings] == [len(each.steps) for each in full().findings]
    assert again.rules == full().rules


def test_an_ndjson_gives_its_findings_and_numbers() -> None:
    again = read_lines(written(full(), "ndjson"), "report.ndjson")
    assert [each.flaw for each in again.findings] == [each.flaw for each in full().findings]
    assert (again.seed, again.requests, again.provider) == (42, 900, "nhs")
    assert again.rules == {"nhs/bad-nhs-number": "broken", "nhs/bad-postal-code": "broken"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"{nope", ":1 is no JSON"),
        (b"[]", ":1 is no finding"),
        (b'{"finding": {}}', "was not finished"),
        (b'{"finding": {}}\n{"summary": {}}', "is no report"),
        (b'{"summary": {"provider": "nhs"}}', "is no report"),
    ],
)
def test_what_is_no_ndjson_of_ours_is_told(text: bytes, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_lines(text, "x.ndjson")


def test_the_same_finding_is_joined_and_the_smaller_example_kept() -> None:
    one = finding()
    long = replace(one, steps=one.steps * 3, times=4)
    joined = merged([report(long), report(one)])
    assert [(each.times, len(each.steps)) for each in joined.findings] == [(7, 1)]


def test_counts_are_added_and_the_longest_time_kept() -> None:
    joined = merged([report(), report(seconds=20.0, planned={"bytes": 5}, reached={"bytes": 4}, target="http://b")])
    assert (joined.requests, joined.seconds) == (1800, 20.0)
    assert joined.planned == {"rules": 500, "random": 400, "bytes": 5}
    assert joined.accepted_valid == (198, 200)
    assert joined.matrix["nhs/bad-nhs-number"] == {"400": 8}
    assert joined.target == "http://127.0.0.1:9, http://b"


@pytest.mark.parametrize(
    ("outcomes", "joined"),
    [
        (("enforced", "not reached"), "enforced"),
        (("not reached", "enforced"), "enforced"),
        (("enforced", "broken"), "broken"),
        (("broken", "not reached"), "broken"),
        (("not reached", "not reached"), "not reached"),
    ],
)
def test_broken_wins_and_then_enforced(outcomes: tuple[str, str], joined: str) -> None:
    made = [report(rules={"nhs/bad-nhs-number": outcome}) for outcome in outcomes]
    assert merged(made).rules == {"nhs/bad-nhs-number": joined}


def test_merging_is_the_same_in_any_order() -> None:
    parts = [full(), report(finding(), finding("nhs/bad-postal-code")), report()]
    forwards, backwards = merged(parts), merged(parts[::-1])
    assert [each.flaw for each in forwards.findings] == [each.flaw for each in backwards.findings]
    assert forwards.rules == backwards.rules


@pytest.mark.parametrize("other", [report(seed=7), report(provider="redox")])
def test_reports_of_different_plans_are_not_merged(other: Report) -> None:
    with pytest.raises(UsageError, match="different"):
        merged([report(), other])


def _shards(folder: Path) -> list[str]:
    for name, made in (("one", report(finding())), ("two", report(finding("nhs/bad-postal-code")))):
        (folder / name).mkdir()
        (folder / name / "report.json").write_bytes(written(made, "json"))
    return [str(folder / "one"), str(folder / "two")]


def test_the_command_merges_folders_and_writes_what_is_asked(tmp_path: Path) -> None:
    out = tmp_path / "merged"
    done = CliRunner().invoke(
        group, ["report", "merge", *_shards(tmp_path), "--report-dir", str(out), "--report", "html"], standalone_mode=False
    )
    assert done.return_value == 1, done.output
    assert "2 findings" in done.output
    assert len(json.loads((out / "report.json").read_bytes())["findings"]) == 2
    assert (out / "report.html").is_file()


def test_a_folder_of_folders_is_the_same_as_the_folders(tmp_path: Path) -> None:
    shards = _shards(tmp_path)
    alone = CliRunner().invoke(group, ["report", "merge", *shards, "--report", "json"], standalone_mode=False)
    whole = CliRunner().invoke(group, ["report", "merge", str(tmp_path), "--report", "json"], standalone_mode=False)
    assert json.loads(alone.stdout) == json.loads(whole.stdout)


@pytest.mark.parametrize("made", [None, "empty"])
def test_a_place_without_a_report_is_told(tmp_path: Path, made: str | None) -> None:
    place = tmp_path / "here"
    if made:
        place.mkdir()
    done = CliRunner().invoke(group, ["report", "merge", str(place)], standalone_mode=False)
    assert isinstance(done.exception, UsageError)
    assert str(place) in str(done.exception)


@pytest.mark.parametrize("second", ["one", "one/report.json", "."])
def test_a_report_that_is_named_twice_is_not_counted_twice(tmp_path: Path, second: str) -> None:
    first, _ = _shards(tmp_path)
    with pytest.raises(UsageError, match=r"one/report\.json is named twice"):
        read_reports([Path(first), tmp_path / second])
