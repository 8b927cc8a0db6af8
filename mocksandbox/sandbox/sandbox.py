"""The mock without sockets: one provider in one profile, with its records, its journal, its clock and its callers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from mocksandbox.contract import Match, Miss
from mocksandbox.exchange import Exchange, Headers, Request, Response
from mocksandbox.journal import Journal
from mocksandbox.provider import AuthOptions, Authority, Profile, Provider
from mocksandbox.rules import ALL, Finding, Rule
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.http import place_of
from mocksandbox.sandbox.clock import Clock
from mocksandbox.sandbox.forced import forced_answer
from mocksandbox.sandbox.preferences import Preferences, read_preferences
from mocksandbox.store import MemoryStore, Partition, Scratch

_log = logging.getLogger("mocksandbox")

MIRRORED = ("X-Request-ID", "X-Correlation-ID")
RULES_HEADER = "X-Mocksandbox-Rules"

INTERNAL = Rule[Attempt](
    id="http/internal-error",
    title="The mock itself does not fail",
    why="A failure here is a bug of mocksandbox; the log has it.",
    source="RFC 9110 section 15.6.1",
    operations=frozenset(),
    stage="",
    status=500,
    issue="exception",
    error="EXCEPTION",
    find=lambda _: (),
    profiles=ALL,
)


@dataclass
class Sandbox:
    """One provider, ready to answer. `strict` checks every answer against the document and the response rules; what it finds
    is in the journal as a bug of the mock.
    """

    provider: Provider
    profile_name: str | None = None
    store: MemoryStore | None = None
    journal: Journal = field(default_factory=Journal)
    clock: Clock = field(default_factory=Clock)
    auth: AuthOptions = field(default_factory=AuthOptions)
    strict: bool = False

    def __post_init__(self) -> None:
        self.profile: Profile = self.provider.profile(self.profile_name)
        self.store = self.store or MemoryStore(self.provider.seeds())
        make = self.provider.authority
        self.authority: Authority | None = make(self.auth) if make else None

    def handle(self, request: Request, tenant: str = "") -> Response:
        """Answer a request and write it into the journal. Never raises."""
        started = perf_counter()
        match = self.provider.contract.router.find(request.method, request.path)
        notes: dict[str, Any] = {}
        try:
            response = self._answer(request, match, tenant, notes)
        except Exception:
            _log.exception("%s %s failed inside the mock", request.method, match_name(match))
            attempt = Attempt(request, self.provider.contract, match)
            finding = Finding(INTERNAL, "", "Unable to process request. Issue may be transient.")
            response = self.provider.refuse(attempt, [finding], self.profile.name, False)
        response = _mirrored(request, response)
        exchange = Exchange(request, response, perf_counter() - started)
        self.journal.record(
            at=self.clock.now(),
            provider=self.provider.name,
            operation=match.operation.id if isinstance(match, Match) else "",
            exchange=exchange,
            tenant=tenant,
            near=match.near if isinstance(match, Miss) else (),
            bugs=self._bugs(exchange, match) if self.strict else (),
            **notes,
        )
        return response

    def _answer(self, request: Request, match: Match | Miss, tenant: str, notes: dict[str, Any]) -> Response:
        special = self.provider.specials.get((request.method, request.path))
        if special is not None:
            return special(request)
        assert self.store is not None
        kept = self.store.partition(tenant)
        records = kept if self.profile.remembers else Scratch(kept)
        attempt = self._attempt(request, match, records)
        preferences = read_preferences(request)
        forced = forced_answer(self.provider, attempt, preferences, self.profile.name)
        if forced is not None:
            notes["scenario"], response = forced
            return response
        findings, response = self._judge(attempt, records, preferences)
        notes["findings"] = findings
        if not self.profile.enforces_document and not findings:
            notes["differences"] = [f"{place_of(v, attempt.body)} {v.problem}" for v in attempt.violations]
        return response

    def _attempt(self, request: Request, match: Match | Miss, records: Partition) -> Attempt:
        now = self.clock.now()
        attempt = Attempt(request, self.provider.contract, match, records=records, now=now)
        if self.authority is None:
            return attempt
        caller, refusal = self.authority.identify(request, now)
        return replace(attempt, caller=caller, refusal=refusal)

    def _judge(self, attempt: Attempt, records: Partition, preferences: Preferences) -> tuple[Sequence[Finding], Response]:
        """Run the stages in order; the first with findings refuses, and when none has the operation takes effect. From the
        first stage that looks at stored records on, nobody else writes.
        """
        provider, profile = self.provider, self.profile.name
        operation = attempt.operation.id if attempt.operation else ""
        with ExitStack() as lock:
            locked = False
            for stage, rules in provider.catalogue.stages(operation, profile):
                if stage in provider.stateful and not locked:
                    lock.enter_context(records.exclusive())
                    locked = True
                findings = provider.catalogue.findings(attempt, rules)
                if findings:
                    refused = provider.refuse(attempt, findings, profile, preferences.split)
                    ids = ", ".join(dict.fromkeys(finding.rule.id for finding in findings))
                    return findings, refused.with_header(RULES_HEADER, ids)
            if not locked:
                lock.enter_context(records.exclusive())
            return (), provider.effects[operation](attempt, records)

    def _bugs(self, exchange: Exchange, match: Match | Miss) -> Sequence[Finding]:
        operation = match.operation.id if isinstance(match, Match) else ""
        return self.provider.responses.all(exchange, operation, self.profile.name)


def match_name(match: Match | Miss) -> str:
    """What a log may say of a request: the operation, and nothing of the path, which may name a person."""
    return match.operation.id if isinstance(match, Match) else "(no operation)"


def _mirrored(request: Request, response: Response) -> Response:
    """The answer with the request's tracing headers, as the document says ("Mirrored back")."""
    echoed = [(name, request.headers[name]) for name in MIRRORED if name in request.headers]
    return replace(response, headers=Headers([*response.headers.pairs, *echoed])) if echoed else response
