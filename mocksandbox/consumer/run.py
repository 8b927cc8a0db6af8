"""One test's share of the sandbox: its own records, journal, faults, clock and stubs, and what its requests broke."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property, partial
from threading import Thread, local
from typing import Any

from mocksandbox.consumer.expectation import Expectation
from mocksandbox.consumer.options import Wish
from mocksandbox.consumer.stubs import Stubs
from mocksandbox.consumer.threads import Activity, running, wait_for
from mocksandbox.consumer.verdict import Breach, breaches
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Exchange, Headers, Response
from mocksandbox.journal import Entry, Journal
from mocksandbox.provider import AuthOptions, Provider
from mocksandbox.provider.model import MAX_BODY
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.sandbox import Clock, Faults, Sandbox
from mocksandbox.sandbox.forced import forced_answer
from mocksandbox.sandbox.preferences import Preferences
from mocksandbox.server.front import Front
from mocksandbox.server.settings import Settings
from mocksandbox.server.wsgi import Environ, origin_of, path_of, request_of
from mocksandbox.store import MemoryPartition, MemoryStore

NO_API = "http/no-api"
"""The rule that a request for none of the sandbox's APIs breaks."""


class RunJournal(Journal):
    """A journal that knows what each thread has written last."""

    def __init__(self) -> None:
        super().__init__()
        self._mine = local()

    def record(self, **details: Any) -> Entry:
        """Add an exchange."""
        entry = super().record(**details)
        self._mine.entry = entry
        return entry

    def mine(self) -> Entry | None:
        """What this thread wrote last; once."""
        entry: Entry | None = getattr(self._mine, "entry", None)
        self._mine.entry = None
        return entry


class RunStore(MemoryStore):
    """A store that has the same records under a test's own name and under none: both are how the test is reached."""

    def __init__(self, name: str, seeds: Iterable[Record]) -> None:
        super().__init__(seeds)
        self._name = name

    def partition(self, tenant: str = "") -> MemoryPartition:
        """A tenant's records."""
        return super().partition("" if tenant == self._name else tenant)


@dataclass(repr=False, eq=False)
class Box:
    """One provider's sandbox in a test, with its stubs and how strict its requests are judged. `reference` is what the
    provider was opened by; what came up to the request `since` was before the last reset.
    """

    reference: str
    sandbox: Sandbox
    strict: str
    stubs: Stubs = field(default_factory=Stubs)
    since: int = 0

    @property
    def provider(self) -> Provider:
        """Its provider."""
        return self.sandbox.provider

    def plan(self, fault: str, operation: str = "", times: int | None = 1, share: float = 1.0) -> None:
        """Let requests meet a fault: the next one, the next `times`, or all when that is None.

        Raises:
            UsageError: there is no such fault or operation, or its requests cannot meet it.
        """
        if operation:
            self.provider.contract.operation(operation)
        self.sandbox.faults.add(fault, operation=operation, count=times, share=share)


@dataclass(repr=False, eq=False)
class Run:
    """One test's share. `name` stands in its URLs, `nodeid` is the test's own; `judged` is the newest request that has been
    judged already, `counted` the newest that is in a ledger; `closed` says that the test has been reported.
    """

    name: str
    nodeid: str
    wish: Wish
    open_provider: Callable[[str], tuple[Provider, Iterable[Record]]]
    journal: RunJournal = field(default_factory=RunJournal)
    clock: Clock = field(default_factory=Clock)
    boxes: dict[str, Box] = field(default_factory=dict)
    activity: Activity = field(default_factory=Activity)
    expectations: list[Expectation] = field(default_factory=list)
    gave_up: set[int] = field(default_factory=set)
    threads: Set[Thread] = field(default_factory=running)
    judged: int = 0
    counted: int = 0
    closed: bool = False
    _mounts: dict[str, Sandbox] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Run {self.name} of {self.nodeid}>"

    def box(self, name: str) -> Box:
        """The sandbox of a provider, made when it is first asked for.

        Raises:
            UsageError: the provider, or what the markers ask of it, does not exist.
            ContractError: its contract cannot be loaded.
        """
        provider, seeds = self.open_provider(name)
        if provider.name not in self.boxes:
            of = partial(self.wish.of, provider.name)
            sandbox = Sandbox(
                provider,
                of("profile") or None,
                store=RunStore(self.name, seeds),
                journal=self.journal,
                clock=self.clock,
                auth=AuthOptions(of("auth")),
                faults=Faults(self.wish.options.seed, wire=True),
            )
            box = Box(name, sandbox, of("strict"))
            sandbox.staged = partial(self._staged, box, self._scenario(provider, of("scenario")))
            self.boxes[provider.name] = box
            self._mounts[provider.base_path] = sandbox
            self._plan(box, of("fault"))
        return self.boxes[provider.name]

    def _scenario(self, provider: Provider, id: str) -> str:
        if id and id not in {scenario.id for scenario in provider.scenarios}:
            raise UsageError(f"{provider.name} has no scenario {id!r}.", id, (scenario.id for scenario in provider.scenarios))
        return id

    def _plan(self, box: Box, asked: Any) -> None:
        """Set the faults of the markers: each by itself for the first request, or with what `SandboxView.fault` takes."""
        for each in [asked] if isinstance(asked, (str, Mapping)) else asked:
            said: dict[str, Any] = {"fault": each} if isinstance(each, str) else dict(each)
            for name in said.keys() - {"fault", "operation", "times", "share"}:
                raise UsageError(f"A fault of a marker has no {name!r}.", name, ("fault", "operation", "times", "share"))
            if said.get("fault"):
                box.plan(**said)

    def _staged(self, box: Box, scenario: str, attempt: Attempt) -> tuple[str, Response] | None:
        """The answer of a stub, else that of the scenario in which the test plays, to requests of its operation."""
        own = box.stubs.answer(attempt)
        if own is not None or not scenario:
            return own
        return forced_answer(box.provider, attempt, Preferences(scenario=scenario), box.sandbox.profile.name)

    @cached_property
    def _front(self) -> Front:
        """What answers the requests for this test, as the server does."""
        return Front(lambda _environ, _start_response: (), self._mounts, Settings())

    def answer(self, environ: Environ) -> Response:
        """The answer to a request for this test; 404, journalled, to what is for none of its APIs."""
        answered = self._front.respond(environ)
        if answered is not None:
            return answered
        origin = origin_of(environ)
        near = [f"{name} is at {origin}/tenants/{self.name}{box.provider.base_path}" for name, box in self.boxes.items()]
        request = request_of(environ, path_of(environ), origin, MAX_BODY)
        refused = Response(
            404, Headers([("Content-Type", "text/plain")]), f"There is no API here; {'; '.join(near)}.".encode()
        )
        self.journal.record(at=self.clock.now(), provider="", operation="", exchange=Exchange(request, refused), near=near)
        return refused

    def watch(self) -> None:
        """The body of the test begins: threads that there are already are not its own."""
        self.threads = running()

    def settle(self, seconds: float) -> None:
        """Wait for the threads that the test's body has started, and for the requests in flight."""
        wait_for(self.threads, seconds)
        self.activity.wait_idle(max(seconds, 1.0))

    def breaches(self, provider: str = "", since: int = 0) -> list[Breach]:
        """What the requests broke, those expected too, of one provider or of all."""
        return [
            breach
            for entry in self.journal.exchanges(lambda entry: entry.number > since)
            for breach in self._of(entry)
            if not provider or provider == breach.provider
        ]

    def _of(self, entry: Entry) -> list[Breach]:
        kept = self._known.get(entry.number)
        if kept is None:
            kept = self._known[entry.number] = self._judged(entry)
        return kept

    def _judged(self, entry: Entry) -> list[Breach]:
        if entry.provider:
            sandbox = self.boxes[entry.provider].sandbox
            return breaches(sandbox.provider, sandbox.profile.name, entry)
        request = entry.exchange.request
        line = f"{request.method} {request.path} -> {entry.exchange.response.status}"
        return [
            Breach(entry.number, line, "", "", "path", "reaches none of the APIs of this test", NO_API, near=tuple(entry.near))
        ]

    @cached_property
    def _known(self) -> dict[int, list[Breach]]:
        return {}

    @property
    def newest(self) -> int:
        """The number of the newest request, 0 when none came."""
        last = self.journal.last()
        return last.number if last else max(self.judged, self.counted)

    def unjudged(self) -> list[Breach]:
        """What was broken and not expected, since this was last asked."""
        since, self.judged = self.judged, self.newest
        return self.unexpected(since)

    def forget(self) -> None:
        """Let go of the exchanges that have been judged and counted: many tests are kept until the end."""
        done = min(self.judged, self.counted)
        self.journal.clear(lambda entry: entry.number <= done)
        self._known.clear()

    def unexpected(self, since: int = 0) -> list[Breach]:
        """What was broken and not expected by the requests after the one of that number."""
        return [breach for breach in self.breaches(since=since) if not any(e.covers(breach) for e in self.expectations)]

    def strictness(self, breach: Breach) -> str:
        """What is to become of a breach: `off`, `warn` or `error`."""
        box = self.boxes.get(breach.provider)
        return box.strict if box else str(self.wish.of(breach.provider, "strict"))
