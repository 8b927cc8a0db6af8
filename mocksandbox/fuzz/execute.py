"""Carrying out one cell: the payload is made, what it is about is prepared, both get it, and the answer is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mocksandbox.exchange import Request
from mocksandbox.fuzz.judge import INCONCLUSIVE, judge, judge_caller
from mocksandbox.fuzz.lifecycle.run import Life
from mocksandbox.fuzz.model import Case, Step, Verdict
from mocksandbox.fuzz.pair import Pair, Subject
from mocksandbox.fuzz.person import own_person
from mocksandbox.fuzz.plan import Planned
from mocksandbox.fuzz.records import IDENTIFIER, kind_of
from mocksandbox.fuzz.reference import Reference
from mocksandbox.fuzz.rewriting import Exchanged, fresh, mentions, rewritten, spellings
from mocksandbox.generators import Payload
from mocksandbox.rules.places import get


@dataclass(frozen=True)
class Result:
    """What became of a cell. `shown` tells after how many of the steps a flaw, named by its identity, was seen."""

    case: Case
    verdict: Verdict
    steps: tuple[Step, ...] = ()
    shown: Mapping[str, int] = field(default_factory=dict)

    def telling(self, identity: str) -> tuple[Step, ...]:
        """The steps that it takes to see a flaw: the one that shows it, and what changed something before it."""
        number = self.shown.get(identity)
        if number is None:
            return self.steps
        *before, last = self.steps[:number]
        return (*(step for step in before if not _only_looks(step.request)), last)

    @property
    def conclusive(self) -> bool:
        """Whether the cell says anything about the target."""
        return not self.verdict.problem.startswith(INCONCLUSIVE)


def execute(pair: Pair, planned: Planned, twin: Reference) -> Result:
    """A cell's result. Never raises for what a target does.

    Raises:
        OutOfRequestsError: the cap is reached.
    """
    if planned.sequence is not None:
        return _live(pair, planned, twin)
    assert planned.make is not None
    return send_payload(pair, planned, planned.make())


def _live(pair: Pair, planned: Planned, twin: Reference) -> Result:
    assert planned.sequence is not None
    case = Case(planned.number, planned.source, planned.name, planned.operation)
    life = Life(pair, twin, planned.sequence, planned.number)
    life.lead()
    flaws = tuple({flaw.identity: flaw for flaw in life.flaws}.values())
    return Result(case, Verdict("fail", flaws) if flaws else Verdict("pass"), life.steps, life.shown)


def _only_looks(request: Request) -> bool:
    return request.method == "GET" or request.path.endswith("/_search")


def case_of(planned: Planned, payload: Payload) -> Case:
    """The case of a cell: its rules are the one that it was made to break, else all that it breaks."""
    rules = (planned.rule,) if planned.rule in payload.broken and planned.source != "pairs" else tuple(sorted(payload.broken))
    return Case(planned.number, planned.source, planned.name, planned.operation, payload, rules)


def send_payload(pair: Pair, planned: Planned, payload: Payload) -> Result:
    """The result of a payload in the place of a cell's own: the same one, or a smaller one."""
    case = case_of(planned, payload)
    operation = pair.provider.contract.operation(planned.operation)
    kind = kind_of(pair.kinds, operation.path)
    subject = None
    if kind is not None or planned.needs:
        wanted = kind or next((each for each in pair.kinds if f"{operation.path}/".startswith(f"{each.collection}/")), None)
        if wanted is None:
            return Result(case, Verdict("pass", problem=f"{INCONCLUSIVE}: no record can be made"))
        near = planned.operation
        subject = pair.new_subject(wanted, near) if planned.needs and pair.remembers else pair.subject(wanted, near)
        for needed in planned.needs[1:] if subject is not None else ():
            subject = pair.step_of(subject, needed, near) if subject is not None else None
        if subject is None and planned.needs:
            return Result(case, Verdict("pass", problem=f"{INCONCLUSIVE}: the record could not be brought into its state"))
    if subject is not None and planned.needs:
        request, right_request = pair.broken(planned.rule, planned.name.rpartition("/")[2], planned.operation, subject)
    elif subject is not None and kind is not None:
        request, right_request = pair.about(payload.request, planned.operation, subject)
    else:
        exchanged = own_person(pair, planned.operation, planned.seed) or _renamed(pair, planned, payload)
        request = right_request = rewritten(payload.request, exchanged)
    if planned.caller is not None:
        request, right_request = request.with_header(*planned.caller), right_request.with_header(*planned.caller)
    step, right = pair.both(request, right_request)
    if planned.caller is not None:
        verdict = judge_caller(case, step, right)
    else:
        verdict = judge(pair.provider, case, step, right, ours=kind is None or subject is not None)
    if verdict.outcome == "error" and _new_agrees(pair, payload):
        verdict = Verdict("pass", problem=f"{INCONCLUSIVE}: what was sent before decides here")
    _used(pair, planned.operation, subject, step, right.response.status)
    return Result(case, verdict, (*(subject.steps if subject is not None else ()), step))


def _renamed(pair: Pair, planned: Planned, payload: Payload) -> Exchanged:
    """Exchanges that make a request about a record that is new, where an identifier tells one from another."""
    if planned.sequence is not None or pair.provider.contract.operation(planned.operation).method != "POST":
        return ()
    bodies = [base.body for base in pair.bases(planned.operation, planned.seed)]
    if payload.verdict != "must-reject" and payload.defect is None:
        bodies.append(body_of(payload))
    named = [get(body, IDENTIFIER[:2]) for body in bodies if isinstance(body, dict)]
    token = pair.token()
    values = dict.fromkeys(each["value"] for each in named if isinstance(each, dict) and isinstance(each.get("value"), str))
    pairs = [fresh(value, token) for value in values if len(value) > 2]
    if payload.verdict != "must-reject" and not any(mentions(payload.request, old) for old, _ in pairs):
        systems = dict.fromkeys(
            each["system"] for each in named if isinstance(each, dict) and isinstance(each.get("system"), str)
        )
        pairs = [(system, f"{system}/{token}") for system in systems if system]
    return spellings(pairs)


def body_of(payload: Payload) -> Any:
    """The JSON body of a payload; None when it has none."""
    try:
        return payload.body if payload.request.body else None
    except ValueError:
        return None


def _new_agrees(pair: Pair, payload: Payload) -> bool:
    """Whether a new reference, in which nothing has happened, answers as the label says."""
    request: Request = replace(payload.request)
    refused = Reference(pair.provider).answer(request).response.status >= 400
    return refused is (payload.verdict == "must-reject")


def _used(pair: Pair, operation: str, subject: Subject | None, step: Step, right_status: int) -> None:
    """A subject that was changed, or may have been, is not used again."""
    if subject is None or pair.subjects.get(operation) is not subject:
        return
    refused = step.response is not None and 400 <= step.response.status < 500
    reads = step.request.method == "GET"
    if (not reads and not (refused and right_status >= 400)) or (reads and step.response is None):
        del pair.subjects[operation]
