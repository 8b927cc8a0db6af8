"""Law 6: every rule has a why, a defect, a stable id and a source that resolves; so has every documented scenario."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest

from mocksandbox.contract import at, read_mapping
from mocksandbox.provider import Scenario, open_provider
from mocksandbox.rules import Rule
from tests.conformance import recorded
from tests.laws.harness import PROVIDERS

RULES = [(name, rule) for name in PROVIDERS for rule in (*open_provider(name).catalogue, *open_provider(name).responses)]
SCENARIOS = [(name, scenario) for name in PROVIDERS for scenario in open_provider(name).scenarios]


@cache
def case_names() -> frozenset[str]:
    return frozenset(case["name"] for case in recorded.cases())


@pytest.mark.parametrize(("name", "rule"), RULES, ids=lambda value: getattr(value, "id", value))
def test_every_rule_says_why_and_where_from(name: str, rule: Rule[Any]) -> None:
    assert re.fullmatch(rf"(http|fhir|{name})/[a-z0-9]+(-[a-z0-9]+)*", rule.id)
    assert rule.title.strip()
    assert rule.why.strip().endswith((".", "!", "?"))
    assert rule.defects
    names = [defect.name for defect in rule.defects]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", defect) for defect in names), names
    assert resolves(name, rule.source), rule.source


@pytest.mark.parametrize("name", PROVIDERS)
def test_rule_ids_are_unique(name: str) -> None:
    ids = [rule.id for provider, rule in RULES if provider == name]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", PROVIDERS)
def test_what_a_defect_breaks_too_are_rules_of_the_provider(name: str) -> None:
    ids = {rule.id for provider, rule in RULES if provider == name}
    for provider, rule in RULES:
        if provider == name:
            for defect in rule.defects:
                assert defect.also <= ids - {rule.id}, f"{rule.id}/{defect.name}: {defect.also - ids | {rule.id}}"


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_rule_is_looked_at_somewhere(name: str) -> None:
    provider = open_provider(name)
    operations = ("", *(operation.id for operation in provider.contract.operations))
    looked_at = {
        rule.id
        for profile in provider.profiles
        for operation in operations
        for catalogue in (provider.catalogue, provider.responses)
        for _, rules in catalogue.stages(operation, profile)
        for rule in rules
    }
    looked_at |= {rule.id for rule in provider.catalogue if rule.severity != "error"}  # asked for by `Catalogue.warnings`
    assert looked_at == {rule.id for other, rule in RULES if other == name}


@pytest.mark.parametrize(("name", "scenario"), SCENARIOS, ids=lambda value: getattr(value, "id", value))
def test_every_scenario_stands_in_the_published_document(name: str, scenario: Scenario) -> None:
    assert scenario.row.strip()
    assert in_document(open_provider(name).contract.raw, scenario.source.removeprefix("openapi.json")), scenario.source


def resolves(name: str, source: str) -> bool:
    """Whether there is what a rule's source names."""
    contract = open_provider(name).contract
    kind, mark, place = source.partition("#")
    if kind in ("openapi.json", "openapi.yaml") and mark:
        return any(in_document(document, place) for document in (contract.raw, contract.document))
    if kind == "messages.yaml" and mark:
        return place in read_mapping(contract.folder / "messages.yaml")
    if source.startswith("case:"):
        return source.removeprefix("case:") in case_names()
    return re.match(r"(RFC \d+|FHIR [A-Z0-9])", source) is not None


def in_document(document: Any, pointer: str) -> bool:
    try:
        at(document, pointer)
    except KeyError:
        return False
    return True
