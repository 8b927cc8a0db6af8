"""Which operation a request is for, and, when it is for none, what it came near to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mocksandbox.frozen import made

if TYPE_CHECKING:
    from mocksandbox.contract.model import Operation

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Match:
    """The operation of a request and the values of its path parameters, percent-decoded. `literal` are the methods of a route
    that is spelled as the path is, when the operation is another's (`GET /Immunization/_search` is a read with a strange id).
    """

    operation: Operation
    parameters: Mapping[str, str] = field(default_factory=dict)
    literal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Miss:
    """A request for no operation: the methods that its path does have (none: the path is unknown), and the nearest
    operations with the reason why each is not the one.
    """

    allowed: tuple[str, ...]
    near: tuple[str, ...]


_ALIKE = 0.5
"""How alike a path and a template must be for it to be one that the path came near to."""

_PLACEHOLDERS_LEFT_OUT = 0.99
"""How alike a path is that lacks only what stands in place of a template's placeholders, or some of it."""


class Router:
    """Finds operations by method and path. A literal segment wins over a placeholder; a placeholder may be empty, so that
    `GET /Immunization/` is a read without an id rather than an unknown path.
    """

    def __init__(self, routes: tuple[tuple[str, str, Any], ...]) -> None:
        self._routes = sorted(
            ((method, template, _compile(template), operation) for method, template, operation in routes),
            key=lambda route: [part.startswith("{") for part in route[1].split("/")],
        )
        self._literal = {(m, t): Match(o) for m, t, _, o in self._routes if "{" not in t}
        self._methods: dict[str, tuple[str, ...]] = {}
        for method, template in self._literal:
            self._methods[template] = (*self._methods.get(template, ()), method)
        self._by_method: dict[str, list[tuple[re.Pattern[str], Any]]] = {}
        for method, _, pattern, operation in self._routes:
            self._by_method.setdefault(method, []).append((pattern, operation))

    def find(self, method: str, path: str) -> Match | Miss:
        """The match of a request line, or the miss that explains why there is none."""
        found = self._literal.get((method, path))
        if found is not None:
            return found
        literal = self._methods.get(path, ())
        for pattern, operation in self._by_method.get(method, ()):
            hit = pattern.fullmatch(path)
            if hit is not None:
                sent = hit.groupdict()
                parameters = {name: unquote(sent[name]) for name in sent} if "%" in path else sent
                return made(Match, operation=operation, parameters=parameters, literal=literal)
        allowed = [known for known, _, pattern, _ in self._routes if pattern.fullmatch(path)]
        return Miss(literal or tuple(dict.fromkeys(allowed)), self._near(method, path))

    def _near(self, method: str, path: str) -> tuple[str, ...]:
        scored = []
        for candidate, template, pattern, operation in self._routes:
            same_path = pattern.fullmatch(path) is not None
            likeness = 1.0 if same_path else _likeness(path, template)
            if likeness < _ALIKE:
                continue
            why = f"the method is {method}" if same_path else f"the path is {path}"
            scored.append((likeness, candidate == method, f"{operation.id} ({candidate} {template}): {why}"))
        return tuple(text for *_, text in sorted(scored, reverse=True)[:3])


def _likeness(path: str, template: str) -> float:
    """How alike a path and a template are, from 0 to 1, whatever stands in place of the placeholders."""
    segments = path.split("/")
    if _lacks_placeholders(segments, template.split("/")):
        return _PLACEHOLDERS_LEFT_OUT
    parts = [
        segments[index] if part.startswith("{") and index < len(segments) else part
        for index, part in enumerate(template.split("/"))
    ]
    matcher = SequenceMatcher(None, path.lower(), "/".join(parts).lower())
    # A path that is far longer is not alike, and comparing it may take minutes.
    return matcher.ratio() if matcher.real_quick_ratio() >= _ALIKE else 0.0


def _lacks_placeholders(segments: list[str], parts: list[str]) -> bool:
    literal = [part for part in parts if not part.startswith("{")]
    rest = iter(segments)
    return len(literal) <= len(segments) < len(parts) and all(part in rest for part in literal)


def _compile(template: str) -> re.Pattern[str]:
    parts = _PLACEHOLDER.split(template)
    names = [re.sub(r"\W", "_", name) for name in parts[1::2]]
    pattern = re.escape(parts[0])
    for name, literal in zip(names, parts[2::2], strict=True):
        pattern += f"(?P<{name}>[^/]*)" + re.escape(literal)
    return re.compile(pattern)
