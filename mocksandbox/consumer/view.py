"""What a test holds in its hands: one provider's sandbox, its URL, its journal, and everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mocksandbox.consumer.answering import App
from mocksandbox.consumer.calls import Call, Calls
from mocksandbox.consumer.expectation import Expectation, must_be_known
from mocksandbox.consumer.run import Box, Run
from mocksandbox.consumer.stubs import Stub, Words, check, written
from mocksandbox.consumer.suite import Suite
from mocksandbox.consumer.verdict import Breach
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Response
from mocksandbox.provider import Provider
from mocksandbox.sandbox import Clock, Sandbox

if TYPE_CHECKING:
    import httpx
    import requests

    from mocksandbox.consumer.drawn import Surprise

LOCAL = "http://sandbox.invalid"
"""The origin of who stays in the process: a name that is never found, so that nobody sends to it by mistake."""

_UNITS = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds")
"""What can be travelled by."""


@contextmanager
def _needing(package: str) -> Generator[None, None, None]:
    """Say of a package that is not installed how it is: it is the client's, and none of ours."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(f"This client needs {package} ({error}): pip install {package}") from None


@dataclass(frozen=True, repr=False)
class SandboxView:
    """One provider's sandbox in one test: records, journal, faults, clock and stubs of its own."""

    suite: Suite
    run: Run
    box: Box

    @property
    def provider(self) -> Provider:
        """The API."""
        return self.box.provider

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox behind it, without sockets."""
        return self.box.sandbox

    def __repr__(self) -> str:
        return f"<SandboxView {self.provider.name} of {self.run.nodeid}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # Hypothesis would write out every field, and all that hangs on it.
        printer.text(repr(self))

    # Where it is.

    @property
    def origin(self) -> str:
        """What comes before the API's own base path, and its token endpoint: `http://127.0.0.1:PORT/tenants/t1`."""
        return f"{self.suite.origin}/tenants/{self.run.name}"

    @property
    def url(self) -> str:
        """The base URL of the API on the real server, which is started by this when it does not run yet."""
        return self.origin + self.provider.base_path

    @property
    def local_url(self) -> str:
        """The base URL for clients that stay in the process: `session`, `client`, `async_client`."""
        return LOCAL + self.provider.base_path

    @cached_property
    def app(self) -> App:
        """The sandbox as a WSGI application, for a client that takes one."""
        run = self.run
        return App(lambda _: run)

    def session(self) -> requests.Session:
        """A requests session that asks the sandbox without a socket, at `local_url`. The caller closes it."""
        with _needing("requests"):
            from requests import Session

        session = Session()
        session.mount(LOCAL, self.requests_adapter())
        return session

    def requests_adapter(self) -> Any:
        """What `requests.Session.mount` takes, for a session of your own."""
        with _needing("requests"):
            from mocksandbox.consumer.requests_adapter import SandboxAdapter

        return SandboxAdapter(self.run)

    def httpx_transport(self) -> Any:
        """What `httpx.Client` and `httpx.AsyncClient` take as `transport`."""
        with _needing("httpx"):
            from mocksandbox.consumer.httpx_transport import SandboxTransport

        return SandboxTransport(self.run)

    def client(self, **options: Any) -> httpx.Client:
        """An httpx client that asks the sandbox without a socket; `base_url` is `local_url`. The caller closes it."""
        with _needing("httpx"):
            from httpx import Client

        return Client(**self._httpx(options))

    def async_client(self, **options: Any) -> httpx.AsyncClient:
        """The same for `async` code."""
        with _needing("httpx"):
            from httpx import AsyncClient

        return AsyncClient(**self._httpx(options))

    def _httpx(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {"base_url": self.local_url, "transport": self.httpx_transport(), **options}

    # What happened.

    @cached_property
    def journal(self) -> Calls:
        """The requests that came, since the last reset."""

        def entries() -> list[Any]:
            names, since = ("", self.provider.name), self.box.since
            return self.run.journal.exchanges(lambda entry: entry.provider in names and entry.number > since)

        return Calls(self.provider, entries, lambda: self.run.activity.wait_idle(1.0))

    def calls(self, operation: str = "") -> list[Call]:
        """The calls of an operation, or all."""
        return self.journal.of(operation)

    def last(self, operation: str = "") -> Call:
        """The newest call. Raises AssertionError when there is none."""
        __tracebackhide__ = True
        return self.journal.last(operation)

    def assert_called(self, operation: str, **described: Any) -> list[Call]:
        """That the operation was called as described: see `Calls.assert_called`."""
        __tracebackhide__ = True
        return self.journal.assert_called(operation, **described)

    def assert_not_called(self, operation: str = "") -> None:
        """That it was not called. Raises AssertionError otherwise."""
        __tracebackhide__ = True
        self.journal.assert_not_called(operation)

    def assert_sequence(self, *operations: str, exact: bool = False) -> None:
        """That these operations were called in this order. Raises AssertionError otherwise."""
        __tracebackhide__ = True
        self.journal.assert_sequence(*operations, exact=exact)

    def breaches(self) -> list[Breach]:
        """What the requests so far broke by themselves, those expected too."""
        self.run.activity.wait_idle(1.0)
        return self.run.breaches(self.provider.name)

    @contextmanager
    def expect_violation(self, at: str = "", rule: str = "") -> Generator[Expectation, None, None]:
        """That a request of this block breaks the contract at a place, by a rule, or by a rule at a place: then it does not
        fail the test, nor when the client raises.

        Raises:
            UsageError: neither is named, or there is no such rule.
            AssertionError: no request does.
        """
        __tracebackhide__ = True
        if not at and not rule:
            raise UsageError(
                "expect_violation needs a place, such as 'Immunization.status', or a rule, such as rule='bad-status'."
            )
        must_be_known(rule, self.provider)
        expected = Expectation(at or "*", rule, self.provider.name, since=self.run.newest)
        try:
            yield expected
        finally:
            self.run.activity.wait_idle(1.0)
            expected.until = self.run.newest
            self.run.expectations.append(expected)
            problem = expected.problem([each for each in self.breaches() if each.number <= expected.until])
        if problem:
            raise AssertionError(problem)

    # What is to happen.

    def fault(self, fault: str, *, operation: str = "", times: int | None = 1, share: float = 1.0) -> None:
        """Let the next request meet a fault (`429:3`, `timeout-after-write`, `latency:200ms`, `reset`), or the next `times`,
        or all when that is None.

        Raises:
            UsageError: there is no such fault or operation, or its requests cannot meet it.
        """
        self.box.plan(fault, operation, times, share)

    def stub(
        self,
        operation: str,
        json: Any = None,
        *,
        status: int = 0,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        times: int | None = None,
        where: Any = None,
        checked: bool = True,
    ) -> Stub:
        """Put an answer in place of the operation's own: `times` times, or always; to those requests only whose JSON body has
        what `where` says. Several answer one after the other.

        Raises:
            UsageError: there is no such operation, or it documents no answer of this status.
            StubError: it breaks the contract.
        """
        profile = self.sandbox.profile.name
        response = written(self.provider, profile, operation, Words(json, body, status, headers or {}))
        if checked:
            check(self.provider, profile, operation, response)
        return self.box.stubs.add(Stub(self.provider.name, operation, response, times, where))

    @contextmanager
    def answering(self, drawn: Surprise | Response) -> Generator[Stub, None, None]:
        """Give a drawn answer (see `mocksandbox.consumer.strategies`) to the requests of this block."""
        response = drawn if isinstance(drawn, Response) else drawn.response
        operation = "" if isinstance(drawn, Response) else drawn.operation
        stub = self.box.stubs.add(Stub(self.provider.name, operation, response))
        try:
            yield stub
        finally:
            self.box.stubs.remove(stub)

    @property
    def clock(self) -> Clock:
        """The test's own time."""
        return self.run.clock

    def travel(self, to: datetime | str | None = None, *, freeze: bool = False, **by: float) -> datetime:
        """Go to a time (`2026-01-31T12:00:00Z`), or on by `days=`, `hours=`, …; stay there with `freeze`. Gives the new time.

        Raises:
            UsageError: what is given is no time.
        """
        for name in by.keys() - set(_UNITS):
            raise UsageError(f"There is no travelling by {name!r}.", name, _UNITS)
        try:
            moment = datetime.fromisoformat(to) if isinstance(to, str) else to or self.clock.now()
            self.clock.set(moment + timedelta(**by), freeze=freeze or self.clock.frozen is not None)
        except (ValueError, TypeError, OverflowError) as error:
            given = ", ".join([*([repr(to)] if to is not None else []), *(f"{name}={value!r}" for name, value in by.items())])
            raise UsageError(f"travel({given}) leads to no time: {error}.") from None
        return self.clock.now()

    def reset(self) -> None:
        """Start anew: the records of the beginning, no faults, no stubs, the real time, an empty journal. What was broken so
        far still counts.
        """
        assert self.sandbox.store is not None
        self.run.activity.wait_idle(1.0)
        self.sandbox.store.reset()
        self.sandbox.faults.clear()
        if self.sandbox.authority is not None:
            self.sandbox.authority.forget(None)
        self.box.stubs.clear()
        self.clock.reset()
        self.box.since = self.run.newest
