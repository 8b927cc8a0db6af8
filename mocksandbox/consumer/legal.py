"""Which answers to a request are legal: they break no rule, and nothing of FHIR's that a plain one keeps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mocksandbox import codec
from mocksandbox.consumer.surprises import SHORTER, Way, ways
from mocksandbox.exchange import Exchange, Request, Response
from mocksandbox.provider import Provider
from mocksandbox.rules.places import drop

_FAILS = "http/server-error"
"""The rule that no answer is 5xx: a documented one is legal, and a client must be ready for it."""


@dataclass(frozen=True, repr=False)
class Ground:
    """One legal answer with the request that it answers, and what is surprising about it already."""

    provider: Provider
    profile: str
    operation: str
    request: Request
    response: Response
    how: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{self.provider.name}/{self.operation} {self.response.status} {', '.join(self.how)}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # Hypothesis would write out every field, and all that hangs on it.
        printer.text(repr(self))

    def allows(self, response: Response) -> bool:
        """Whether another answer to this request is legal."""
        return self._keeps_rules(response) and _fhir(response) <= self._tolerated

    def _keeps_rules(self, response: Response) -> bool:
        found = self.provider.responses.all(Exchange(self.request, response), self.operation, self.profile)
        return all(finding.rule.id == _FAILS for finding in found)

    @cached_property
    def _tolerated(self) -> frozenset[tuple[str, str]]:
        """What of FHIR is broken already; and where the API's document wants `entry` even when nothing was found, it can only
        be an empty list, which FHIR has not.
        """
        body = _json(self.response)
        entries = isinstance(body, dict) and body.get("resourceType") == "Bundle" and bool(body.get("entry"))
        wanted = entries and not self._keeps_rules(replace(self.response, body=codec.dumps(drop(body, ("entry",)))))
        return _fhir(self.response) | ({("fhir/empty-element", "Bundle.entry")} if wanted else set())

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """The ways that there are to make it surprising, legal or not."""
        return tuple(ways(self.response))

    @cached_property
    def sorts(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the ways, by their sort."""
        numbers: dict[str, list[int]] = {}
        for number, way in enumerate(self.ways):
            numbers.setdefault(way.sort, []).append(number)
        return tuple(map(tuple, numbers.values()))

    @cached_property
    def optional(self) -> tuple[int, ...]:
        """The numbers of the ways that leave out what need not be there."""
        return tuple(number for number, way in enumerate(self.ways) if way.sort == SHORTER and self.is_legal(number))

    def is_legal(self, number: int) -> bool:
        """Whether a way is legal by itself."""
        if number not in self._legal:
            made = self.ways[number].apply(self.response)
            self._legal[number] = made != self.response and self.allows(made)
        return self._legal[number]

    def changed(self, numbers: Iterable[int]) -> tuple[Response, tuple[str, ...]]:
        """The answer changed in these ways, one after the other, with the names of those that were possible: two ways that are
        legal alone need not be so together.
        """
        return self._together(self.response, [self.ways[number] for number in numbers if self.is_legal(number)])

    def _together(self, response: Response, chosen: list[Way]) -> tuple[Response, tuple[str, ...]]:
        """All at once where that is legal, else by halves."""
        whole = response
        for way in chosen:
            whole = way.apply(whole)
        if len(chosen) < 2 and response is self.response:
            return whole, tuple(way.name for way in chosen)
        if whole != response and self.allows(whole):
            return whole, tuple(way.name for way in chosen)
        if len(chosen) < 2:
            return response, ()
        half = len(chosen) // 2
        response, first = self._together(response, chosen[:half])
        response, second = self._together(response, chosen[half:])
        return response, (*first, *second)

    @cached_property
    def _legal(self) -> dict[int, bool]:
        return {}


def _fhir(response: Response) -> frozenset[tuple[str, str]]:
    """What FHIR itself says against a body that says it is a resource."""
    from mocksandbox.fhir.strict import fhir_catalogue

    body = _json(response)
    if not (isinstance(body, dict) and isinstance(body.get("resourceType"), str)):
        return frozenset()
    return frozenset(finding.key for finding in fhir_catalogue().all(body, "", "integration"))


def _json(response: Response) -> Any:
    try:
        return response.json() if response.body else None
    except ValueError:
        return None
