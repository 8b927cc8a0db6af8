"""Reports to test with: one with everything that a run has, one of nothing, one whose every text is hostile; and that each is
written in every form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mocksandbox.errors import UsageError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz.model import ORACLES, Case, Finding, Flaw, Report, Step
from mocksandbox.fuzz.reports import FILES, FORMATS, written
from mocksandbox.generators import broken_payloads
from mocksandbox.provider import open_provider

HOSTILE = "</script><script>alert(1)</script><!--\u2028\x1b[31m]]>\"'&::error::x%0A|`\r\n\x00\ud800\u202e"
BASE = "http://127.0.0.1:9"
OUTCOME = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invariant","diagnostics":"no"}]}'


def finding(
    rule: str = "nhs/bad-nhs-number", kind: str = "accepted-invalid", operation: str = "createImmunization"
) -> Finding:
    """A finding about a real rule, with the request that a real cell sends."""
    rules = (rule,) if rule else ()
    told = open_provider("nhs").catalogue[rule] if rule else None
    payload = next(broken_payloads(f"nhs/{operation}", 1, rule=rule or "nhs/bad-nhs-number"))
    request = replace(payload.request, base_url=BASE, headers=payload.request.headers.with_("Authorization", "Bearer s3cret"))
    answer = Response(201, Headers([("Location", f"{BASE}/Immunization/1")]))
    return Finding(
        Flaw(kind, operation, rules, "400 invariant", "201", at="Immunization.contained[1].identifier[0].value"),
        Case(137, "rules", f"{rule}/check-digit", operation, payload, rules),
        (Step(request, answer, 0.012),),
        times=3,
        curl=f"curl -X POST {BASE}/Immunization -d '{{}}'",
        pytest="def test_it(): ...",
        changed=(("Immunization.contained[1].identifier[0].value", "9000000009", "9000000008"),),
        title=told.title if told else "",
        why=told.why if told else "",
        source=told.source if told else "",
        severity="high",
    )


def report(*findings: Finding, **changes: object) -> Report:
    """A report of the NHS provider with these findings."""
    ids = [rule.id for rule in open_provider("nhs").catalogue]
    broken = {rule for each in findings for rule in each.flaw.rules}
    reached = {id: "not reached" if number % 7 == 0 else "enforced" for number, id in enumerate(ids)}
    outcomes = {**reached, **dict.fromkeys(broken, "broken")}
    made = Report(
        provider="nhs",
        target=BASE,
        seed=42,
        requests=900,
        seconds=12.5,
        findings=findings,
        rules=outcomes,  # type: ignore[arg-type]  # the three words
        planned={"rules": 500, "random": 400},
        reached={"rules": 500, "random": 350},
        matrix={id: {"201": 2, "400": 1} if id in broken else {"400": 4} for id in ids},
        accepted_valid=(99, 100),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def full() -> Report:
    """A finding of every class, with and without rules, one of several steps, one without an answer."""
    found = [finding()]
    for number, kind in enumerate(ORACLES):
        flaw = Flaw(kind, ("updateImmunization", "deleteImmunization")[number % 2], (), "another answer", f"{400 + number}")
        found.append(replace(found[0], flaw=flaw, title="", why="", source="", severity=("high", "medium", "low")[number % 3]))
    lost = replace(found[0].steps[0], response=None, failure="timed out", seconds=10.0)
    deleted = replace(lost, request=Request("DELETE", "/Immunization/1", base_url=BASE), response=Response(204), failure="")
    pair = Flaw("accepted-invalid", "updateImmunization", ("nhs/bad-nhs-number", "nhs/bad-postal-code"), "400", "200")
    found.append(replace(found[0], flaw=replace(pair, kind="no-answer"), steps=(found[0].steps[0], deleted, lost)))
    raw = replace(found[0].steps[0], request=replace(found[0].steps[0].request, body=b"\xff\xfe\x00raw"))
    found.append(replace(found[0], flaw=pair, steps=(raw,), times=1))
    return report(*found, errors=("a label disagrees",), stopped="--max-time")


def hostile() -> Report:
    """A report whose every text was written to break out of where it stands."""
    request = Request(
        "POST", f"/{HOSTILE}", (("a", HOSTILE),), Headers([("X-A", HOSTILE)]), HOSTILE.encode("utf-8", "replace"), BASE
    )
    answer = Response(400, Headers([("Content-Type", HOSTILE), ("Location", HOSTILE)]), HOSTILE.encode("utf-8", "replace"))
    flaw = Flaw("wrong-outcome", HOSTILE, (f"nhs/{HOSTILE}",), HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    made = Finding(
        flaw,
        Case(1, HOSTILE, HOSTILE, HOSTILE),
        (Step(request, answer), Step(request, None, 1.0, HOSTILE)),
        curl=HOSTILE,
        pytest=HOSTILE,
        changed=((HOSTILE, {HOSTILE: HOSTILE}, [HOSTILE]),),
        title=HOSTILE,
        why=HOSTILE,
        source=HOSTILE,
    )
    alone = replace(made, flaw=replace(flaw, rules=(), kind=HOSTILE))
    outcomes = {f"nhs/{HOSTILE}": "broken"}
    return Report(
        HOSTILE,
        HOSTILE,
        1,
        1,
        0.1,
        (made, alone),
        outcomes,
        {HOSTILE: 2},
        {HOSTILE: 1},
        (HOSTILE,),
        {f"nhs/{HOSTILE}": {HOSTILE: 1}},
        HOSTILE,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("make", [full, report, hostile])
def test_every_form_writes_every_report(form: str, make: Callable[[], Report]) -> None:
    text = written(make(), form)
    text.decode("utf-8")
    assert text == written(make(), form), "the same report is written in the same way"
    assert text or (form in ("github", "terminal") and make is report)


@pytest.mark.parametrize("form", ["json", "ndjson", "html", "har", "junit", "sarif", "github", "terminal"])
def test_no_form_tells_a_secret(form: str) -> None:
    assert b"s3cret" not in written(full(), form)


def test_a_form_that_there_is_not_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'sarif'"):
        written(report(), "sarf")


def test_every_form_has_a_file() -> None:
    assert FILES.keys() == FORMATS.keys()
