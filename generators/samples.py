"""Valid payloads in bulk, each from a seed of its own: the same seed gives the same bytes on any machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from mocksandbox.errors import UsageError
from mocksandbox.generators.build import Template, split_reference, templates
from mocksandbox.generators.days import AS_OF
from mocksandbox.generators.draw import Draw, seeded
from mocksandbox.generators.kind import kinds
from mocksandbox.generators.payload import Payload
from mocksandbox.generators.scene import scene
from mocksandbox.generators.spelling import SPELLINGS
from mocksandbox.rules.places import Path

Style = Literal["mixed", "minimal", "typical", "full", "unusual"]
STYLES: tuple[Style, ...] = ("mixed", "minimal", "typical", "full", "unusual")
"""How a payload looks: with nothing that may be absent; as most are; with everything; valid and surprising. `mixed` is mostly
typical, with some of each other."""


@dataclass(frozen=True)
class Made:
    """A valid request with what it was made of."""

    template: Template
    values: dict[str, Any]
    without: tuple[Path, ...]
    spelling: str = "plain"

    def payload(self, seed: int | None) -> Payload:
        """The payload."""
        template = self.template
        body = template.fill(self.values, self.without)
        request = template.request(body, self.values)
        if body is not None and self.spelling != "plain":
            request = replace(request, body=SPELLINGS[self.spelling](body))
        return Payload(template.reference, request, seed)


def payloads(
    reference: str, count: int | None = 1, seed: int = 0, *, style: Style = "mixed", as_of: date = AS_OF
) -> Iterator[Payload]:
    """Valid requests of an operation (`nhs/createImmunization`; `nhs` for its main one), one for each seed from `seed` on;
    without end when the count is None. No moment in them is later than `as_of`.

    Raises:
        UsageError: there is no such provider, operation or style.
    """
    if style not in STYLES:
        raise UsageError(f"No style {style!r}.", style, STYLES)
    provider, operation = split_reference(reference)
    known = templates(provider.name, operation)
    last = None if count is None else seed + count
    while last is None or seed < last:
        yield make(known, seeded(seed), style, as_of).payload(seed)
        seed += 1


def make(known: tuple[Template, ...], draw: Draw, style: Style = "mixed", as_of: date = AS_OF) -> Made:
    """A valid request of one of these templates, drawn."""
    if style == "mixed":
        style = draw.choice(_MIXTURE)
    template = known[0]
    if style == "full":
        template = max(known, key=lambda each: len(each.text))
    elif style != "minimal" and draw.flag(0.25):
        template = draw.choice(known)
    values = scene(draw, as_of, abroad=template.abroad, complete=style == "full")
    if style == "minimal":
        return Made(template, values, template.optional)
    without: tuple[Path, ...] = ()
    if style != "full" and template.outer and draw.flag(0.3):
        without = tuple({draw.choice(template.outer), draw.choice(template.outer)})
    if style == "unusual":
        return Made(template, _surprising(draw, template, values), without, draw.choice(tuple(SPELLINGS)))
    return Made(template, values, without)


_MIXTURE: tuple[Style, ...] = (
    "typical",
    "typical",
    "typical",
    "typical",
    "typical",
    "typical",
    "minimal",
    "full",
    "unusual",
    "unusual",
)


def _surprising(draw: Draw, template: Template, values: dict[str, Any]) -> dict[str, Any]:
    """The values with one to three of them exchanged for unusual ones."""
    known = kinds()
    able = [name for name in sorted(template.kinds) if known[name].unusual and values[name] is not None]
    if not able:
        return values
    chosen = [draw.choice(able) for _ in range(draw.integer(1, 3))]
    return {**values, **{name: draw.choice(known[name].unusual) for name in chosen}}
