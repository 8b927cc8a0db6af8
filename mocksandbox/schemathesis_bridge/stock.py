"""Schemathesis' own phases against a target, for our runner: what it makes up, judged by our rules and by its checks."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, quote

import schemathesis
from schemathesis import Case as Example
from schemathesis import HookContext
from schemathesis.config import CacheConfig, SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import events, from_schema

from mocksandbox import codec
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz.judge import failures
from mocksandbox.fuzz.model import Flaw, Step
from mocksandbox.fuzz.transport import UNSENT, Target, UrlTarget
from mocksandbox.provider import Provider
from mocksandbox.schemathesis_bridge.failures import excused, flaw_of
from mocksandbox.schemathesis_bridge.referee import Referee

PHASES = ("examples", "coverage", "fuzzing", "stateful")
_DOCUMENT = "/mocksandbox-document.json"


def stock(
    provider: Provider,
    target: Target | str,
    seed: int = 0,
    max_examples: int = 20,
    *,
    phases: Sequence[str] = PHASES,
    max_time: int | None = None,
) -> Iterator[tuple[Flaw, Step | None]]:
    """The flaws that schemathesis' own phases show of a target (or of the API at a URL), each identity once, as they are
    found, with the exchange that shows them where it is known. `max_examples` is how many requests its fuzzing phase makes
    up for each operation, `max_time` the most seconds. Everything is sent with the target's own `send`, so that its limits
    and its secrets are kept.
    """
    adapter = Adapter(Referee(provider, UrlTarget(target) if isinstance(target, str) else target, seed))
    seen: set[str] = set()
    with TemporaryDirectory() as folder:  # schemathesis keeps what it has learnt, by default where the user is
        config = SchemathesisConfig(seed=seed, max_time=max_time, cache=CacheConfig(enabled=False, directory=folder))
        schema = schemathesis.openapi.from_wsgi(_DOCUMENT, adapter, config=config)
        schema.config.update(continue_on_failure=True, workers=1)
        # What is found is shown as it was found: to shrink it would take thousands of requests.
        schema.config.generation.update(max_examples=max_examples, database="none", no_shrink=True)
        schema.config.phases.update(phases=list(phases))
        # Callers are the target's own affair: the reference lets everybody in.
        schema.config.checks.update(excluded_check_names=["ignored_auth"])

        def keep(context: HookContext, failure: Failure, case: Example[Any], response: schemathesis.Response) -> bool:
            judged = adapter.referee.judged.get(case.id)
            return judged is not None and not excused(failure, response.status_code, judged)

        schema.hooks.hook("filter_failure")(keep)
        for event in from_schema(schema).execute():
            if isinstance(event, events.Interrupted):
                raise KeyboardInterrupt  # which the engine has taken for itself
            found = adapter.taken()
            if isinstance(event, events.ScenarioFinished):
                found += _own(event, adapter.referee)
            for flaw, step in found:
                if flaw.identity not in seen:
                    seen.add(flaw.identity)
                    yield flaw, step


def _own(event: events.ScenarioFinished, referee: Referee) -> list[tuple[Flaw, Step | None]]:
    """The failures of schemathesis' own checks in a scenario."""
    found: list[tuple[Flaw, Step | None]] = []
    for id, checks in event.recorder.checks.items():
        operation = event.recorder.cases[id].value.operation
        interaction = event.recorder.interactions.get(id)
        status = interaction.response.status_code if interaction is not None and interaction.response is not None else 0
        name = referee.operation(operation.method, operation.path)
        found += [
            (flaw_of(check.failure_info.failure, name, status, check.failure_info.code_sample), None)
            for check in checks
            if check.failure_info is not None
        ]
    return found


class Adapter:
    """A target as the WSGI application that schemathesis calls: each request is sent, judged and answered."""

    def __init__(self, referee: Referee) -> None:
        self.referee = referee
        self._flaws: list[tuple[Flaw, Step | None]] = []
        document = {**referee.provider.contract.document, "servers": [{"url": "/"}]}
        self._document = codec.dumps(document)

    def taken(self) -> list[tuple[Flaw, Step | None]]:
        """The flaws found since this was last asked, each with its exchange."""
        found, self._flaws = self._flaws, []
        return found

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        """Answer a request."""
        if environ["PATH_INFO"] == _DOCUMENT:
            answer = Response(200, Headers([("Content-Type", "application/json")]), self._document)
        else:
            answer = self._sent(environ)
        start_response(f"{answer.status} Answer", list(answer.headers.pairs))
        return [answer.body]

    def _sent(self, environ: Mapping[str, Any]) -> Response:
        request = self.referee.renewed(_request(environ))
        step = self.referee.pair.target.send(request)
        contract = self.referee.provider.contract
        operation = getattr(contract.router.find(request.method, request.path), "operation", None)
        name = operation.id if operation is not None else ""
        if step.response is None:
            if not step.failure.startswith(UNSENT):
                self._flaws += [(flaw, step) for flaw in failures(name, (), step)]
            return Response(504)  # no check of this is kept: it was not judged
        case = environ.get("HTTP_X_SCHEMATHESIS_TESTCASEID", "")
        judged = replace(step, request=replace(request, base_url=step.request.base_url))
        self._flaws += [(flaw, judged) for flaw in self.referee.judge(case, name, judged)]
        return step.response


def _request(environ: Mapping[str, Any]) -> Request:
    """The request that a WSGI environment holds, without what schemathesis adds for itself."""
    pairs = [(name[5:].replace("_", "-").title(), value) for name, value in environ.items() if name.startswith("HTTP_")]
    pairs = [(name, value) for name, value in pairs if not name.startswith("X-Schemathesis") and name != "Host"]
    if environ.get("CONTENT_TYPE"):
        pairs.append(("Content-Type", environ["CONTENT_TYPE"]))
    body = environ.get("wsgi.input", io.BytesIO()).read(int(environ.get("CONTENT_LENGTH") or 0))
    query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, errors="replace")
    path = quote(environ["PATH_INFO"].encode("latin-1", "replace"), safe="/_.$~:@!&'()*+,;=-")
    return Request(environ["REQUEST_METHOD"], path, tuple(query), Headers(pairs), body)
