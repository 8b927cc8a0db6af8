"""Schemathesis' hooks: our cells as its examples, our rules as its checks, and no failure for what is right."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import schemathesis
from hypothesis.strategies import SearchStrategy, one_of
from requests.structures import CaseInsensitiveDict
from schemathesis import Case as Example
from schemathesis import CheckContext, HookContext
from schemathesis.checks import CHECKS
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.schemas import APIOperation

from mocksandbox import codec
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz.in_process import WsgiTarget
from mocksandbox.fuzz.model import Flaw, Step
from mocksandbox.fuzz.plan import plan
from mocksandbox.fuzz.records import IDENTIFIER
from mocksandbox.fuzz.transport import Authorised, UrlTarget
from mocksandbox.generators import Payload
from mocksandbox.provider import Provider, open_provider
from mocksandbox.provider.discovery import BUILT_IN
from mocksandbox.rules.places import get
from mocksandbox.schemathesis_bridge.failures import ANSWERS, Broken, excused
from mocksandbox.schemathesis_bridge.referee import Referee
from mocksandbox.schemathesis_bridge.stock import Adapter

DEFAULT = "nhs"
SOURCES = ("smoke", "rules", "must-accept")


def provider_of(title: str) -> Provider:
    """The provider that `MOCKSANDBOX_PROVIDER` names, else the one whose document has this title, else the NHS's.

    Raises:
        UsageError: the named one does not exist.
    """
    if named := os.environ.get("MOCKSANDBOX_PROVIDER"):
        return open_provider(named)
    titles = {str(open_provider(name).contract.document["info"]["title"]).casefold(): name for name in BUILT_IN}
    return open_provider(titles.get(title.casefold(), DEFAULT))


_referees: dict[str, Referee] = {}


def _referee(operation: APIOperation[Any, Any, Any, Any] | None) -> Referee | None:
    """The referee of the target that an operation is sent to; None when it is no API of ours, or a run of `stock`."""
    if operation is None or isinstance(operation.app, Adapter):
        return None
    schema = operation.schema
    url = str(schema.config.base_url or operation.base_url)
    if url not in _referees:
        provider = provider_of(str(schema.raw_schema.get("info", {}).get("title", "")))
        target = WsgiTarget(operation.app, url) if operation.app is not None else UrlTarget(url)
        headers = dict(schema.config.headers_for(operation=operation) or {})
        seed = schema.config.seed if schema.config.has_explicit_seed else 0
        _referees[url] = Referee(provider, Authorised(target, lambda request: _with(request, headers)), seed)
        _register_rules(provider)
    found = _referees[url]
    return found if found.operation(operation.method, operation.path) else None


def _with(request: Request, headers: Mapping[str, str]) -> Request:
    for name, value in headers.items():
        request = request.with_header(name, value)
    return request


def _add_examples(context: HookContext, examples: list[Example[Any]]) -> None:
    """Every cell of the plan for an operation, in the plan's order; schemathesis runs examples from the last to the first."""
    operation, referee = context.operation, _referee(context.operation)
    if operation is None or referee is None:
        return
    name = referee.operation(operation.method, operation.path)
    sources = os.environ.get("MOCKSANDBOX_SOURCES", ",".join(SOURCES)).split(",")
    ours = []
    for planned in plan(referee.provider, referee.seed):
        if planned.operation == name and planned.make is not None and planned.source in sources:
            request = planned.make().request
            if all(value.isprintable() and value.isascii() for value in request.headers.values()):
                case = operation.Case()
                _fill(case, request)
                referee.cells[case.id] = planned
                ours.append(case)
    examples.extend(reversed(ours))


def _bodies(context: HookContext, strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Bodies as they are in life, valid and broken, in the place of those that a schema alone can think of."""
    operation, referee = context.operation, _referee(context.operation)
    name = referee.operation(operation.method, operation.path) if operation is not None and referee is not None else ""
    if referee is None or not name or not _takes_json(referee.provider, name):
        return strategy
    from mocksandbox.generators.strategies import broken, valid

    reference = f"{referee.provider.name}/{name}"
    return one_of(valid(reference), broken(reference)).map(_plain)


def _takes_json(provider: Provider, operation: str) -> bool:
    return any(name.endswith("json") for name in provider.contract.operation(operation).bodies)


def _plain(payload: Payload) -> Any:
    """A body as the standard library reads it, which schemathesis can write again; bytes that are no JSON stay bytes."""
    try:
        return json.loads(payload.request.body)
    except (ValueError, RecursionError):
        return payload.request.body


def _fill(case: Example[Any], request: Request) -> None:
    """Make a case be a request. Its body is given again as the call's own, so that no serializer changes a byte."""
    case.method = request.method  # type: ignore[assignment]  # any method is sent as it is
    case.path = quote(unquote(request.path), safe="/:@!$&'()*+,;=-._~").replace("{", "%7B").replace("}", "%7D")
    case.path_parameters, case.headers = {}, CaseInsensitiveDict(dict(request.headers))
    query: dict[str, list[str]] = {}
    for name, value in request.query:
        query.setdefault(name, []).append(value)
    case.query = {name: values if len(values) > 1 else values[0] for name, values in query.items()}
    if request.body:
        case.body, case.media_type = request.body, "application/json" if request.media_type else None


def _before_call(context: HookContext, case: Example[Any], kwargs: dict[str, Any]) -> None:
    """What a cell needs is done, and its request is made about a record of its own; other bodies get a new identifier."""
    referee = _referee(case.operation)
    if referee is None:
        return
    if case.id in referee.cells:
        request = referee.prepare(case.id)
        if request is not None:
            _fill(case, request)
        if isinstance(case.body, bytes):
            kwargs["data"] = case.body
    elif isinstance(case.body, dict):
        value = get(case.body, IDENTIFIER)
        exchanged = referee.new_identifier(codec.dumps({"identifier": [{"value": value}]})) if isinstance(value, str) else None
        if exchanged is not None:
            body: Any = case.body
            body["identifier"][0]["value"] = value.replace(*exchanged)


def _after_call(context: HookContext, case: Example[Any], response: schemathesis.Response) -> None:
    """The answer is judged."""
    referee = _referee(case.operation)
    if referee is None or (case.operation.app is not None and case.id not in referee.cells):
        return  # in process, schemathesis does not keep what was sent
    sent = response.request
    parts, base = urlsplit(str(sent.url)), urlsplit(referee.pair.target.base_url)
    body = sent.body.encode() if isinstance(sent.body, str) else bytes(sent.body or b"")
    headers = Headers((str(n), str(v)) for n, v in sent.headers.items() if not str(n).startswith("X-Schemathesis"))
    query = tuple(parse_qsl(parts.query, keep_blank_values=True, errors="replace"))
    request = Request(str(sent.method), parts.path.removeprefix(base.path), query, headers, body, referee.pair.target.base_url)
    pairs = Headers((name, value) for name, values in response.headers.items() for value in values)
    answer = Response(response.status_code, pairs, response.content or b"")
    name = referee.operation(case.operation.method, case.operation.path)
    referee.judge(case.id, name, Step(request, answer, response.elapsed))


def _keep(context: HookContext, failure: Failure, case: Example[Any], response: schemathesis.Response) -> bool:
    """Whether a failure is one: what the right answer would fail as well is the document's doing, and not the target's."""
    referee = _referee(case.operation)
    judged = referee.judged.get(case.id) if referee is not None else None
    return judged is None or not excused(failure, response.status_code, judged)


def install() -> None:
    """Register the hooks and checks with schemathesis, once. They act on the documents of the APIs that are known here.

    Raises:
        UsageError: `MOCKSANDBOX_PROVIDER` names no API.
    """
    if _installed:
        return
    _installed.append(True)
    register: Callable[[str], Callable[[Any], Any]] = schemathesis.hook
    register("after_load_schema")(_after_load_schema)
    register("before_add_examples")(_add_examples)
    register("before_generate_body")(_bodies)
    register("before_call")(_before_call)
    register("after_call")(_after_call)
    register("filter_failure")(_keep)
    _tell_at_the_end()
    schemathesis.check(_check("mocksandbox", lambda flaw: flaw.kind not in ANSWERS))
    _register_rules(provider_of(""))


_installed: list[bool] = []


def _summary() -> str:
    """How many requests each engine has sent."""
    cells = sum(referee.judged_cells for referee in _referees.values())
    others = sum(referee.judged_others for referee in _referees.values())
    before = sum(referee.pair.requests for referee in _referees.values())
    return (
        f"mocksandbox: schemathesis sent {cells + others} requests, {cells} of them cells of our plan; "
        f"{before} more prepared the records that those are about"
    )


def _tell_at_the_end() -> None:
    """Put the numbers into the summary that `st` prints."""
    from schemathesis.cli import EventHandler, ExecutionContext, handler
    from schemathesis.engine import events

    class Numbers(EventHandler):  # type: ignore[type-arg]
        def handle_event(self, ctx: ExecutionContext, event: events.EngineEvent) -> None:
            if isinstance(event, events.EngineFinished) and _referees:
                ctx.add_summary_line(_summary())

    handler()(Numbers)


def _after_load_schema(context: HookContext, schema: Any) -> None:
    """One failure must not end an operation: a campaign is about all rules."""
    schema.config.update(continue_on_failure=True)


def _register_rules(provider: Provider) -> None:
    """A check for each rule about answers, named after it: `http_response_body`."""
    for rule in provider.responses:
        name = re.sub(r"\W", "_", rule.id)
        if name not in CHECKS.get_all_names():
            schemathesis.check(_check(name, _about(rule.id)))


def _about(rule: str) -> Callable[[Flaw], bool]:
    return lambda flaw: rule in flaw.rules and flaw.kind in ANSWERS


def _check(name: str, wanted: Callable[[Flaw], bool]) -> Callable[..., bool | None]:
    """A check that tells the flaws of a sort; it does not count where nothing was judged."""

    def check(context: CheckContext, response: schemathesis.Response, case: Example[Any]) -> bool | None:
        referee = _referee(case.operation)
        judged = referee.judged.get(case.id) if referee is not None else None
        if referee is None or judged is None:
            return True
        found = [Broken(flaw, referee.provider, case.operation.label) for flaw in judged[0] if wanted(flaw)]
        if found:
            raise FailureGroup(found)
        return None

    check.__name__ = name
    return check
