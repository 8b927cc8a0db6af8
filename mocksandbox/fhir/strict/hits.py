"""What a walk through a resource finds, by rule, and how a place and a value are written for people."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mocksandbox.rules.rule import Hit

Trail = Any
"""A place as a linked list: `(trail of the parent, key or index)`; the first parent is the name of the root's type."""

MOST_SHOWN = 60
MOST_HITS = 100


def spell(trail: Trail) -> str:
    """The FHIRPath of a trail: `Immunization.protocolApplied[0].doseNumberPositiveInt`."""
    parts: list[str] = []
    while isinstance(trail, tuple):
        trail, key = trail
        parts.append(f"[{key}]" if isinstance(key, int) else f".{key}")
    return str(trail) + "".join(reversed(parts))


def shown(value: Any) -> str:
    """A JSON value as a message shows it: short, on one line, and always text that can be sent."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Decimal):
        text = str(value)
    elif isinstance(value, str):
        text = json.dumps(value[: MOST_SHOWN + 1])
    else:
        # Python writes integers of up to 4,300 digits only.
        text = json.dumps(value) if not isinstance(value, int) or abs(value) < 10**MOST_SHOWN else "a very large number"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


class Hits:
    """The broken promises found so far: rule id -> the places, in the order of the resource."""

    def __init__(self) -> None:
        self.by_rule: dict[str, list[Hit]] = defaultdict(list)

    def add(self, rule: str, trail: Trail, key: str = "", **values: Any) -> None:
        """One more: the rule (without `fhir/`), the place, the message (the rule's own unless said), values for its text.

        After `MOST_HITS` of a rule no more are kept: nobody reads on, and a body could be made of nothing else.
        """
        hits = self.by_rule[f"fhir/{rule}"]
        if len(hits) < MOST_HITS:
            at = spell(trail)
            hits.append((at, f"fhir.{key or rule}", {"at": at, **values}))

    def enough(self, rule: str) -> bool:
        """Whether no more of a rule are kept."""
        return len(self.by_rule.get(f"fhir/{rule}", ())) >= MOST_HITS
