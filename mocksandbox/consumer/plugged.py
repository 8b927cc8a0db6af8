"""What one process of pytest has for its tests: the suite of runs, what is shared, and the verdict on each test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mocksandbox.consumer.ledger import Ledger, empty, ledger_of, merge
from mocksandbox.consumer.options import Mark, Options, Wish, read_wish
from mocksandbox.consumer.patterns import misfits
from mocksandbox.consumer.payload_source import PayloadSource
from mocksandbox.consumer.run import Run
from mocksandbox.consumer.suite import Suite
from mocksandbox.consumer.telling import told
from mocksandbox.consumer.view import SandboxView
from mocksandbox.errors import UsageError

if TYPE_CHECKING:
    from mocksandbox.consumer.summary import Summary
    from mocksandbox.consumer.verification import Check

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

    @property
    def options(self) -> Options:
        """What the project asks for."""
        return self.suite.options

    def wish(self, marks: Iterable[Mark]) -> Wish:
        """What a test asks for by its markers. Raises UsageError when they have what there is not."""
        return read_wish(self.options, marks)

    def view(self, run: Run, provider: str = "") -> SandboxView:
        """What a test holds in its hands: the sandbox of a provider, or of the one that its marker names.

        Raises:
            UsageError: the provider, or what the markers ask of it, does not exist.
            ContractError: its contract cannot be loaded.
        """
        return SandboxView(self.suite, run, run.box(provider or run.wish.provider))

    def shared(self, provider: str = "") -> SandboxView:
        """A sandbox that all tests share. Raises what `view` raises."""
        if self._shared is None:
            self._shared = self.suite.open("(what all tests share)", Wish(self.options), "shared")
        return self.view(self._shared, provider)

    def payloads(self, wish: Wish, *, broken: bool) -> PayloadSource:
        """Made-up requests for a test."""
        return PayloadSource(wish.provider, self.options.seed, broken=broken)

    def checks(self, wish: Wish) -> list[tuple[Check, bool]]:
        """The checks of the provider that a test verifies, each with whether it is known to fail.

        Raises:
            UsageError: there is no such provider, profile or operation, or it has no valid requests to break; the variable
                with the authorisation is not set.
        """
        from mocksandbox.consumer.targets import authorization
        from mocksandbox.consumer.verification import checks, is_known

        authorization(self.options.authorization)
        found = checks(wish.provider, wish.of(wish.provider, "profile"), self.options.operations)
        if not found and (wrong := misfits(self.options.operations)):
            raise UsageError(f"Nothing to check: {'; '.join(wrong)}")
        return [(check, is_known(check, self.options.xfail)) for check in found]

    @property
    def has_url(self) -> bool:
        """Whether the provider to verify is behind a URL, and no application in this process."""
        return "://" in self.options.url

    def asking(self, check: Check, app: Any) -> Callable[[], str]:
        """What carries out a check and gives the problem that it found.

        Raises:
            UsageError: the provider cannot be asked.
        """
        if app is None and not self.has_url:
            raise UsageError("The fixture `mocksandbox_app` gives None: let it return the application.")
        from mocksandbox.consumer.targets import target

        return partial(check.problem, target(self.options, check.provider, app))

    def sum_up(self, ledgers: Sequence[Ledger], root: Path) -> Summary:
        """The end of the session: what is said and written."""
        from mocksandbox.consumer.summary import sum_up

        return sum_up(ledgers, self.options, root)

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
        run.counted = run.newest
        return ledger

    def end(self) -> Ledger | None:
        """The session is over: what came after its test had been reported, and what all tests shared; None when there is
        nothing.
        """
        self.suite.shut()
        left = empty()
        for run in list(self.suite.runs.values()):
            if run.counted < run.newest or run is self._shared:
                merge(left, self._ledger(run))
            late = [(run.strictness(breach), breach) for breach in run.unjudged()]
            said = [breach for strict, breach in late if strict != "off"]
            if said:
                level = "error" if any(strict == "error" for strict, _ in late) else "warn"
                left["late"].append([run.nodeid, level, told(said)])
        return left if left["providers"] or left["late"] else None
