"""The referee: it prepares what schemathesis sends to one target, and judges what comes back, as our own runner does."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.contract import Match
from mocksandbox.exchange import Request
from mocksandbox.fuzz.execute import case_of, send_payload
from mocksandbox.fuzz.judge import ABOUT_CALLER_OR_RECORD, judge
from mocksandbox.fuzz.model import Case, Flaw, Step
from mocksandbox.fuzz.pair import Pair, Subject
from mocksandbox.fuzz.plan import Planned
from mocksandbox.fuzz.records import IDENTIFIER, kind_of, new_id
from mocksandbox.fuzz.reference import Right
from mocksandbox.fuzz.rewriting import fresh, rewritten
from mocksandbox.fuzz.transport import Target
from mocksandbox.generators import Payload, Verdict, label
from mocksandbox.provider import Provider
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import get

_MOST_REMEMBERED = 2000


class _HandedOver(Exception):  # noqa: N818  # it is no error
    """A cell's own request, ready to be sent, and its like for the reference."""

    def __init__(self, request: Request, right_request: Request) -> None:
        super().__init__()
        self.request, self.right_request = request, right_request


class _Preparing(Pair):
    """A pair that sends what a cell needs before it, and hands over the cell's own request, which schemathesis sends."""

    _depth = 0

    def new_subject(self, *arguments: Any, **named: Any) -> Subject | None:
        """A record of its own, made now."""
        return self._before(lambda: super(_Preparing, self).new_subject(*arguments, **named))

    def step_of(self, *arguments: Any, **named: Any) -> Subject | None:
        """A subject after a step."""
        return self._before(lambda: super(_Preparing, self).step_of(*arguments, **named))

    def both(self, request: Request, right_request: Request | None = None) -> tuple[Step, Right]:
        """Both answers to what is sent before; the cell's own request is raised."""
        if self._depth:
            return super().both(request, right_request)
        raise _HandedOver(request, right_request or request)

    def _before(self, make: Callable[[], Subject | None]) -> Subject | None:
        self._depth += 1
        try:
            return make()
        finally:
            self._depth -= 1


@dataclass
class _Sent:
    """What was sent of a cell: it, its payload, and the reference's request."""

    planned: Planned
    payload: Payload
    request: Request
    right_request: Request


class Referee:
    """Prepares what schemathesis sends to one target, and judges what comes back."""

    def __init__(self, provider: Provider, target: Target, seed: int = 0) -> None:
        self.provider, self.seed, self.nonce = provider, seed, uuid4().hex
        self.pair = _Preparing(provider, target, seed, self.nonce)
        self.cells: dict[str, Planned] = {}
        self.judged: OrderedDict[str, tuple[tuple[Flaw, ...], Right | None]] = OrderedDict()
        self.judged_cells = self.judged_others = 0
        self.lock = RLock()
        self._sent: dict[str, _Sent] = {}
        self._ids: dict[str, str] = {}

    def operation(self, method: str, path: str) -> str:
        """The provider's name of an operation; empty when it has none such."""
        found = (each for each in self.provider.contract.operations if (each.method, each.path) == (method.upper(), path))
        return next((each.id for each in found), "")

    def prepare(self, id: str) -> Request | None:
        """The request of the cell that a case stands for, after everything that it needs; None when that cannot be had."""
        planned = self.cells[id]
        assert planned.make is not None
        payload = planned.make()
        with self.lock:
            try:
                send_payload(self.pair, planned, payload)
            except _HandedOver as ready:
                self._sent[id] = _Sent(planned, payload, ready.request, ready.right_request)
                return ready.request
        return None

    def judge(self, id: str, operation: str, step: Step) -> tuple[Flaw, ...]:
        """The flaws of an answer: to a cell that was prepared, or to whatever else was sent."""
        with self.lock:
            sent = self._sent.pop(id, None)
            self.judged_cells += sent is not None
            self.judged_others += sent is None
            flaws, right = self._cell(sent, step) if sent is not None else self._other(operation, step)
            self.judged[id] = flaws, right
            if len(self.judged) > _MOST_REMEMBERED:
                self.judged.popitem(last=False)
            return flaws

    def _cell(self, sent: _Sent, step: Step) -> tuple[tuple[Flaw, ...], Right]:
        right = self.pair.reference.answer(sent.right_request)
        name = sent.planned.operation
        about = kind_of(self.pair.kinds, self.provider.contract.operation(name).path)
        ours = about is None or name in self.pair.subjects or bool(sent.planned.needs)
        step = replace(step, request=replace(sent.request, base_url=step.request.base_url))
        verdict = judge(self.provider, case_of(sent.planned, sent.payload), step, right, ours=ours)
        status = step.response.status if step.response is not None else 0
        if sent.request.method != "GET" and not (400 <= status < 500 and right.response.status >= 400):
            self.pair.subjects.pop(name, None)  # it is not what it was
        return verdict.flaws, right

    def _other(self, operation: str, step: Step) -> tuple[tuple[Flaw, ...], Right]:
        request = step.request
        named = tuple((id, right) for id, right in self._ids.items() if id in request.path)
        moved = rewritten(request, named)
        right = self.pair.reference.answer(moved)
        if step.response is not None and step.response.status == 201 and right.response.status == 201:
            ids = new_id(step.response), new_id(right.response)
            self._ids.update({ids[0]: ids[1]} if all(ids) else {})
        match = self.provider.contract.router.find(request.method, request.path)
        found = label(self.provider, Attempt(moved, self.provider.contract, match))
        broken = frozenset(each.rule.id for each in right.findings)
        refused = right.response.status >= 400
        verdict: Verdict = "must-reject" if refused else "either" if found.verdict == "must-reject" else found.verdict
        payload = Payload(f"{self.provider.name}/{operation}", request, None, verdict, broken, "schemathesis")
        ours = not (isinstance(match, Match) and match.parameters) or bool(named)
        status = step.response.status if step.response is not None else 0
        stateful = any(each.rule.stage in self.provider.stateful for each in right.findings)
        if not ours and step.response is not None and (stateful or status in ABOUT_CALLER_OR_RECORD):
            # The target may have records that are not ours: whatever it says of them is taken for right.
            return (), Right(step.response)
        case = Case(0, "stock", "schemathesis", operation, payload, tuple(sorted(broken)))
        return judge(self.provider, case, step, right, ours=ours).flaws, right

    def renewed(self, request: Request) -> Request:
        """A request whose record's identifier no run before had; within a run the same one stays the same."""
        exchanged = self.new_identifier(request.body)
        return rewritten(request, (exchanged,)) if exchanged is not None else request

    def new_identifier(self, body: bytes) -> tuple[str, str] | None:
        """What of a body's identifier is exchanged, and what for; None when there is nothing that can be."""
        try:
            value = get(codec.loads(body), IDENTIFIER) if body else None
        except ValueError:
            return None
        if not isinstance(value, str) or len(value) < 3 or not value.isascii():
            return None
        old, new = fresh(value, hashlib.sha256(f"{self.nonce}:{value}".encode()).hexdigest()[:12])
        return (old, new) if old.strip() else None
