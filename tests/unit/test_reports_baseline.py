"""Baselines: what is known and why, and what makes a run fail all the same."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from mocksandbox.cli.main import group
from mocksandbox.errors import UsageError
from mocksandbox.fuzz.reports import written
from mocksandbox.fuzz.reports.baseline import Baseline, Entry, read_baseline
from tests.unit.test_reports_made import finding, report

DAY = date(2026, 6, 30)
NUMBER, POSTAL = finding(), finding("nhs/bad-postal-code")
KNOWN = Baseline("nhs", (Entry(NUMBER.flaw.identity, "later", DAY, "IMM-1"),))


def test_a_known_finding_does_not_fail_up_to_its_last_day() -> None:
    compared = KNOWN.compare(report(NUMBER), DAY)
    assert (len(compared.known), compared.fails) == (1, False)


def test_it_fails_from_the_day_after() -> None:
    compared = KNOWN.compare(report(NUMBER), date(2026, 7, 1))
    assert [entry.ticket for _, entry in compared.expired] == ["IMM-1"]
    assert compared.fails
    assert "expired on 2026-06-30" in compared.text()


def test_a_new_finding_fails() -> None:
    compared = KNOWN.compare(report(NUMBER, POSTAL), DAY)
    assert [each.flaw for each in compared.new] == [POSTAL.flaw]
    assert compared.fails


def test_what_is_not_found_again_is_fixed_and_can_be_pruned() -> None:
    run = report(rules={"nhs/bad-nhs-number": "enforced"})
    assert [entry.identity for entry in KNOWN.compare(run, DAY).fixed] == [NUMBER.flaw.identity]
    assert not KNOWN.compare(run, DAY).fails
    assert KNOWN.pruned(run).entries == ()


@pytest.mark.parametrize("changes", [{"rules": {"nhs/bad-nhs-number": "not reached"}}, {"stopped": "--max-time"}])
def test_what_a_run_did_not_look_at_is_not_fixed(changes: dict[str, object]) -> None:
    compared = KNOWN.compare(report(**changes), DAY)
    assert (len(compared.fixed), len(compared.unseen)) == (0, 1)
    assert KNOWN.pruned(report(**changes)) == KNOWN


def test_updating_keeps_the_reasons_that_are_there() -> None:
    updated = KNOWN.updated(report(NUMBER, POSTAL), "new here", date(2027, 1, 1))
    assert [entry.reason for entry in updated.entries] == ["later", "new here"]
    assert not updated.compare(report(NUMBER, POSTAL), DAY).fails


def test_a_baseline_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(KNOWN.text())
    assert read_baseline(path) == KNOWN


def test_a_baseline_of_another_api_is_refused() -> None:
    with pytest.raises(UsageError, match="of nhs, the run of redox"):
        KNOWN.compare(report(provider="redox"))


GOOD = {"identity": "a|b|c|d", "reason": "r", "expires": "2026-01-01"}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ([], "is no baseline"),
        ({"version": 2, "provider": "nhs", "entries": []}, "is no baseline"),
        ({"version": 1, "provider": "nhs"}, "entries must be a list"),
        ({"version": 1, "provider": "nhs", "entries": [GOOD, 5]}, r"entries\[1\] must be an object"),
        ({"version": 1, "provider": "nhs", "entries": [{**GOOD, "reason": " "}]}, r"entries\[0\] needs 'reason'"),
        ({"version": 1, "provider": "nhs", "entries": [{**GOOD, "expires": "soon"}]}, "YYYY-MM-DD"),
        ({"version": 1, "provider": "nhs", "entries": [GOOD, GOOD]}, "two entries for 'a|b|c|d'"),
    ],
)
def test_a_wrong_file_is_told_with_the_place(tmp_path: Path, told: object, says: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps(told))
    with pytest.raises(UsageError, match=says.replace("|", r"\|")):
        read_baseline(path)


def test_a_file_that_is_not_there_or_no_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_baseline(tmp_path / "none.json")
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(UsageError, match="is no JSON"):
        read_baseline(tmp_path / "x.json")


def test_the_command_writes_a_baseline_and_then_is_content(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_bytes(written(report(NUMBER), "json"))
    file, run = str(tmp_path / "known.json"), str(tmp_path / "report.json")

    def call(*arguments: str) -> object:
        done = CliRunner().invoke(group, ["report", *arguments], standalone_mode=False)
        return done.exception or done.return_value

    assert isinstance(call("baseline", file, run), UsageError), "there is no baseline yet"
    assert isinstance(call("baseline", file, run, "--update"), UsageError), "a reason is needed"
    assert call("baseline", file, run, "--update", "--reason", "known", "--expires", "2999-01-01") == 0
    assert call("merge", run, "--baseline", file) == 0
    assert call("merge", run) == 1
    (tmp_path / "report.json").write_bytes(written(report(POSTAL), "json"))
    assert call("merge", run, "--baseline", file) == 1
    (tmp_path / "report.json").write_bytes(written(report(rules={"nhs/bad-nhs-number": "enforced"}), "json"))
    assert call("baseline", file, run, "--prune") == 0
    assert json.loads((tmp_path / "known.json").read_text())["entries"] == []
