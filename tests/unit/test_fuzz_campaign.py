"""Campaigns: the same again, in parts, killed and gone on with; their examples, and what is written of them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from mocksandbox.errors import UsageError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz import Report, Settings, Step, replay, run
from mocksandbox.fuzz.campaign import Campaign
from mocksandbox.fuzz.diary import Diary, Line
from mocksandbox.fuzz.execute import Result
from mocksandbox.fuzz.findings import fold
from mocksandbox.fuzz.in_process import WsgiTarget, load_app
from mocksandbox.fuzz.model import BY_HAND, Flaw
from mocksandbox.fuzz.plan import Planned, plan
from mocksandbox.fuzz.reference import as_profile
from mocksandbox.fuzz.reports import FORMATS
from mocksandbox.fuzz.reports.merge import merged
from mocksandbox.fuzz.reports.plain import as_json, as_ndjson, read_report
from mocksandbox.fuzz.reproduction import curl_of
from mocksandbox.fuzz.shrink import MOST_REQUESTS
from mocksandbox.provider import Provider, open_provider
from tests.mutants.target import BASE, Target

NHS = as_profile(open_provider("nhs"), "")
BUGS = ("check-digit-not-checked", "accepts-duplicates", "no-version-on-read", "loses-the-lot")


@cache
def cells() -> tuple[Planned, ...]:
    """A few cells of every source."""
    everything = plan(NHS, 1)
    chosen: list[Planned] = []
    for source in ("smoke", "rules", "lifecycle", "must-accept", "parameters", "edits"):
        chosen += [each for each in everything if each.source == source][:30]
    chosen += [each for each in everything if each.source == "rules" and each.rule == "nhs/bad-nhs-number"]
    return tuple({each.number: each for each in chosen}.values())


class StopError(Exception):
    """The campaign is killed."""


def campaign(
    settings: Settings | None = None, part: tuple[Planned, ...] | None = None, bugs: tuple[str, ...] = BUGS
) -> Campaign:
    target = WsgiTarget(Target(*bugs), f"http://app.invalid{BASE}")
    return Campaign(NHS, target, settings or Settings(seed=1), cells() if part is None else part)


@cache
def whole() -> Report:
    return campaign().run()


def identities(report: Report) -> dict[str, int]:
    return {finding.flaw.identity: finding.times for finding in report.findings}


def test_each_bug_is_found() -> None:
    kinds = {finding.flaw.kind for finding in whole().findings}
    assert {"accepted-invalid", "duplicate-accepted", "headers", "read-your-write"} <= kinds


def test_a_server_without_bugs_has_no_findings_and_takes_all_that_is_valid() -> None:
    report = campaign(bugs=()).run()
    assert identities(report) == {}
    assert report.errors == ()
    accepted, valid = report.accepted_valid
    assert accepted == valid > 20


def test_the_same_seed_finds_the_same() -> None:
    assert identities(campaign().run()) == identities(whole())


def test_two_shards_merged_are_one_run() -> None:
    parts = [campaign(part=tuple(each for each in cells() if each.number % 2 == half)).run() for half in (0, 1)]
    both = merged(parts)
    assert identities(both) == identities(whole())
    assert both.rules == whole().rules
    assert both.matrix == whole().matrix


@pytest.mark.parametrize("lost", [0, 1, 25])
def test_a_killed_campaign_that_goes_on_finds_the_same(tmp_path: Path, lost: int) -> None:
    diary = tmp_path / "out" / "diary.ndjson"

    def kill(done: int, _of: int, _result: Result) -> None:
        if done == len(cells()) // 2:
            raise StopError

    with pytest.raises(StopError):
        campaign(Settings(seed=1, diary=diary)).run(kill)
    text = diary.read_bytes()
    diary.write_bytes(text[: len(text) - lost])  # a line that was being written
    lines = len(diary.read_bytes().splitlines())
    report = campaign(Settings(seed=1, diary=diary, resume=True)).run()
    assert identities(report) == identities(whole())
    assert report.reached == whole().reached
    assert lines >= len(cells()) // 2
    assert len(diary.read_bytes().splitlines()) == len(cells()) + 1


def test_a_diary_of_another_campaign_is_not_gone_on_with(tmp_path: Path) -> None:
    Diary({"seed": 1}, tmp_path / "diary.ndjson").close()
    with pytest.raises(UsageError, match="another campaign"):
        Diary({"seed": 2}, tmp_path / "diary.ndjson", resume=True)


def test_a_diary_gives_its_lines_back(tmp_path: Path) -> None:
    path = tmp_path / "diary.ndjson"
    line = Line(0, "fail", 3, (Flaw("headers", "x", ("a/b",), "1", "2"),), "200", ("a/b",), "rules", True, False, "why")
    first = Diary({"seed": 1}, path)
    first.add(line)
    first.close()
    second = Diary({"seed": 1}, path, resume=True)
    second.close()
    assert second.lines == [line]


def test_examples_are_small_and_say_what_was_changed() -> None:
    found = next(each for each in whole().findings if each.flaw.rules == ("nhs/bad-nhs-number",))
    sent = found.steps[-1].request.json()
    assert "site" not in sent, "what does not matter is still there"
    assert "lotNumber" not in sent
    places = {place for place, _, _ in found.changed}
    assert any(place.endswith("identifier[0].value") for place in places)
    assert len(places) == 1, "what was left out to make it small is no change"


def test_where_the_body_is_not_what_is_wrong_nothing_was_changed_in_it() -> None:
    wanted = {"http/method-not-allowed", "http/not-acceptable", "http/schema"}
    provider = as_profile(NHS, "documented")
    part = tuple(each for each in plan(provider, 1) if each.source == "rules" and each.rule in wanted)
    found = Campaign(provider, Alike(200), Settings(seed=1), part).run().findings
    changed = {finding.flaw.rules: finding.changed for finding in found if finding.flaw.operation == "createImmunization"}
    assert {rules for rules, changes in changed.items() if changes} == {("http/schema",)}
    assert {rule for rules in changed for rule in rules} >= wanted


def stop_after(cells: int) -> Callable[[int, int, Result], None]:
    """A person who presses Ctrl-C after so many cells."""

    def stop(done: int, _of: int, _result: Result) -> None:
        if done == cells:
            raise KeyboardInterrupt

    return stop


def test_what_is_stopped_by_hand_reports_what_it_has_found_and_goes_on(tmp_path: Path) -> None:
    settings = Settings(seed=1, diary=tmp_path / "diary.ndjson")
    half = len(cells()) // 2
    made = campaign(settings)
    stopped = made.run(stop_after(half))
    assert stopped.stopped == BY_HAND
    assert sum(stopped.reached.values()) == half
    assert stopped.findings
    assert all(finding.steps for finding in stopped.findings), "each is shown as it was found"
    assert made.pair.requests == stopped.requests, "nothing was sent after it"
    assert identities(campaign(replace(settings, resume=True)).run()) == identities(whole())


def test_a_second_engine_may_be_stopped_by_hand_too() -> None:
    def stops(_: Provider, target: Any, seed: int = 0, *, max_time: int | None = None) -> Iterator[tuple[Flaw, Step | None]]:
        yield Flaw("server-error", "readImmunization", (), "an answer", "500"), target.send(Request("GET", "/Immunization/1"))
        raise KeyboardInterrupt

    report = campaign(Settings(seed=1, stock=stops), part=cells()[:1]).run()
    assert report.stopped == BY_HAND
    assert [finding.case.source for finding in report.findings] == ["stock"]


class Alike:
    """A target that answers everything alike."""

    name = base_url = "http://alike.invalid"

    def __init__(self, status: int, kind: str = "text/html") -> None:
        self.answer = Response(status, Headers([("Content-Type", kind)]), b"{}")

    def send(self, request: Request) -> Step:
        return Step(request, self.answer)


@pytest.mark.parametrize(
    ("status", "kind", "doubted"),
    [
        (404, "text/html; charset=utf-8", "404 (text/html)"),
        (200, "text/html", "200 (text/html)"),
        (302, "", "302 (no content type)"),
        (404, "application/json", "404 (application/json)"),
        (400, "application/fhir+json", ""),
    ],
)
def test_a_target_that_is_no_api_is_doubted_first_of_all(status: int, kind: str, doubted: str) -> None:
    report = Campaign(NHS, Alike(status, kind), Settings(seed=1, shrink=False), cells()[:12]).run()
    wanted = f"every valid request got {doubted}: is --url the API's base path?" if doubted else ""
    assert report.doubt == wanted
    for form in ("terminal", "json", "html") if doubted else ():
        assert doubted.encode() in FORMATS[form](report)
    assert FORMATS["terminal"](report).decode().startswith(wanted)
    assert FORMATS["ndjson"](report).decode().count(wanted) >= 1
    assert read_report(FORMATS["json"](report), "report.json").doubt == wanted


def test_a_run_that_is_not_there_is_not_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"diary.ndjson does not exist: there is no run to go on with"):
        Diary({"seed": 1}, tmp_path / "diary.ndjson", resume=True)


def test_a_life_is_cut_to_what_shows_the_flaw() -> None:
    found = next(each for each in whole().findings if each.flaw.kind == "duplicate-accepted")
    assert [step.request.method for step in found.steps if step.request.method == "POST"].count("POST") >= 2
    assert len(found.steps) <= MOST_REQUESTS
    assert found.curl.startswith("#!/bin/sh")


def test_findings_cost_few_requests() -> None:
    spent: list[int] = []
    target = WsgiTarget(Target(*BUGS), f"http://app.invalid{BASE}")
    made = Campaign(NHS, target, Settings(seed=1), cells())
    report = made.run()
    spent.append(made.pair.requests - report.requests)
    assert spent[0] <= MOST_REQUESTS * len(report.findings)


def test_one_cell_replays_alone() -> None:
    found = next(each for each in whole().findings if each.flaw.kind == "accepted-invalid")
    alone = tuple(each for each in cells() if each.number == found.case.number)
    assert found.flaw.identity in identities(campaign(part=alone).run())
    assert f"cell={found.case.number}, seed=1" in found.pytest
    compile(found.pytest, "snippet", "exec")


APP = Target(*BUGS)


def test_what_was_found_in_process_is_found_again_by_its_snippet() -> None:
    known = next(each for each in whole().findings if each.flaw.kind == "accepted-invalid")
    target = load_app("tests.unit.test_fuzz_campaign:APP", f"{BASE}/")
    report = run("nhs", target, Settings(seed=1, cell=known.case.number, shrink=False))
    snippet = report.findings[0].pytest
    made: dict[str, Any] = {}
    exec(compile(snippet, "snippet", "exec"), made)
    test = next(each for name, each in made.items() if name.startswith("test_"))
    with pytest.raises(AssertionError):
        test()
    exec(compile(snippet.replace("campaign:APP", "campaign:Target()"), "snippet", "exec"), made)
    test = next(each for name, each in made.items() if name.startswith("test_"))
    test()


def test_the_curl_line_of_what_was_found_in_process_asks_for_a_url(tmp_path: Path) -> None:
    request = Request("GET", "/x", (("a", "b c"),), Headers(), b"", "http://app.invalid/base")
    line = curl_of([Step(request, Response(200))])
    assert "app.invalid" not in line
    (tmp_path / "curl").write_text('#!/bin/sh\nfor last; do :; done\necho "$last"\n')
    (tmp_path / "curl").chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    asked = subprocess.run(["sh", "-c", line], env=env, capture_output=True, text=True, check=False)
    assert asked.returncode != 0
    assert asked.stdout == ""
    assert "APP_URL: serve the application, and give its URL" in asked.stderr
    served = subprocess.run(["sh", "-c", line], env={**env, "APP_URL": "http://127.0.0.1:1"}, capture_output=True, text=True)
    assert served.stdout == "http://127.0.0.1:1/base/x?a=b+c\n"
    assert served.stderr == ""


@pytest.mark.parametrize("where", [{}, {"url": "http://127.0.0.1:1", "app": "shop:app"}])
def test_one_target_is_replayed_on(where: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="Name one target"):
        replay("nhs", **where, cell=1)


def test_a_report_comes_back_from_its_json() -> None:
    told = as_json(whole())
    back = read_report(told, "report.json")
    assert as_json(back) == told
    parsed = json.loads(told)
    assert parsed["findings"][0].keys() >= {"operation", "class", "rules", "expected", "observed", "curl"}
    assert parsed["rules"]["nhs/bad-nhs-number"] == "broken"
    assert parsed["rules"]["nhs/bad-accept"] == "enforced"
    assert parsed["seed"] == 1
    lines = [json.loads(line) for line in as_ndjson(whole()).splitlines()]
    assert len(lines) == len(whole().findings) + 1
    assert lines[-1]["summary"]["findings"] == len(whole().findings)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"version": 9}', b'{"version": 1}'])
def test_what_is_no_report_is_told(text: bytes) -> None:
    with pytest.raises(UsageError, match=r"report\.json"):
        read_report(text, "report.json")


def test_secrets_and_odd_bytes_are_safe_in_curl() -> None:
    headers = Headers([("Authorization", "Bearer s3cret"), ("X", "it's"), ("Empty", "")])
    request = Request("POST", "/x", (), headers, b"\x00\xff'", "http://127.0.0.1")
    line = curl_of([Step(request, Response(200))])
    assert "s3cret" not in line
    assert "$MOCKSANDBOX_AUTH" in line
    assert "printf '\\000\\377\\047'" in line
    assert "'Empty;'" in line
    text = curl_of([Step(replace(request, body=b'{"a": "it\'s"}'), None)])
    assert "--data-binary" in text


def test_what_was_made_is_cleaned_up() -> None:
    server = Target()
    smoke = tuple(each for each in cells() if each.source == "smoke")
    Campaign(NHS, WsgiTarget(server, f"http://app.invalid{BASE}"), Settings(seed=1, clean_up=True), smoke).run()
    assert server.records
    assert not any(record.live for record in server.records.values())


def stocked(budget: int | None = None, **settings: Any) -> Report:
    """A campaign of the first cells, and schemathesis' examples after them."""
    from mocksandbox.schemathesis_bridge import stock

    phases = partial(stock, max_examples=2, phases=("examples",))
    return campaign(Settings(seed=1, budget=budget, stock=phases, **settings), part=cells()[:6]).run()


def test_phases_of_another_engine_come_last_and_their_requests_are_counted_apart() -> None:
    report = stocked()
    assert report.engines["mocksandbox"] >= sum(report.reached.values()) == 6
    assert report.engines["schemathesis"] > 0
    assert report.requests == sum(report.engines.values())
    assert "requests by mocksandbox" in FORMATS["terminal"](report).decode()


def test_a_budget_holds_for_them_too() -> None:
    report = stocked(budget=8)
    assert report.requests == 8
    assert report.engines["schemathesis"] > 0
    assert report.stopped == "the budget is used up"


def test_what_they_find_is_a_finding_with_its_request() -> None:
    def silly(_: Provider, target: Any, seed: int = 0, *, max_time: int | None = None) -> Iterator[tuple[Flaw, Step | None]]:
        step = target.send(Request("GET", "/Immunization/1"))
        yield Flaw("server-error", "readImmunization", (), "an answer", f"500 {seed}"), step
        yield Flaw("accepted-invalid", "createImmunization", ("nhs/bad-nhs-number",), "400", "201"), None
        yield Flaw("accepted-invalid", "createImmunization", (), "no", "201 ST201"), None

    report = campaign(Settings(seed=1, stock=silly), part=cells()[:1]).run()
    found = {each.flaw.identity: each for each in report.findings if each.case.source == "stock"}
    assert len(found) == 2, "what names no rule says less than what does"
    assert "/Immunization/1" in found["readImmunization|server-error||500 1"].curl
    assert found["createImmunization|accepted-invalid|nhs/bad-nhs-number|201"].title


def test_what_says_nothing_more_is_counted_with_what_says_it() -> None:
    times = {"a": 2, "b": 3, "c": 1, "d": 1, "e": 4}
    first = {
        "a": (Flaw("accepted-invalid", "x", ("r/1",), "400", "201"), 0),
        "b": (Flaw("accepted-invalid", "x", ("r/1", "r/2"), "400", "201"), 1),
        "c": (Flaw("accepted-invalid", "x", ("r/3", "r/2"), "400", "201"), 2),
        "d": (Flaw("read-your-write", "read", (), "", "lotNumber is missing"), 3),
        "e": (Flaw("read-your-write", "search", (), "", "found: lotNumber is missing"), 4),
    }
    first = {flaw.identity: (flaw, number) for flaw, number in first.values()}
    times = dict(zip(first, times.values(), strict=True))
    fold(first, times)
    assert [flaw.rules for flaw, _ in first.values()] == [("r/1",), ("r/3", "r/2"), ()]
    assert list(times.values()) == [5, 1, 5]
