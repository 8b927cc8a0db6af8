"""What the fuzzer makes of right and of wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import pytest

from mocksandbox import codec
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz import SandboxTarget, Settings, Step, run
from mocksandbox.fuzz.execute import Result, execute
from mocksandbox.fuzz.model import Flaw
from mocksandbox.fuzz.pair import Pair
from mocksandbox.fuzz.plan import Planned, plan
from mocksandbox.fuzz.reference import AHEAD, Reference, as_profile
from mocksandbox.fuzz.transport import RAISED, UNSENT
from mocksandbox.journal import Journal
from mocksandbox.provider import open_provider
from mocksandbox.provider.discovery import BUILT_IN
from mocksandbox.sandbox import Sandbox

NHS = as_profile(open_provider("nhs"), "")


@dataclass
class Changed:
    """The mock with something done to each of its answers."""

    change: Callable[[Request, Response], Response | str]
    name: str = "changed"
    base_url: str = "http://changed.invalid"

    def __post_init__(self) -> None:
        self.mock = SandboxTarget(Sandbox(NHS, journal=Journal(most_entries=1)), base_url=self.base_url)

    def send(self, request: Request) -> Step:
        step = self.mock.send(request)
        assert step.response is not None
        changed = self.change(request, step.response)
        if isinstance(changed, str):
            return replace(step, response=None, failure=changed)
        return replace(step, response=changed)


@cache
def cells() -> tuple[Planned, ...]:
    return plan(NHS, 0)


def cell(source: str, operation: str, name: str = "") -> Planned:
    return next(c for c in cells() if c.source == source and c.operation == operation and c.name.startswith(name))


def result(planned: Planned, change: Callable[[Request, Response], Response | str]) -> Result:
    pair = Pair(NHS, Changed(change), 0, "test")
    return execute(pair, planned, Reference(NHS, AHEAD))


def flaw(planned: Planned, change: Callable[[Request, Response], Response | str]) -> Flaw:
    flaws = result(planned, change).verdict.flaws
    assert flaws, "nothing was found"
    return flaws[0]


BROKEN = cell("rules", "createImmunization", "nhs/bad-nhs-number")
VALID = cell("smoke", "createImmunization")


def status(code: int) -> Callable[[Request, Response], Response]:
    return lambda _, answer: replace(answer, status=code)


def outcome(**changes: object) -> Callable[[Request, Response], Response]:
    def change(_: Request, answer: Response) -> Response:
        if answer.status < 400:
            return answer
        told = answer.json()
        told["issue"][0].update(changes)
        return replace(answer, body=codec.dumps(told))

    return change


def test_the_mock_as_it_is_has_no_flaw() -> None:
    for planned in (BROKEN, VALID):
        assert result(planned, lambda _, answer: answer).verdict.outcome == "pass"


def test_a_broken_request_that_is_accepted_is_found_with_its_rule() -> None:
    found = flaw(BROKEN, status(201))
    assert (found.kind, found.rules, found.expected, found.observed) == (
        "accepted-invalid",
        ("nhs/bad-nhs-number",),
        "400",
        "201",
    )


def test_a_refusal_with_another_status_is_found() -> None:
    assert flaw(BROKEN, status(422)).kind == "wrong-status"


def test_a_valid_request_that_is_refused_is_found() -> None:
    assert flaw(VALID, status(400)).kind == "rejected-valid"


@pytest.mark.parametrize("changes", [{"code": "processing"}, {"details": {}}])
def test_a_refusal_with_another_code_is_found(changes: dict[str, object]) -> None:
    kinds = {each.kind for each in result(BROKEN, outcome(**changes)).verdict.flaws}
    assert "wrong-outcome" in kinds


def test_a_refusal_that_does_not_say_where_is_found_and_one_that_says_it_in_words_is_not() -> None:
    silent = result(BROKEN, outcome(diagnostics="No.", expression=["x"])).verdict.flaws
    assert [each.observed for each in silent if each.kind == "wrong-outcome"] == ["400 place missing"]
    telling = result(BROKEN, outcome(diagnostics="contained: the value is wrong", expression=["x"])).verdict.flaws
    assert not [each for each in telling if each.kind == "wrong-outcome"]


def test_a_refusal_in_another_form_is_found() -> None:
    kinds = {each.kind for each in result(BROKEN, lambda _, answer: replace(answer, body=b"{}")).verdict.flaws}
    assert "wrong-outcome" in kinds


def test_a_refusal_that_repeats_a_name_is_found() -> None:
    def echo(request: Request, answer: Response) -> Response:
        family = request.json()["contained"][1]["name"][0]["family"]
        return outcome(diagnostics=f"contained: {family} is not known")(request, answer)

    planned = cell("rules", "createImmunization", "nhs/bad-gender")
    assert "echoed-person" in {each.kind for each in result(planned, echo).verdict.flaws}


@pytest.mark.parametrize(
    ("failure", "kind"),
    [("timeout", "no-answer"), ("ConnectionResetError", "no-answer"), (f"{RAISED} KeyError", "server-error")],
)
def test_no_answer_is_a_flaw(failure: str, kind: str) -> None:
    assert flaw(VALID, lambda *_: failure).kind == kind


def test_what_could_not_be_sent_says_nothing_of_the_target() -> None:
    found = result(VALID, lambda *_: f"{UNSENT}: ValueError")
    assert found.verdict.outcome == "pass"
    assert not found.conclusive


def test_a_failure_of_the_server_is_one_flaw_and_not_several() -> None:
    found = result(BROKEN, status(500)).verdict.flaws
    assert [each.kind for each in found] == ["server-error"]


def test_a_missing_header_is_found() -> None:
    found = result(VALID, lambda _, answer: answer.with_header("E-Tag", None)).verdict.flaws
    assert {each.kind for each in found} == {"headers"}


def test_a_label_that_the_mock_does_not_share_is_our_own_error() -> None:
    assert BROKEN.make is not None
    wrong = replace(BROKEN.make(), verdict="must-accept")
    found = result(replace(BROKEN, make=lambda: wrong), lambda _, answer: answer)
    assert found.verdict.outcome == "error"
    assert "labelled must-accept" in found.verdict.problem


def test_an_own_error_is_told_in_the_report_and_is_no_finding() -> None:
    from mocksandbox.fuzz.campaign import Campaign

    assert BROKEN.make is not None
    wrong = replace(BROKEN.make(), verdict="must-accept")
    campaign = Campaign(NHS, Changed(lambda _, answer: answer), Settings(), (replace(BROKEN, make=lambda: wrong),))
    report = campaign.run()
    assert not report.findings
    assert len(report.errors) == 1


@pytest.mark.parametrize("headers", [Headers(), Headers([("Location", "http://elsewhere.invalid/Immunization/x")])])
def test_a_location_that_leads_nowhere_is_found_in_the_first_life(headers: Headers) -> None:
    def change(request: Request, answer: Response) -> Response:
        if answer.status != 201:
            return answer
        return replace(answer, headers=Headers([*headers.pairs, ("E-Tag", "1")]))

    assert result(cell("lifecycle", "createImmunization", "/Immunization create"), change).verdict.flaws


@pytest.mark.heavy
@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_the_mocks_themselves_have_no_findings(name: str) -> None:
    target = SandboxTarget(Sandbox(open_provider(name), journal=Journal(most_entries=1)))
    report = run(name, target, Settings(budget=700))
    assert report.errors == ()
    assert [finding.flaw.identity for finding in report.findings] == []
    accepted, valid = report.accepted_valid
    assert accepted == valid > 0


def test_a_target_that_does_not_tell_callers_apart_is_found_and_one_that_does_is_not() -> None:
    callers = (("SupplierSystem", "NobodyKnowsThem"),)
    own = [each for each in plan(NHS, 0, callers) if each.caller]
    assert [each.operation for each in own] == [each.id for each in NHS.contract.operations]
    assert len(plan(NHS, 0)) == own[0].number, "the other cells have other numbers"
    for each in own:
        assert result(each, lambda _, answer: answer).verdict.outcome == "pass"

    blind = SandboxTarget(Sandbox(NHS, journal=Journal(most_entries=1)))

    def lets_all_in(request: Request, _: Response) -> Response:
        answer = blind.send(request.with_header("SupplierSystem", None)).response
        assert answer is not None
        return answer

    create = next(each for each in own if each.operation == "createImmunization")
    assert flaw(create, lets_all_in).kind == "authorisation"
