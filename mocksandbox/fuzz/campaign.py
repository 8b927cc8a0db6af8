"""A campaign: the plan, cell after cell, against one target; and what was found out."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from mocksandbox.errors import UsageError
from mocksandbox.fuzz.diary import Diary, Line
from mocksandbox.fuzz.execute import Result, execute
from mocksandbox.fuzz.findings import findings_of
from mocksandbox.fuzz.model import BY_HAND, Finding, Report
from mocksandbox.fuzz.pair import OutOfRequestsError, Pair
from mocksandbox.fuzz.plan import Callers, Planned, plan
from mocksandbox.fuzz.reference import AHEAD, Reference, as_profile
from mocksandbox.fuzz.stock import Stock, stock_findings
from mocksandbox.fuzz.storm import Storm
from mocksandbox.fuzz.summary import matrix, rule_outcomes
from mocksandbox.fuzz.transport import Target, reach
from mocksandbox.provider import Provider, open_provider
from mocksandbox.sandbox.elsewhere import sort_of, suspicion

NO_ANSWER = "no answer"

Progress = Callable[[int, int, Result], None]
"""Told after each cell: how many are done, of how many, and the result."""


@dataclass(frozen=True)
class Settings:
    """How a campaign is run. `budget` is the most requests; `max_time` the most seconds; `cell` runs one cell alone;
    `shard` is (which, of how many); `rate` the most requests a second; `clean_up` deletes what was made; `shrink` makes the
    examples small; `without` are beginnings of names of cells that are left out; `callers` are
    who else is to ask; `stock` are phases of another engine, which come last.
    """

    seed: int = 0
    profile: str = ""
    budget: int | None = None
    max_time: float | None = None
    cell: int | None = None
    shard: tuple[int, int] = (0, 1)
    rate: float | None = None
    clean_up: bool = False
    diary: Path | None = None
    resume: bool = False
    shrink: bool = True
    sources: frozenset[str] = frozenset()
    without: tuple[str, ...] = ()
    callers: Callers = ()
    stock: Stock | None = None


def chosen(provider: Provider, settings: Settings) -> tuple[Planned, ...]:
    """The cells of the plan that a campaign is to run, in order.

    Raises:
        UsageError: there is no such cell.
    """
    whole = plan(provider, settings.seed, settings.callers)
    if settings.cell is not None:
        if not 0 <= settings.cell < len(whole):
            raise UsageError(f"No cell {settings.cell}: the plan of this seed has 0 to {len(whole) - 1}.")
        return (whole[settings.cell],)
    part, parts = settings.shard
    return tuple(
        each
        for each in whole
        if each.number % parts == part
        and (not settings.sources or each.source in settings.sources)
        and not each.name.startswith(settings.without or ("\0",))
    )


def run(name: str | Provider, target: Target, settings: Settings | None = None, progress: Progress | None = None) -> Report:
    """Fire a provider's plan at a target.

    Raises:
        UsageError: there is no such provider, profile or cell.
        TargetError: nothing answers at the very start.
    """
    settings = settings or Settings()
    provider = as_profile(name if isinstance(name, Provider) else open_provider(name), settings.profile)
    return Campaign(provider, target, settings, chosen(provider, settings)).run(progress)


class Campaign:
    """One run of some cells against a target."""

    def __init__(self, provider: Provider, target: Target, settings: Settings, cells: tuple[Planned, ...]) -> None:
        """Ready to run."""
        self.provider, self.target, self.settings, self.cells = provider, target, settings, cells
        pace = _pace(settings.rate)
        self.pair = Pair(provider, target, settings.seed, uuid4().hex, pace, settings.budget)
        self.twin = Reference(provider, AHEAD)
        self.stopped = ""
        self._results: dict[int, Result] = {}
        self._answers: list[tuple[int, str]] = []
        self._began = time.monotonic()

    def run(self, progress: Progress | None = None) -> Report:
        """Run the cells, and find out what is wrong."""
        probe = self.pair.bases(self.cells[0].operation if self.cells else self.provider.contract.operations[0].id)[0].request
        reach(self.target, probe)
        self.diary = Diary(self._head(), self.settings.diary, resume=self.settings.resume)
        try:
            self._unless_stopped(lambda: self._fire(Storm(lambda: self.target.send(probe)), progress))
            own = sum(line.requests for line in self.diary.lines)
            left = None if self.pair.most is None else self.pair.most - self.pair.requests
            found = self._findings()
        finally:
            self.diary.close()
        engines = {"mocksandbox": own}
        if self.settings.stock is not None and not self.stopped:
            self.pair.most = None if left is None else self.pair.requests + left
            before = self.pair.requests
            until = None if self.settings.max_time is None else self._began + self.settings.max_time
            others, self.stopped = stock_findings(self.settings.stock, self.pair, found, until)
            found = (*found, *others)
            engines["schemathesis"] = self.pair.requests - before
        if self.settings.clean_up:
            self.pair.most = None
            self._unless_stopped(self.pair.clean_up)
        return self._report(found, engines)

    def _unless_stopped(self, work: Callable[[], object]) -> None:
        """Do it until Ctrl-C."""
        try:
            work()
        except KeyboardInterrupt:
            self.stopped = BY_HAND

    def _head(self) -> dict[str, object]:
        names = "\n".join(f"{each.number} {each.source} {each.operation} {each.name}" for each in self.cells)
        return {
            "provider": self.provider.name,
            "profile": self.provider.default_profile,
            "target": self.target.base_url,
            "seed": self.settings.seed,
            "shard": list(self.settings.shard),
            "plan": hashlib.sha256(names.encode("utf-8", "replace")).hexdigest()[:16],
        }

    def _fire(self, storm: Storm, progress: Progress | None) -> None:
        done = {line.number for line in self.diary.lines}
        if self.pair.most is not None:
            self.pair.most -= sum(line.requests for line in self.diary.lines)
        for count, planned in enumerate(self.cells, 1):
            if planned.number in done:
                continue
            if self.settings.max_time is not None and time.monotonic() - self._began > self.settings.max_time:
                self.stopped = f"the time of {self.settings.max_time:g} s is over"
                return
            before = self.pair.requests
            try:
                result = execute(self.pair, planned, self.twin)
            except OutOfRequestsError:
                self.stopped = f"the budget of {self.settings.budget} requests is used up"
                return
            self.diary.add(_line(result, self.pair.requests - before))
            if result.verdict.flaws:
                self._results[planned.number] = result
            self._keep_answer(result)
            if progress is not None:
                progress(count, len(self.cells), result)
            gone = storm.gone(result.steps[-1] if result.steps else None)
            if gone:
                self.stopped = f"{gone} (at cell {planned.number}, {planned.name})"
                return

    def _keep_answer(self, result: Result) -> None:
        """Remember what came to a valid request, by which one sees whether the target is the API at all."""
        response = result.steps[-1].response if result.steps else None
        payload = result.case.payload
        if payload is not None and payload.verdict == "must-accept" and response is not None:
            self._answers.append(sort_of(response))

    def _findings(self) -> tuple[Finding, ...]:
        by_number = {each.number: each for each in self.cells}
        lines = [line for line in self.diary.lines if line.number in by_number]
        # What examples cost comes on top: a campaign that found something must be able to show it.
        self.pair.most = None
        gone = self.stopped.startswith("the target")
        if self.stopped == BY_HAND:
            return self._found(lines, by_number, shrink=False, replay=False)
        while gone and len(lines) > 1 and lines[-1].status == lines[-2].status == NO_ANSWER:
            lines.pop()  # of a target that has gone, the first request without an answer tells why
        try:
            return self._found(lines, by_number, shrink=self.settings.shrink and not gone, replay=not gone)
        except KeyboardInterrupt:
            self.stopped = BY_HAND
            return self._found(lines, by_number, shrink=False, replay=False)

    def _found(
        self, lines: list[Line], by_number: Mapping[int, Planned], *, shrink: bool, replay: bool
    ) -> tuple[Finding, ...]:
        return findings_of(self.pair, self.twin, lines, by_number, self._results, shrink=shrink, replay=replay)

    def _report(self, found: tuple[Finding, ...], engines: dict[str, int]) -> Report:
        lines = self.diary.lines
        valid = [line for line in lines if line.valid and line.conclusive]
        accepted = sum(1 for line in valid if line.status.startswith("2"))
        option = "--url" if self.target.name == self.target.base_url else "--app-path"
        return Report(
            provider=self.provider.name,
            target=self.target.name,
            seed=self.settings.seed,
            requests=sum(engines.values()),
            seconds=time.monotonic() - self._began,
            findings=found,
            rules=rule_outcomes(self.provider, lines),
            planned=_by_source(each.source for each in self.cells),
            reached=_by_source(line.source for line in lines),
            errors=tuple(dict.fromkeys(line.problem for line in lines if line.outcome == "error")),
            matrix=matrix(lines),
            stopped=self.stopped,
            accepted_valid=(accepted, len(valid)),
            engines=engines,
            doubt=suspicion(self.provider.contract, self._answers, "valid request", option),
        )


def _line(result: Result, requests: int) -> Line:
    case, last = result.case, result.steps[-1] if result.steps else None
    status = str(last.response.status) if last is not None and last.response is not None else NO_ANSWER
    payload = case.payload
    return Line(
        number=case.number,
        outcome=result.verdict.outcome,
        requests=requests,
        flaws=result.verdict.flaws,
        status=status,
        rules=case.rules,
        source=case.source,
        valid=payload is not None and payload.verdict == "must-accept",
        conclusive=result.conclusive,
        problem=result.verdict.problem,
    )


def _by_source(sources: Iterable[str]) -> dict[str, int]:
    return dict(Counter(sources))


def _pace(rate: float | None) -> Callable[[], None]:
    """Waits so that there are no more than so many requests a second."""
    if not rate:
        return lambda: None
    last = [0.0]

    def wait() -> None:
        now = time.monotonic()
        pause = last[0] + 1 / rate - now
        if pause > 0:
            time.sleep(pause)
        last[0] = max(now, last[0] + 1 / rate)

    return wait
