"""Hypothesis strategies: the same recipes as in bulk, drawn by Hypothesis, so that what fails shrinks to the smallest payload
that still fails. Nothing is drawn and thrown away.

```python
from hypothesis import given
from mocksandbox.generators.strategies import broken, valid

@given(valid("nhs/createImmunization"))
def test_my_mapping(payload): ...

@given(broken("nhs/createImmunization", rule="nhs/bad-nhs-number"))
def test_my_client_says_what_is_wrong(payload): ...
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from mocksandbox.errors import UsageError
from mocksandbox.generators.build import Template, split_reference, templates
from mocksandbox.generators.days import AS_OF
from mocksandbox.generators.draw import Draw
from mocksandbox.generators.kind import kinds
from mocksandbox.generators.labels import label, new_records
from mocksandbox.generators.payload import Payload
from mocksandbox.generators.samples import Made
from mocksandbox.generators.scene import scene
from mocksandbox.provider import Provider, open_provider
from mocksandbox.rules import Defect, Rule
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import Path

__all__ = ["broken", "valid", "values"]
T = TypeVar("T")


class HypothesisDraw:
    """Decisions by Hypothesis: it shrinks towards the first option, the smallest number and False."""

    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return self._draw(_integers(low, high))

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self._draw(_integers(0, len(options) - 1))]

    def flag(self, chance: float = 0.5) -> bool:
        """True or False; the chance is Hypothesis's own."""
        return self._draw(_FLAGS)


_FLAGS = st.booleans()


@cache
def _integers(low: int, high: int) -> SearchStrategy[int]:
    return st.integers(low, high)


def values(kind: str) -> SearchStrategy[Any]:
    """Values of one kind (`nhs-number`, `birth-date`, …), the unusual ones among them.

    Raises:
        UsageError: there is no such kind.
    """
    if kind not in kinds():
        raise UsageError(f"No kind {kind!r}.", kind, kinds())
    return _values(kind)


@st.composite
def _values(draw: DrawFn, kind: str) -> Any:
    found = kinds()[kind]
    source = HypothesisDraw(draw)
    if found.unusual and source.flag():
        return source.choice(found.unusual)
    return found.draw(source)


def valid(reference: str, *, as_of: date = AS_OF) -> SearchStrategy[Payload]:
    """Valid requests of an operation (`nhs/createImmunization`; `nhs` for its main one): plain, unusual, with and without each
    optional element. They shrink to the smallest request that the API takes. A server that remembers may refuse one that it
    has seen: Hypothesis sends the same one again.

    Raises:
        UsageError: there is no such provider or operation.
    """
    provider, operation = split_reference(reference)
    return _valid(templates(provider.name, operation), as_of)


@st.composite
def _valid(draw: DrawFn, known: tuple[Template, ...], as_of: date) -> Payload:
    source = HypothesisDraw(draw)
    template = source.choice(known)
    return _drawn(source, template, (), as_of).payload(None)


def _drawn(source: Draw, template: Template, needed: tuple[Path, ...], as_of: date) -> Made:
    """A valid request with at least the optional elements that are needed."""
    drawn = scene(source, as_of, abroad=template.abroad, complete=bool(needed))
    if not needed and source.flag():
        able = [name for name in sorted(template.kinds) if kinds()[name].unusual and drawn[name] is not None]
        if able:
            name = source.choice(able)
            drawn[name] = source.choice(kinds()[name].unusual)
    # An element is left out unless it is drawn: absent is simpler.
    kept = {path for path in template.outer if path in needed or source.flag()}
    inner = needed or source.flag()
    left_out = [path for path in (template.outer if inner else template.optional) if path not in kept]
    return Made(template, drawn, tuple(left_out))


@dataclass(frozen=True)
class _Way:
    """A rule's defect, the template that it can be applied to, and the optional elements that it needs to be there."""

    rule: Rule[Attempt]
    defect: Defect[Attempt]
    template: Template
    needed: tuple[Path, ...]


def broken(reference: str, *, rule: str | None = None, as_of: date = AS_OF) -> SearchStrategy[Payload]:
    """Requests of an operation that are broken by a defect of one rule, or of any, each labelled with all that it breaks. They
    shrink to the smallest request that still breaks the rule.

    Raises:
        UsageError: there is no such provider, operation or rule, or no request of the operation breaks the rule by itself.
    """
    provider, operation = split_reference(reference)
    rules = [provider.catalogue[rule]] if rule is not None else list(provider.catalogue)
    ways = [way for each in rules for way in _ways(provider.name, operation, each.id)]
    if not ways:
        raise UsageError(f"No request of {operation} breaks {rule} by itself.", str(rule), _breakable(provider, operation))
    return _broken(provider, operation, ways, as_of)


def _breakable(provider: Provider, operation: str) -> list[str]:
    return [each.id for each in provider.catalogue if _ways(provider.name, operation, each.id)]


@st.composite
def _broken(draw: DrawFn, provider: Provider, operation: str, ways: Sequence[_Way], as_of: date) -> Payload:
    source = HypothesisDraw(draw)
    way = source.choice(ways)
    made = _drawn(source, way.template, way.needed, as_of)
    attempt = replace(way.template.attempt, request=made.payload(None).request, records=new_records(provider.name))
    spoiled = way.defect.apply(attempt)
    truth = label(provider, spoiled)
    return Payload(
        operation=f"{provider.name}/{operation}",
        request=spoiled.request,
        seed=None,
        verdict=truth.verdict,
        broken=truth.broken,
        defect=f"{way.rule.id}/{way.defect.name}",
        expected=truth.expected,
    )


@cache
def _ways(name: str, operation: str, rule_id: str) -> tuple[_Way, ...]:
    provider = open_provider(name)
    rule = provider.catalogue[rule_id]
    if not any(rule in rules for _, rules in provider.catalogue.stages(operation, provider.default_profile)):
        return ()
    found = []
    for defect in rule.defects:
        for template in templates(name, operation):
            if not defect.needs and _breaks(provider, rule, defect, template, ()):
                found.append(_Way(rule, defect, template, _needed(provider, rule, defect, template)))
                break
    return tuple(found)


def _needed(provider: Provider, rule: Rule[Attempt], defect: Defect[Attempt], template: Template) -> tuple[Path, ...]:
    """The optional elements without which the defect breaks nothing."""
    if _breaks(provider, rule, defect, template, template.optional):
        return ()
    return tuple(path for path in template.outer if not _breaks(provider, rule, defect, template, (path,)))


def _breaks(
    provider: Provider, rule: Rule[Attempt], defect: Defect[Attempt], template: Template, without: tuple[Path, ...]
) -> bool:
    attempt = replace(template.attempt, records=new_records(provider.name))
    if template.text:
        attempt = attempt.with_body(template.without(without))
    spoiled = defect.apply(attempt)
    if spoiled.request == attempt.request:
        return False
    return rule.id in label(provider, spoiled).broken
