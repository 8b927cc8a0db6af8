"""The quick look at a record names exactly the rules of a stage that find something."""

from __future__ import annotations

import os
from random import Random
from uuid import RFC_4122, UUID

import pytest

from mocksandbox import open_provider
from mocksandbox.providers.nhs import contained, diseases, record
from mocksandbox.providers.nhs.promise import OF_VALUES
from mocksandbox.rules.places import MISSING
from mocksandbox.rules.values import is_nhs_number, new_uuid, nhs_check_digit
from tests.unit.test_wellread import VALUES, mutated


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


def test_what_is_surely_good_passes_its_check() -> None:
    good = open_provider("nhs").valid("createImmunization")  # type: ignore[misc]
    sure = 0
    for _, check in OF_VALUES.values():
        surely_good = eval(f"lambda value: {check.plain.format('value')}")
        spoiled = [spoiler.edit("9990000018") for spoiler in check.spoilers if spoiler.name not in ("twice", "too-many")]
        for value in [*VALUES, *spoiled, *([value] for value in VALUES), "male", 9, 10, "x" * 36, ["x" * 181], [{}, {"a": 1}]]:
            if surely_good(value):
                sure += 1
                assert not check.test(value, good), value
    assert sure > 300


def test_what_a_quick_look_at_the_record_passes_needs_no_explanation() -> None:
    good, random = open_provider("nhs").valid("createImmunization"), Random(23)  # type: ignore[misc]
    passed = {"contained": 0, "procedure": 0, "diseases": 0}
    for _ in range(4_000):
        body = mutated(good.body, random)
        attempt = good.with_body(body)
        if contained._is_plain(body.get("contained", MISSING)):
            assert not list(contained._faults(body["contained"]))
            passed["contained"] += 1
        if not record.procedure_missing(attempt):
            assert not list(record._procedure_faults(body["extension"]))
            passed["procedure"] += 1
        if not diseases.target_diseases(attempt):
            assert not list(diseases._target_faults(attempt))
            passed["diseases"] += 1
    assert min(passed.values()) > 1_000


def test_uuids_are_random_ones_and_each_is_given_once() -> None:
    uuids = {new_uuid() for _ in range(1_000)}
    assert len(uuids) == 1_000
    assert all(UUID(text).version == 4 and str(UUID(text)) == text and UUID(text).variant == RFC_4122 for text in uuids)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_gives_other_uuids() -> None:
    new_uuid()  # so that some are in store
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, "".join(new_uuid() for _ in range(64)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reader, 64 * 36).decode()
    assert len(theirs) == 64 * 36
    assert not {theirs[at : at + 36] for at in range(0, len(theirs), 36)} & {new_uuid() for _ in range(64)}


def test_a_number_is_an_nhs_number_when_its_check_digit_says_so() -> None:
    random = Random(19)
    for _ in range(3_000):
        number = f"{random.randrange(10**10):010d}"
        right = nhs_check_digit(number[:9]) == int(number[9])
        assert is_nhs_number(number) == right
        assert is_nhs_number(number.translate({48 + digit: 0x660 + digit for digit in range(10)})) == right
