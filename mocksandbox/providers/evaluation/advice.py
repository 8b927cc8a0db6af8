"""What refuses nothing and should be otherwise: codes outside the example value sets (contracts/evaluation/valuesets.yaml)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from mocksandbox.contract import Contract, read_mapping
from mocksandbox.fhir.search.tokens import tokens_in
from mocksandbox.fhir.server import interaction as names
from mocksandbox.fhir.server import interactions
from mocksandbox.providers.evaluation.promise import promise, set_to
from mocksandbox.providers.evaluation.table import FOLDER, MAIN
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import Hit, Rule


@cache
def _table() -> Mapping[str, Any]:
    return read_mapping(FOLDER / "valuesets.yaml")


@cache
def _codes(valueset: str) -> frozenset[tuple[str | None, str]]:
    systems = _table()["valuesets"][valueset]
    return frozenset((system, code) for system, codes in systems.items() for code in codes)


def _outside(attempt: Attempt) -> Iterator[Hit]:
    body = attempt.body
    bindings = _table()["bindings"].get(body.get("resourceType"), {}) if isinstance(body, dict) and _named(body) else {}
    for element, binding in bindings.items():
        if binding["strength"] != "example":
            continue
        value = body.get(element)
        many = isinstance(value, list)
        for index, concept in enumerate(value if many else [value]):
            sent = set(tokens_in(concept, ""))
            if sent and not sent & _codes(binding["valueset"]):
                at = f"{body['resourceType']}.{element}{f'[{index}]' if many else ''}"
                yield at, "outside-example", {"at": at, "valueset": binding["valueset"]}


def _named(body: Mapping[str, Any]) -> bool:
    return isinstance(body.get("resourceType"), str)


def advice_rules(contract: Contract) -> tuple[Rule[Attempt], ...]:
    """The warnings."""
    writes = interactions(contract, names.CREATE, names.UPDATE)
    coded = {"coding": [{"system": "https://example.org/fhir/codes", "code": "of-our-own"}]}
    rule = promise(
        "outside-example",
        "A code is from the example value set of its element",
        "Any code may be sent; others know the examples best.",
        "FHIR R4 terminologies.html#example",
        _outside,
        (
            set_to("disease", ("targetDisease",), coded),
            set_to("status", ("doseStatus",), coded),
            set_to("reason", ("doseStatusReason", 0), coded),
        ),
        stage="advice",
        operations=frozenset(id for id in writes if id.endswith(MAIN)),
        issue="code-invalid",
    )
    return (replace(rule, severity="warning"),)
