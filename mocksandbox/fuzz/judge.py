"""Judging an exchange: what a right server answers is known, and what came is compared with it."""

from __future__ import annotations

from collections.abc import Iterator

from mocksandbox.fuzz.conforming import conforming
from mocksandbox.fuzz.echoes import echoed
from mocksandbox.fuzz.model import Case, Flaw, Step, Verdict
from mocksandbox.fuzz.outcomes import beside, outcome_flaws, told_briefly
from mocksandbox.fuzz.reference import Right
from mocksandbox.fuzz.transport import RAISED, UNSENT
from mocksandbox.provider import Provider

INCONCLUSIVE = "inconclusive"
ABOUT_CALLER_OR_RECORD = (401, 403, 404, 410)
"""What a target may answer by reason of who asks, and of records that are not the campaign's."""


def judge(provider: Provider, case: Case, step: Step, right: Right, *, ours: bool = True) -> Verdict:
    """The verdict on a single request. `ours` says that it is about nothing, or about a record that the campaign made: what a
    target says of other records is no news.
    """
    payload = case.payload
    assert payload is not None
    refuses = right.response.status >= 400
    if payload.verdict == "must-reject" and not refuses:
        return Verdict("error", problem=f"{case.name} is labelled must-reject and the mock answers {right.response.status}")
    if payload.verdict == "must-accept" and refuses:
        return Verdict("error", problem=f"{case.name} is labelled must-accept and the mock answers {right.response.status}")
    if step.failure.startswith(UNSENT):
        return Verdict("pass", problem=f"{INCONCLUSIVE}: {step.failure}")
    if "%2f" in step.request.path.lower():  # servers, and what stands before them, read an encoded slash as they like
        return Verdict("pass", problem=f"{INCONCLUSIVE}: an encoded slash in the path")
    failed = failures(case.operation, case.rules, step)
    if failed or step.response is None:
        return Verdict("fail", tuple(failed))
    status = step.response.status
    if status == 429 or (not ours and status in ABOUT_CALLER_OR_RECORD and status != right.response.status):
        return Verdict("pass", problem=f"{INCONCLUSIVE}: {status}")
    flaws: list[Flaw] = []
    if payload.verdict == "must-reject":
        flaws += _refused(provider, case, step, right)
    elif payload.verdict == "must-accept" and not 200 <= status < 300:
        expected = f"{right.response.status}"
        told = told_briefly(provider, step.response)
        flaws.append(Flaw("rejected-valid", case.operation, (), expected, told, detail=_words(provider, step)))
    flaws += conforming(provider, step)
    if status >= 400:
        flaws += echoed(provider, case.operation, step, right)
    return Verdict("fail", tuple(flaws)) if flaws else Verdict("pass")


def judge_caller(case: Case, step: Step, right: Right) -> Verdict:
    """The verdict on a valid request that is asked as somebody: let in where the mock lets them in, and nowhere else."""
    failed = failures(case.operation, case.rules, step)
    if step.failure.startswith(UNSENT):
        return Verdict("pass", problem=f"{INCONCLUSIVE}: {step.failure}")
    if failed or step.response is None:
        return Verdict("fail", tuple(failed))
    status, wanted = step.response.status, right.response.status
    if (status < 400) is (wanted < 400) and (wanted < 400 or status == wanted):
        return Verdict("pass")
    said = "let do what they may not" if status < 400 <= wanted else "kept from what they may" if wanted < 400 else "refused"
    flaw = Flaw("authorisation", case.operation, (), f"{wanted}", f"{status}: callers are {said}", detail=case.name)
    return Verdict("fail", (flaw,))


def failures(operation: str, rules: tuple[str, ...], step: Step) -> list[Flaw]:
    """The flaws of a step to which a server failed, or did not answer."""
    if step.response is None:
        kind = "server-error" if step.failure.startswith(RAISED) else "no-answer"
        return [Flaw(kind, operation, (), "an answer below 500", step.failure)]
    if step.response.status >= 500:
        return [Flaw("server-error", operation, (), "an answer below 500", str(step.response.status))]
    return []


def _refused(provider: Provider, case: Case, step: Step, right: Right) -> Iterator[Flaw]:
    """What is wrong with the answer to a request that has to be refused."""
    assert step.response is not None
    assert case.payload is not None
    status = step.response.status
    may = {right.response.status, *(rule.status for rule in beside(provider, case))}
    expected = " or ".join(str(each) for each in sorted(may))
    at = next((finding.at for finding in right.findings), "")
    message = next((finding.message for finding in right.findings), "")
    if status < 400:
        yield Flaw("accepted-invalid", case.operation, case.rules, expected, str(status), at, message)
    elif status not in may:
        told = told_briefly(provider, step.response)
        yield Flaw("wrong-status", case.operation, case.rules, expected, told, at, _words(provider, step))
    else:
        yield from outcome_flaws(provider, case, step, right)


def _words(provider: Provider, step: Step) -> str:
    told = provider.told(step.response) if provider.told is not None and step.response is not None else None
    return told.text[:300] if told is not None else ""
