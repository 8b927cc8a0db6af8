"""Law 7: R4's rules keep the laws on R4's own examples: no example breaks one, and each defect is found by its own rule and by
no other than it says.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from mocksandbox.contract import load, read_mapping
from mocksandbox.exchange import Headers, Request
from mocksandbox.fhir.strict import fhir_catalogue, fhir_examples, fhir_rules
from mocksandbox.fhir.strict.invariants import HOLDS, invariants
from mocksandbox.fhir.strict.lift import lifted
from mocksandbox.provider import open_provider
from mocksandbox.provider.discovery import BUILT_IN
from mocksandbox.resources import contracts_root
from mocksandbox.rules import Catalogue, Rule
from mocksandbox.rules.attempt import Attempt

EXAMPLES = fhir_examples()
RULES = [pytest.param(rule, id=rule.id) for rule in fhir_rules()]
# FHIR's IssueType; https://hl7.org/fhir/R4/valueset-issue-type.html
ISSUES = frozenset({"structure", "required", "value", "invariant", "code-invalid", "too-long", "too-costly"})


def found(resource: Any) -> set[str]:
    """The rules that a resource breaks, those that only advise too."""
    catalogue = fhir_catalogue()
    both = (*catalogue.all(resource, "", "integration"), *catalogue.warnings(resource, "", "integration"))
    return {finding.rule.id for finding in both}


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_breaks_a_rule(name: str) -> None:
    assert found(EXAMPLES[name]) == set()


@pytest.mark.parametrize("rule", RULES)
def test_each_defect_breaks_its_own_rule_and_what_it_says(rule: Rule[Any]) -> None:
    for defect in rule.defects:
        broken: set[str] = set()
        for name, resource in fhir_examples().items():
            changed = defect.apply(resource)
            assert resource == EXAMPLES[name], f"{rule.id}/{defect.name} changes what it is given"
            if changed is resource:
                continue
            here = found(changed)
            assert rule.id in here, f"{rule.id}/{defect.name} on {name}: found {sorted(here)}"
            assert here - {rule.id} <= defect.also, f"{rule.id}/{defect.name} on {name}: {sorted(here - {rule.id})} too"
            broken |= here
        assert broken, f"{rule.id}/{defect.name} can be applied to no example"
        assert not defect.also - broken, f"{rule.id}/{defect.name} never breaks {sorted(defect.also - broken)}"


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_finds_alone_what_all_find_together(rule: Rule[Any]) -> None:
    for defect in rule.defects:
        for resource in EXAMPLES.values():
            changed = defect.apply(resource)
            alone = [(at, key) for at, key, _ in rule.find(changed)]
            together = fhir_catalogue().findings(changed, [rule])
            assert [at for at, _ in alone] == [finding.at for finding in together]
            assert bool(alone) == (changed is not resource)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_says_why_and_where_from(rule: Rule[Any]) -> None:
    assert re.fullmatch(r"fhir/[a-z0-9]+(-[a-z0-9]+)*", rule.id)
    assert rule.title.strip()
    assert rule.why.strip().endswith(".")
    assert re.fullmatch(r"FHIR R4 4\.0\.1, ([a-z]+-\d+|[a-z\-]+\.html(#[a-zA-Z0-9]+)?)", rule.source), rule.source
    assert rule.issue in ISSUES
    assert rule.defects
    names = [defect.name for defect in rule.defects]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", name) for name in names)


def test_rule_ids_are_unique_and_defects_name_rules_that_there_are() -> None:
    ids = [rule.id for rule in fhir_rules()]
    assert len(set(ids)) == len(ids)
    assert {other for rule in fhir_rules() for defect in rule.defects for other in defect.also} <= set(ids)


def test_every_message_is_used_and_every_key_has_one() -> None:
    table = read_mapping(contracts_root() / "fhir" / "messages.yaml")
    used = {
        key
        for rule in fhir_rules()
        for defect in rule.defects
        for resource in EXAMPLES.values()
        for _, key, _ in rule.find(defect.apply(resource))
    }
    never_by_a_defect = {"fhir.not-an-object"}  # a defect changes an object into an object
    assert used | never_by_a_defect == set(table)


def test_every_invariant_of_the_table_is_tested_and_every_test_is_in_the_table() -> None:
    keys = {row.key for row in invariants()}
    assert len(keys) == len(invariants())
    assert {key for key in keys if not key.startswith("bdl-")} == set(HOLDS)


# --- Lifted to a request --------------------------------------------------------------------------------------------------


def attempt(body: Any) -> Attempt:
    """A request to create a record, with this body."""
    contract = open_provider("nhs").contract
    operation = contract.operation("createImmunization")
    headers = Headers([("Content-Type", "application/fhir+json")])
    request = Request("POST", operation.path, headers=headers).with_json(body)
    return Attempt(request, contract, contract.router.find("POST", operation.path))


@pytest.mark.parametrize("name", ["immunization", "immunization-evaluation", "message-bundle"])
def test_lifted_rules_keep_the_laws_on_requests(name: str) -> None:
    valid = attempt(EXAMPLES[name])
    rules = lifted(fhir_rules(), [EXAMPLES[name]], stage="body", status=422)
    assert [rule.id for rule in rules] == [rule.id for rule in fhir_rules()]
    catalogue: Catalogue[Attempt] = Catalogue(rules, fhir_catalogue().messages, {"": ("body",)})
    assert catalogue.all(valid, "", "integration") == []
    tried: Mapping[str, set[str]] = defaultdict(set)
    for rule in rules:
        assert (rule.status, rule.stage) == (422, "body")
        for defect in rule.defects:
            broken = defect.apply(valid)
            assert broken != valid, f"{rule.id}/{defect.name} does not fit {name}"
            # As it arrives: the bytes, read again.
            again = attempt(broken.body)
            here = {each.rule.id for each in (*catalogue.all(again, "", "x"), *catalogue.all(again, "", "integration"))}
            here |= {each.rule.id for each in catalogue.warnings(again, "", "integration")}
            assert rule.id in here, f"{rule.id}/{defect.name}: {sorted(here)}"
            assert here - {rule.id} == defect.also, f"{rule.id}/{defect.name}: {sorted(here)}"
            tried[rule.id].add(defect.name)
    assert set(tried) == {rule.id for rule in rules}


def test_a_request_without_a_readable_body_breaks_no_rule_of_r4() -> None:
    valid = attempt(EXAMPLES["immunization"])
    for body in (b"", b"{", b"\xff"):
        rules = lifted(fhir_rules())
        unreadable = valid.with_raw(body)
        assert [hit for rule in rules for hit in rule.find(unreadable)] == []
        assert all(defect.apply(unreadable) is unreadable for rule in rules for defect in rule.defects)


def test_a_request_whose_body_is_no_object_breaks_the_rule_about_that() -> None:
    bodies: list[Any] = [[], "x", 5, True, None]
    for body in bodies:
        rules = {rule.id: list(rule.find(attempt(body))) for rule in lifted(fhir_rules())}
        assert [id for id, hits in rules.items() if hits] == ["fhir/not-a-resource"]


# --- Documents and providers ----------------------------------------------------------------------------------------------


def test_the_valid_requests_of_our_providers_are_valid_r4() -> None:
    tried = 0
    for name in BUILT_IN:
        provider = open_provider(name)
        assert provider.valid is not None
        for operation in provider.contract.operations:
            body = provider.valid(operation.id).body
            if isinstance(body, dict) and "resourceType" in body:
                assert fhir_catalogue().all(body, "", "integration") == [], f"{operation.id} of {name}"
                tried += 1
    assert tried > 5


def resources_in(value: Any) -> list[Any]:
    """Every resource in a document's examples, outermost only."""
    if isinstance(value, dict):
        if isinstance(value.get("resourceType"), str):
            return [value]
        return [each for item in value.values() for each in resources_in(item)]
    return [each for item in value for each in resources_in(item)] if isinstance(value, list) else []


def test_the_examples_of_the_nhs_document_break_only_what_is_listed() -> None:
    raw = load(contracts_root() / "nhs").raw
    broken = {
        (str(resource["resourceType"]), finding.rule.id, re.sub(r"\d+", "0", finding.at))
        for resource in resources_in(raw)
        for finding in fhir_catalogue().all(resource, "", "integration")
    }
    assert broken == EXAMPLES_OF_THE_NHS


EXAMPLES_OF_THE_NHS = {("Immunization", "fhir/contained-unreferenced", "Immunization.contained[0]")}
"""What the published examples break: the type of the resource, the rule, the place. The answer to a read contains a
Practitioner that nothing refers to.
"""
