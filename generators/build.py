"""Building valid requests: a template of the API, its fields with their kinds, and a scene to take the values from.

A template is one of the provider's own valid requests. Where a field with a kind stands in it, a made-up value is written;
what the API does without may be left out. Which elements those are is asked of the rules, once for each template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from mocksandbox import codec
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Request
from mocksandbox.generators.labels import stateless_findings
from mocksandbox.generators.paths import lies_below, pruned
from mocksandbox.generators.scene import AMERICAN_KINDS
from mocksandbox.provider import Provider, open_provider
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, Path, get, walk

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Slot:
    """Where in a template's body a value of a kind goes."""

    path: Path
    kind: str


@dataclass(frozen=True)
class ParameterSlot:
    """Where a value of a kind goes outside the body: `query`, `header` or `path`, and the name."""

    where: str
    name: str
    kind: str


@dataclass(frozen=True)
class Template:
    """One shape of an operation's request, ready to be filled."""

    provider: str
    operation: str
    attempt: Attempt
    text: bytes
    slots: tuple[Slot, ...]
    parameters: tuple[ParameterSlot, ...]

    def fill(self, values: Mapping[str, Any], without: Iterable[Path] = ()) -> Any:
        """A body with values of these kinds, and without these paths; None when the request has no JSON body."""
        body = orjson.loads(self.text) if self.text else None
        left_out = list(without)
        for holder_path, slots in self._holders:
            holder: Any = body
            for key in holder_path:
                holder = holder[key]
            for key, kind in slots:
                value = values[kind]
                if value is None:
                    left_out.append(self._unit((*holder_path, key)))
                else:
                    holder[key] = value
        for path in left_out:
            pruned(body, path)
        return body

    def without(self, paths: Iterable[Path]) -> Any:
        """The template's own body without these paths."""
        body = orjson.loads(self.text)
        for path in paths:
            pruned(body, path)
        return body

    @cached_property
    def _holders(self) -> Sequence[tuple[Path, Sequence[tuple[Any, str]]]]:
        """The slots by the object that holds them, so that each object is walked to once."""
        found: dict[Path, list[tuple[Any, str]]] = {}
        for slot in self.slots:
            found.setdefault(slot.path[:-1], []).append((slot.path[-1], slot.kind))
        return list(found.items())

    def _unit(self, path: Path) -> Path:
        """What is left out when there is no value for a place: the outermost optional element that it is in."""
        return next((unit for unit in self.optional if lies_below(unit, path)), path)

    @cached_property
    def optional(self) -> tuple[Path, ...]:
        """The paths of the body that the API does without, outer ones first. What lies inside a made-up value is left out: it
        is the value's own, and shared with every other payload that has it.
        """
        if not self.text:
            return ()
        free = optional_paths(open_provider(self.provider), self.attempt)
        inside = [slot.path for slot in self.slots]
        return tuple(path for path in free if not any(path != slot and lies_below(slot, path) for slot in inside))

    @cached_property
    def reference(self) -> str:
        """The operation with its provider: `nhs/createImmunization`."""
        return f"{self.provider}/{self.operation}"

    @cached_property
    def abroad(self) -> bool:
        """Whether it asks for what only American APIs do."""
        return not self.kinds.isdisjoint(AMERICAN_KINDS)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of the values that are made up here."""
        return frozenset([*(slot.kind for slot in self.slots), *(slot.kind for slot in self.parameters)])

    @cached_property
    def outer(self) -> tuple[Path, ...]:
        """The optional paths that lie below no other."""
        return tuple(
            path for path in self.optional if not any(other != path and lies_below(other, path) for other in self.optional)
        )

    def request(self, body: Any, values: Mapping[str, Any]) -> Request:
        """The request with a body, and with values of these kinds as its parameters."""
        base = self.attempt.request
        # Spelled out: `dataclasses.replace` costs as much as writing the body.
        request = (
            Request(base.method, base.path, base.query, base.headers, codec.dumps(body), base.base_url)
            if body is not None
            else base
        )
        return self.with_parameters(request, values) if self.parameters else request

    def with_parameters(self, request: Request, values: Mapping[str, Any]) -> Request:
        """The request with values of these kinds as its parameters."""
        for slot in self.parameters:
            value = str(values[slot.kind])
            if slot.where == "header":
                request = request.with_header(slot.name, value)
            elif slot.where == "query" and request.media_type == FORM and request.method == "POST":
                form = [(name, value if name == slot.name else old) for name, old in parse_qsl(request.body.decode())]
                request = replace(request, body=urlencode(form).encode())
            elif slot.where == "query":
                query = tuple((name, value if name == slot.name else old) for name, old in request.query)
                request = replace(request, query=query)
        return request


def split_reference(reference: str) -> tuple[Provider, str]:
    """The provider and the operation that a reference names: `nhs/createImmunization`, or `nhs` for its main operation.

    Raises:
        UsageError: there is no such provider, or it has no such operation or no valid requests.
    """
    whole = "/" not in reference or FilePath(reference).is_dir()
    name, slash, operation = (reference, "", "") if whole else reference.rpartition("/")
    provider = open_provider(name)
    if provider.valid is None:
        raise UsageError(f"{name} has no valid requests to start from.", name, ())
    known = [each.id for each in provider.contract.operations]
    if slash and operation not in known:
        raise UsageError(f"{name} has no operation {operation!r}.", operation, known)
    return provider, operation or main_operation(provider)


def main_operation(provider: Provider) -> str:
    """The operation that an API is for: what it says, else the first whose request has a JSON body, else its first."""
    if provider.main:
        return provider.main
    for operation in provider.contract.operations:
        if isinstance(_attempts(provider, operation.id)[0].body, dict):
            return operation.id
    return provider.contract.operations[0].id


def _attempts(provider: Provider, operation: str) -> Sequence[Attempt]:
    if provider.templates is not None:
        return provider.templates(operation)
    assert provider.valid is not None, "asked only of providers with valid requests"
    return [provider.valid(operation)]


@cache
def templates(name: str, operation: str) -> tuple[Template, ...]:
    """The templates of a provider's operation, the plainest first."""
    provider = open_provider(name)
    return tuple(_template(provider, operation, attempt) for attempt in _attempts(provider, operation))


def _template(provider: Provider, operation: str, attempt: Attempt) -> Template:
    body = attempt.body if isinstance(attempt.body, (dict, list)) else None
    places: list[tuple[Path, str]] = []
    parameters = []
    for field in provider.fields.values():
        if not field.kind or (field.operations and operation not in field.operations):
            continue
        if field.parameter is not None:
            where, name = field.parameter
            if _has_parameter(attempt.request, where, name):
                parameters.append(ParameterSlot(where, name, field.kind))
        elif body is not None:
            places += [(found.path, field.kind) for found in field.present(body)]
    slots = tuple(Slot(path, kind) for path, kind in places)
    text = orjson.dumps(body) if body is not None else b""
    return Template(provider.name, operation, attempt, text, slots, tuple(parameters))


def _has_parameter(request: Request, where: str, name: str) -> bool:
    if where == "header":
        return name in request.headers
    if request.media_type == FORM and request.method == "POST":
        return any(key == name for key, _ in parse_qsl(request.body.decode()))
    return where == "query" and any(key == name for key, _ in request.query)


def optional_paths(provider: Provider, attempt: Attempt) -> tuple[Path, ...]:
    """The keys of a body that can be left out, each by itself and all together, without breaking a rule in any profile; outer
    ones first.
    """
    optional: list[Path] = []
    least = attempt.body
    # From the end: of two elements of which one must stay, the first stays.
    for path, _ in reversed(list(walk(attempt.body))):
        if not path or isinstance(path[-1], int):
            continue
        alone, together = (_without(body, path) for body in (attempt.body, least))
        if get(alone, path) is not MISSING or stateless_findings(provider, attempt.with_body(alone)):
            continue
        if together == least or not stateless_findings(provider, attempt.with_body(together)):
            optional.append(path)
            least = together
    return tuple(reversed(optional))


def _without(body: Any, path: Path) -> Any:
    # orjson writes and reads a copy faster than deepcopy makes one.
    less = orjson.loads(orjson.dumps(body))
    pruned(less, path)
    return less
