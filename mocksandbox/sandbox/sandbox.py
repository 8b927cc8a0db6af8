"""The mock without sockets: one provider in one profile, with its records, its journal, its clock and its callers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Any

from mocksandbox import codec
from mocksandbox.contract import Match, Miss
from mocksandbox.errors import StoreError, StoreMisuseError
from mocksandbox.exchange import Exchange, Headers, Request, Response
from mocksandbox.frozen import made
from mocksandbox.journal import Journal
from mocksandbox.provider import AuthOptions, Authority, Profile, Provider, provider_of
from mocksandbox.rules import Finding, Rule
from mocksandbox.rules.attempt import ANYBODY, Attempt
from mocksandbox.sandbox.clock import Clock
from mocksandbox.sandbox.differences import Differences
from mocksandbox.sandbox.failure import (
    INTERNAL,
    LATE,
    RETRY_AFTER,
    STORE_FAILS,
    TRANSIENT,
    beyond,
    failure_place,
    late_words,
    store_words,
)
from mocksandbox.sandbox.faults import Answer, Asked, Scene, reads
from mocksandbox.sandbox.forced import forced_answer, unknown_scenario
from mocksandbox.sandbox.outage import Outage
from mocksandbox.sandbox.planned import MOST_MET, Faults
from mocksandbox.sandbox.preferences import NONE, Preferences, read_preferences
from mocksandbox.sandbox.rail import real_people
from mocksandbox.store import Board, MemoryStore, Partition, Scratch, Store

_log = logging.getLogger("mocksandbox")

MIRRORED = ("X-Request-ID", "X-Correlation-ID")
RULES_HEADER = "X-Mocksandbox-Rules"

Stages = tuple[tuple[str, tuple[Rule[Attempt], ...]], ...]
"""Stages in order, each with its rules."""


@dataclass
class Sandbox:
    """One provider, ready to answer. `strict` checks every answer against the document and the response rules; what it finds
    is in the journal as a bug of the mock. `only_synthetic` refuses requests that may name a real person. `clocks` are those
    of tenants who have moved theirs. `board` tells what another process of the server has set. `staged` gives the answer that
    the sandbox's owner has put in place of the operation's, with a name for the journal; None when there is none. A provider
    may be given by its name. Raises UsageError when there is no such provider or profile.
    """

    provider: Provider
    profile_name: str | None = None
    store: Store | None = None
    journal: Journal = field(default_factory=Journal)
    clock: Clock = field(default_factory=Clock)
    auth: AuthOptions = field(default_factory=AuthOptions)
    strict: bool = False
    faults: Faults = field(default_factory=Faults)
    only_synthetic: bool = False
    clocks: dict[str, Clock] = field(default_factory=dict)
    board: Board | None = None
    staged: Callable[[Attempt], tuple[str, Response] | None] = lambda _: None
    differences: Differences = field(default_factory=Differences)
    outage: Outage = field(default_factory=Outage)

    def __post_init__(self) -> None:
        self.provider = provider_of(self.provider)
        self.profile: Profile = self.provider.profile(self.profile_name)
        self.store = self.store or MemoryStore(self.provider.seeds())
        make = self.provider.authority
        self.authority: Authority | None = make(self.auth) if make else None
        self._split: dict[str, tuple[Stages, Stages]] = {}

    def clock_of(self, tenant: str) -> Clock:
        """A tenant's time: its own where it has moved it, else everybody's."""
        return self.clocks.get(tenant, self.clock)

    def handle(self, request: Request, tenant: str = "", *, trusted: bool = False, late: float = 0.0) -> Response:
        """Answer a request and write it into the journal. Never raises. A trusted request, which the sandbox's owner makes,
        needs no token, meets no fault and is not in the journal. `late` is how many seconds its body was waited for in vain.
        """
        started = perf_counter()
        provider = self.provider
        match = provider.contract.router.find(request.method, request.path)
        special = provider.specials.get((request.method, request.path))
        notes: dict[str, Any] = {"withheld": self.only_synthetic and special is None}
        try:
            if late:
                response = self._late(request, match, late, notes)
            elif special is not None:
                response = special(request)
            else:
                response = self._answer(request, match, tenant, notes, trusted)
                if self.board is not None:
                    self._met_store(match, response)
        except Exception as error:
            response = self._failed(request, match, error, notes)
        if trusted:
            return response
        response = _mirrored(request, response)
        withheld = notes.pop("withheld")
        kept = _withheld(request, match) if withheld else request
        exchange = Exchange(kept, response, perf_counter() - started)
        self.journal.record(
            at=notes.pop("at", None) or self.clock_of(tenant).now(),
            provider=provider.name,
            operation=match.operation.id if isinstance(match, Match) else request.path[1:] if special is not None else "",
            exchange=exchange,
            tenant=tenant,
            near=match.near if isinstance(match, Miss) and special is None and not withheld else (),
            # What was broken on purpose is no bug, nor is an answer that was asked for.
            bugs=self._bugs(exchange, match) if self.strict and not notes.get("fault") and not notes.get("scenario") else (),
            **notes,
        )
        return response

    def _failed(self, request: Request, match: Match | Miss, error: Exception, notes: dict[str, Any]) -> Response:
        """The answer when a request was not carried out: beyond a limit, or the store fails (the next request asks it again),
        or a bug of ours.
        """
        if (limit := beyond(error)) is not None:
            return self._noted(request, match, limit, notes)
        if isinstance(error, StoreError) and not isinstance(error, StoreMisuseError):
            self.outage.begins(match_name(match), error, reading=_only_reads(match))
            refused = self._noted(request, match, Finding(STORE_FAILS, "", store_words(error)), notes)
            return refused.with_header("Retry-After", RETRY_AFTER)
        _log.error("%s failed inside the mock: %s", match_name(match), failure_place(error))
        return self._unjudged(request, match, Finding(INTERNAL, "", TRANSIENT))

    def _late(self, request: Request, match: Match | Miss, seconds: float, notes: dict[str, Any]) -> Response:
        """The refusal of a request whose body did not come to its end. The rest of it is not read: the connection ends."""
        refused = self._noted(request, match, Finding(LATE, "body", late_words(seconds)), notes)
        return refused.with_header("Connection", "close")

    def _noted(self, request: Request, match: Match | Miss, finding: Finding, notes: dict[str, Any]) -> Response:
        """A refusal for a reason that no rule of the API finds, which is told in the journal and in the answer's headers."""
        notes["findings"] = [finding]
        return self._unjudged(request, match, finding).with_header(RULES_HEADER, finding.rule.id)

    def _unjudged(self, request: Request, match: Match | Miss, finding: Finding) -> Response:
        attempt = Attempt(request, self.provider.contract, match)
        return self.provider.refuse(attempt, [finding], self.profile.name, False)

    def _met_store(self, match: Match | Miss, response: Response) -> None:
        """Every request reads from the store that processes share; one that was carried out may have written, too."""
        self.outage.ends(reading=_only_reads(match) or response.status >= 400)

    def route(self, handler: Callable[[Request, datetime], Response], request: Request, tenant: str = "") -> Response:
        """The answer of an authority's own route (a token endpoint), which is in no journal. Never raises."""
        try:
            if self.board is not None:
                self.board.look()
            return handler(request, self.clock_of(tenant).now())
        except Exception as error:
            # The words for "later" that OAuth has (RFC 6749 section 4.1.2.1).
            if isinstance(error, StoreError) and not isinstance(error, StoreMisuseError):
                self.outage.begins(request.path, error, reading=True)
                return _refused_route(503, "temporarily_unavailable", store_words(error), ("Retry-After", RETRY_AFTER))
            _log.error("%s failed inside the mock: %s", request.path, failure_place(error))
            return _refused_route(500, "server_error", TRANSIENT)

    def _answer(self, request: Request, match: Match | Miss, tenant: str, notes: dict[str, Any], trusted: bool) -> Response:
        assert self.store is not None
        if self.board is not None:
            self.board.look()
        now = notes["at"] = self.clock_of(tenant).now()
        kept = self.store.partition(tenant)
        records = kept if self.profile.remembers else Scratch(kept)
        attempt = self._attempt(request, match, records, now, None if trusted else tenant)
        preferences = read_preferences(request)
        real = real_people(self.provider, attempt) if self.only_synthetic else ()
        notes["withheld"] = bool(real)
        if real:
            notes["findings"] = real
            refused = self.provider.refuse(attempt, real, self.profile.name, preferences.split)
            return refused.with_header(RULES_HEADER, real[0].rule.id)
        met = [] if trusted else self.faults.meet(attempt.operation, tenant, preferences.fault)[:MOST_MET]
        if not met:
            return self._unfaulted(preferences, notes, attempt, records)
        notes["fault"] = ", ".join(asked.text for asked in met)
        return self._around(met, preferences, notes)(attempt, records)

    def _around(self, met: Sequence[Asked], preferences: Preferences, notes: dict[str, Any]) -> Answer:
        """What answers: the operation, with the faults that the request meets around it."""
        answer: Answer = partial(self._unfaulted, preferences, notes)
        faults = self.faults
        scene = Scene(self.provider, self.profile.name, preferences.split, faults.random, faults.sleep, faults.wire)
        for asked in met:
            answer = partial(asked.act, scene, answer)
        return answer

    def _unfaulted(self, preferences: Preferences, notes: dict[str, Any], attempt: Attempt, records: Partition) -> Response:
        asked = self.staged(attempt)
        if asked is None and preferences is not NONE:
            asked = forced_answer(self.provider, attempt, preferences, self.profile.name)
            if asked is None and (wrong := unknown_scenario(self.provider, attempt, preferences)) is not None:
                return self._noted(attempt.request, attempt.match, wrong, notes)
        if asked is not None:
            notes["scenario"], response = asked
            return response
        findings, response = self._judge(attempt, records, preferences)
        notes["findings"] = findings
        if not self.profile.enforces_document and not findings:
            notes["differences"] = self.differences.of(attempt)
        return response

    def _attempt(self, request: Request, match: Match | Miss, records: Partition, now: datetime, asks: str | None) -> Attempt:
        provider = self.provider
        caller, refusal = ANYBODY, None
        if self.authority is not None and asks is not None:  # the tenant; None when the sandbox's owner asks
            caller, refusal = self.authority.identify(request, now, asks)
        return made(
            Attempt,
            request=request,
            contract=provider.contract,
            match=match,
            caller=caller,
            refusal=refusal,
            records=records,
            now=now,
            max_body=provider.max_body,
        )

    def _judge(self, attempt: Attempt, records: Partition, preferences: Preferences) -> tuple[Sequence[Finding], Response]:
        """Run the stages in order; the first with findings refuses, and when none has the operation takes effect. From the
        first stage that looks at stored records on, they stay as they are: nobody else writes, or readers see one moment.
        """
        operation = attempt.operation.id if attempt.operation else ""
        free, guarded = self._stages(operation)
        refused = self._refused(free, attempt, preferences)
        if refused is not None:
            return refused
        with records.steady() if reads(attempt.operation) else records.exclusive():
            refused = self._refused(guarded, attempt, preferences)
            return refused or ((), self.provider.effects[operation](attempt, records))

    def _stages(self, operation: str) -> tuple[Stages, Stages]:
        """The stages of an operation: those before the first that looks at stored records, and those from it on."""
        split = self._split.get(operation)
        if split is None:
            stages = self.provider.catalogue.stages(operation, self.profile.name)
            first = next((i for i, (stage, _) in enumerate(stages) if stage in self.provider.stateful), len(stages))
            split = self._split[operation] = stages[:first], stages[first:]
        return split

    def _refused(
        self, stages: Stages, attempt: Attempt, preferences: Preferences
    ) -> tuple[Sequence[Finding], Response] | None:
        """What the first stage with findings found, and the refusal; None when no stage has any."""
        findings = self.provider.catalogue.first_of(attempt, stages)
        if not findings:
            return None
        refused = self.provider.refuse(attempt, findings, self.profile.name, preferences.split)
        ids = ", ".join(dict.fromkeys(finding.rule.id for finding in findings))
        return findings, refused.with_header(RULES_HEADER, ids)

    def _bugs(self, exchange: Exchange, match: Match | Miss) -> Sequence[Finding]:
        operation = match.operation.id if isinstance(match, Match) else ""
        return self.provider.responses.all(exchange, operation, self.profile.name)


def match_name(match: Match | Miss) -> str:
    """What a log may say of a request: the operation, and nothing of the path, which may name a person."""
    return match.operation.id if isinstance(match, Match) else "(no operation)"


def _only_reads(match: Match | Miss) -> bool:
    return not isinstance(match, Match) or reads(match.operation)


def _refused_route(status: int, error: str, says: str, *headers: tuple[str, str]) -> Response:
    body = codec.dumps({"error": error, "error_description": says})
    return Response(status, Headers([("Content-Type", "application/json"), ("Cache-Control", "no-store"), *headers]), body)


def _withheld(request: Request, match: Match | Miss) -> Request:
    """A request without what may name a real person, for the journal."""
    return replace(request, path=match.operation.path if isinstance(match, Match) else "/", query=(), body=b"")


def _mirrored(request: Request, response: Response) -> Response:
    """The answer with the request's tracing headers, as the document says ("Mirrored back")."""
    echoed = request.headers.tell(_to_mirror)
    return replace(response, headers=response.headers.and_(echoed)) if echoed else response


def _to_mirror(headers: Headers) -> Sequence[tuple[str, str]]:
    return [(name, value) for name in MIRRORED if (value := headers.get(name)) is not None]
