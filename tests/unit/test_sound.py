"""The quick look at a record names exactly the rules of a stage that find something."""

from __future__ import annotations

from random import Random

import pytest

from mocksandbox import open_provider
from mocksandbox.rules.values import is_nhs_number, nhs_check_digit
from tests.unit.test_wellread import mutated


@pytest.mark.parametrize("stage", ["values", "mandation"])
def test_the_quick_look_and_the_rules_agree_over_mutated_records(stage: str) -> None:
    provider, random = open_provider("nhs"), Random(17)
    assert provider.valid is not None
    good, catalogue = provider.valid("createImmunization"), provider.catalogue
    counted = {True: 0, False: 0}
    for profile in provider.profiles:
        stages = dict(catalogue.stages("createImmunization", profile))
        rules = stages.get(stage, ())
        if not rules:
            continue
        quick, kept = catalogue._quick[id(rules)]
        assert kept is rules
        for _ in range(1_200):
            body = mutated(good.body, random)
            attempt = good.with_body(body if random.random() < 0.98 else random.choice([[], "x", 5, [body]]))
            found = catalogue.findings(attempt, rules)
            assert list(quick(attempt)) == list(dict.fromkeys(hit.rule for hit in found)), attempt.body
            assert list(catalogue.first_of(attempt, [(stage, rules)])) == found
            counted[not found] += 1
    assert min(counted.values()) > 100


def test_a_number_is_an_nhs_number_when_its_check_digit_says_so() -> None:
    random = Random(19)
    for _ in range(3_000):
        number = f"{random.randrange(10**10):010d}"
        right = nhs_check_digit(number[:9]) == int(number[9])
        assert is_nhs_number(number) == right
        assert is_nhs_number(number.translate({48 + digit: 0x660 + digit for digit in range(10)})) == right
