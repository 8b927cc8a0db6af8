"""What the forms of a report hold, read as the tools that take them read them."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from mocksandbox.fuzz.model import ORACLES
from mocksandbox.fuzz.reports import written
from mocksandbox.fuzz.reports.github import command, summary
from mocksandbox.fuzz.reports.outline import short_id
from mocksandbox.fuzz.reports.terminal import terminal
from tests.unit.test_reports_made import HOSTILE, finding, full, hostile, report


def junit(made: Any) -> ElementTree.Element:
    return ElementTree.fromstring(written(made, "junit").decode())


def test_junit_has_one_case_for_each_rule_and_for_each_class() -> None:
    made = report(finding())
    names = [(case.get("classname"), case.get("name")) for case in junit(made).iter("testcase")]
    assert len(names) == len(set(names)) == len(made.rules) + len(ORACLES)
    failed = [case for case in junit(made).iter("testcase") if case.find("failure") is not None]
    assert [case.get("name") for case in failed] == ["bad-nhs-number"]
    assert "curl -X POST" in (failed[0].findtext("failure") or "")


def test_junit_counts_what_it_holds() -> None:
    root = junit(full())
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped"), ("errors", "error")):
        assert int(root.get(attribute, "")) == len(list(root.iter(tag))) > 0
    assert int(root.get("tests", "")) == sum(int(suite.get("tests", "")) for suite in root.findall("testsuite"))


def test_junit_fails_a_rule_that_is_said_to_be_enforced_and_has_a_finding() -> None:
    made = report(finding(), rules={"nhs/bad-nhs-number": "enforced"})
    assert [case.get("name") for case in junit(made).iter("testcase") if case.find("failure") is not None] == [
        "bad-nhs-number"
    ]


def test_sarif_points_each_result_to_its_own_rule() -> None:
    run = json.loads(written(full(), "sarif"))["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    assert len(run["results"]) == len(full().findings)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        places = [place for location in result["locations"] for place in location["logicalLocations"]]
        assert all(place["fullyQualifiedName"].startswith("nhs/") for place in places)
    prints = [result["partialFingerprints"]["mocksandboxIdentity/v1"] for result in run["results"]]
    assert prints == [short_id(each.flaw) for each in sorted(full().findings, key=lambda f: prints.index(short_id(f.flaw)))]
    assert len(set(prints)) == len(prints)
    assert run["invocations"][0]["executionSuccessful"] is False, "there was an error of our own"


def test_har_holds_every_exchange_and_no_lost_byte() -> None:
    log = json.loads(written(full(), "har"))["log"]
    assert log["version"] == "1.2"
    assert len(log["entries"]) == sum(len(each.steps) for each in full().findings)
    raw = [entry["request"]["postData"] for entry in log["entries"] if entry["request"].get("postData", {}).get("_encoding")]
    assert [base64.b64decode(each["text"]) for each in raw] == [b"\xff\xfe\x00raw"]
    lost = [entry for entry in log["entries"] if entry["response"]["status"] == 0]
    assert [entry["_error"] for entry in lost] == ["timed out"]
    starts = [entry["startedDateTime"] for entry in log["entries"]]
    assert starts == sorted(starts)


def test_github_gets_one_command_a_line_whatever_a_payload_holds() -> None:
    lines = written(hostile(), "github").decode().split("\n")
    assert all(re.match(r"::(error|warning|notice) title=[^:]*::", line) for line in lines if line)
    assert len([line for line in lines if line]) == 3
    assert command("error", "a,b:c", "x%\r\n::error::y") == "::error title=a%2Cb%3Ac::x%25\\u000d%0A::error::y"


def test_github_leaves_out_what_would_not_be_shown_and_says_so() -> None:
    many = [finding(kind=kind) for kind in ORACLES]
    lines = written(report(*many), "github").decode().splitlines()
    assert len([line for line in lines if line.startswith("::error")]) == 10
    assert f"{len(many) - 10} more findings" in lines[-1]


def test_the_summary_of_a_job_stays_within_its_table() -> None:
    rows = [line for line in summary(hostile()).decode().splitlines() if line.startswith("| ")]
    assert len(rows) == 3
    assert all(row.count("|") == 6 for row in rows)
    assert "<script" not in summary(hostile()).decode()


@pytest.mark.parametrize("colour", [False, True])
def test_a_terminal_obeys_only_our_colours(colour: bool) -> None:
    text = terminal(hostile(), colour=colour).decode()
    rest = re.sub(r"\x1b\[[0-9;]*m", "", text) if colour else text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", rest)
    assert ("\x1b[31m" in text) is False, "the payload's own sequence is spelled out"


def test_a_terminal_gets_the_numbers() -> None:
    text = terminal(full()).decode()
    assert "99 of 100 (99.0 %)" in text
    assert "not reached: 50 of random" in text
    assert "stopped: --max-time" in text
    assert "our own error, not the target's: a label disagrees" in text


class Page(HTMLParser):
    """The elements and attributes of a page, and the text in its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)


def test_the_page_has_one_script_whatever_a_payload_holds() -> None:
    plain, attacked = Page(written(report(), "html").decode()), Page(written(hostile(), "html").decode())
    assert attacked.scripts == plain.scripts
    assert len(plain.scripts) == 1
    ours = {tag for tag, _ in Page(written(full(), "html").decode()).elements}
    assert {tag for tag, _ in attacked.elements} <= ours
    assert not [name for _, attributes in attacked.elements for name in attributes if name.startswith("on")]
    assert "\u2028" not in written(hostile(), "html").decode()
    assert HOSTILE not in written(hostile(), "html").decode(errors="replace")


def test_the_page_asks_nobody_for_anything() -> None:
    elements = Page(written(full(), "html").decode()).elements
    addresses = [str(value) for _, each in elements for name, value in each.items() if name in ("src", "href", "action")]
    assert all(address.startswith("#") or address == "data:," for address in addresses)
    policy = next(str(each["content"]) for _, each in elements if each.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_every_link_of_the_page_leads_somewhere() -> None:
    elements = Page(written(full(), "html").decode()).elements
    ids = [str(each["id"]) for _, each in elements if "id" in each]
    assert len(ids) == len(set(ids))
    assert {str(each["href"])[1:] for tag, each in elements if tag == "a"} <= set(ids)
    labelled = {str(each.get("aria-labelledby")) for _, each in elements if each.get("aria-labelledby")}
    assert labelled <= set(ids)


def test_the_page_reads_without_its_provider() -> None:
    made = report(finding(), provider="not-installed-here")
    assert b"nhs/bad-nhs-number" in written(made, "html")
