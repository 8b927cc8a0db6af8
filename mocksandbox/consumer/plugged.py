"""What one process of pytest has for its tests: the suite of runs, what is shared, and the verdict on each test."""

from __future__ import annotations

from dataclasses import dataclass

from mocksandbox.consumer.ledger import Ledger, empty, ledger_of, merge
from mocksandbox.consumer.options import Options, Wish
from mocksandbox.consumer.run import Run
from mocksandbox.consumer.suite import Suite
from mocksandbox.consumer.telling import told
from mocksandbox.consumer.view import SandboxView

REMEDY = "expect_violation(...) where it is meant"


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a test's requests: as an error, and as a warning; empty where there is nothing."""

    error: str = ""
    warning: str = ""


class Plugged:
    """The plugin's part that does something, made when the first test asks for it."""

    def __init__(self, options: Options) -> None:
        self.suite = Suite(options)
        self._shared: Run | None = None

    def shared(self, provider: str = "") -> SandboxView:
        """A sandbox that all tests share.

        Raises:
            UsageError: there is no such provider.
        """
        if self._shared is None:
            self._shared = self.suite.open("(what all tests share)", Wish(self.suite.options), "shared")
        return SandboxView(self.suite, self._shared, self._shared.box(provider or self.suite.options.provider))

    def verdict(self, run: Run | None) -> Verdict:
        """The verdict on what came during a test, once its own threads are done."""
        runs = [each for each in (run, self._shared) if each is not None]
        for each in runs:
            each.settle(self.suite.options.late)
        found = [(each.strictness(breach), breach) for each in runs for breach in each.unjudged()]
        said = {level: [breach for strict, breach in found if strict == level] for level in ("error", "warn")}
        return Verdict(*(told(said[level], REMEDY) if said[level] else "" for level in ("error", "warn")))

    def close(self, run: Run) -> Ledger:
        """The test is over: what it has exercised."""
        ledger = self._ledger(run)
        self.suite.close(run)
        return ledger

    def _ledger(self, run: Run) -> Ledger:
        ledger = ledger_of(run, run.counted)
        if self.suite.options.pact or self.suite.options.har:
            from mocksandbox.consumer.recording import recorded

            ledger["recorded"] = recorded(run, run.counted)
        run.counted = max([run.counted, *(entry.number for entry in run.journal)])
        return ledger

    def end(self) -> Ledger:
        """The session is over: what came after its test had been reported, and what all tests shared."""
        self.suite.shut()
        left = empty()
        for run in self.suite.runs.values():
            merge(left, self._ledger(run) if run.counted < len(run.journal) or run is self._shared else empty())
            late = [(run.strictness(breach), breach) for breach in run.unjudged()]
            said = [breach for strict, breach in late if strict != "off"]
            if said:
                level = "error" if any(strict == "error" for strict, _ in late) else "warn"
                left["late"].append([run.nodeid, level, told(said)])
        return left
