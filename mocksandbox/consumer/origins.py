"""Where legal answers come from: the sandbox itself, and the errors that the document names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from itertools import islice

from mocksandbox.consumer.legal import Ground
from mocksandbox.consumer.refusals import refusals
from mocksandbox.consumer.surprises import EMPTY
from mocksandbox.contract import Operation
from mocksandbox.exchange import Request, Response
from mocksandbox.generators import payloads
from mocksandbox.provider import Provider, open_provider
from mocksandbox.sandbox import RULES_HEADER, Sandbox
from mocksandbox.sandbox.forced import forced_answer
from mocksandbox.sandbox.preferences import Preferences

_STYLES = ("minimal", "full", "unusual")
"""The sorts of records that a read may give."""


@cache
def grounds(name: str, operation: str, profile: str) -> tuple[Ground, ...]:
    """The answers of an operation: the plain one first, then other records, then every documented error."""
    provider = open_provider(name)
    found = provider.contract.operation(operation)
    seen: set[tuple[int, bytes]] = set()
    kept = []
    for each in (*_given(provider, found, profile), *_documented(provider, found, profile)):
        key = (each.response.status, each.response.body)
        if key not in seen and each.allows(each.response):
            seen.add(key)
            kept.append(each)
    return tuple(kept)


def _given(provider: Provider, operation: Operation, profile: str) -> Iterator[Ground]:
    """What the sandbox answers to valid requests, and to reads of records that were made up."""
    assert provider.valid is not None
    templates = provider.templates(operation.id) if provider.templates else [provider.valid(operation.id)]
    for attempt in templates:
        answer = Sandbox(provider, profile).handle(attempt.request, trusted=True)
        if answer.status < 400:
            plain = Ground(provider, profile, operation.id, attempt.request, _clean(answer))
            yield plain
            yield from _empty(plain)
    for style in _STYLES:
        for request, answer in _reads(provider, operation, profile, style):
            yield Ground(provider, profile, operation.id, request, _clean(answer), (f"a {style} record",))


def _empty(plain: Ground) -> Iterator[Ground]:
    """An answer in which nothing was found: by itself, for every client meets it one day."""
    for number, way in enumerate(plain.ways):
        if way.sort == EMPTY and plain.is_legal(number):
            response, how = plain.changed([number])
            yield replace(plain, response=response, how=how)


def _reads(provider: Provider, operation: Operation, profile: str, style: str) -> Iterator[tuple[Request, Response]]:
    """A read of records of one style, where the operation is a read of what another one creates."""
    creating = [each for each in provider.contract.operations if each.method == "POST" and "201" in each.answers]
    create = next((each for each in creating if f"{each.path}/{{id}}" == operation.path), None)
    if operation.method != "GET" or create is None or provider.about is None or provider.valid is None:
        return
    sandbox = Sandbox(provider, profile)
    for payload in payloads(f"{provider.name}/{create.id}", 2, 0, style=style):  # type: ignore[arg-type]
        created = sandbox.handle(payload.request, trusted=True)
        id = created.headers.get("Location", "").partition("/_history/")[0].rpartition("/")[2]
        if created.status == 201 and id:
            request = provider.about(provider.valid(operation.id), id, 1).request
            yield request, sandbox.handle(request, trusted=True)


def _documented(provider: Provider, operation: Operation, profile: str) -> Iterator[Ground]:
    """Every error that the document names, and every scenario in which one is given."""
    assert provider.valid is not None
    attempt = provider.valid(operation.id)
    ground = partial(Ground, provider, profile, operation.id, attempt.request)
    for status in sorted(operation.answers):
        if status.isdecimal() and status >= "4":
            tried = (
                ground(_clean(answer), (f"the documented {status}",))
                for answer in refusals(provider, attempt, int(status), profile)
            )
            yield from islice((each for each in tried if each.allows(each.response)), 1)
    for scenario in provider.scenarios:
        if scenario.operation == operation.id and scenario.forced:
            forced = forced_answer(provider, attempt, Preferences(scenario=scenario.id), profile)
            if forced is not None:
                yield ground(_clean(forced[1]), (scenario.id,))


def _clean(answer: Response) -> Response:
    """An answer without what only the sandbox says."""
    return answer.with_header(RULES_HEADER, None)
