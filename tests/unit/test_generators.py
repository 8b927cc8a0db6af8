"""The parts that payloads are made from."""

from __future__ import annotations

import json
from datetime import date
from random import Random

import pytest
from hypothesis import Phase, find, given, settings

from mocksandbox.errors import UsageError
from mocksandbox.generators import HISTORIES, SOURCES, STYLES, broken_payloads, history, kinds, payloads
from mocksandbox.generators.days import age_in_days, british_offset
from mocksandbox.generators.draw import RandomDraw, seeded
from mocksandbox.generators.gs1 import gtin_check_digit, is_gtin
from mocksandbox.generators.raw import RAWS
from mocksandbox.generators.scene import scene
from mocksandbox.generators.spelling import SPELLINGS
from mocksandbox.generators.strategies import broken, valid, values
from mocksandbox.generators.tables import british
from mocksandbox.generators.vaccinations import event
from mocksandbox.generators.writing import FORMATS
from mocksandbox.rules.values import is_nhs_number


def test_draws_are_the_same_on_every_machine() -> None:
    # Written down once: another Python, machine or release must give the same.
    draw = RandomDraw(Random(7))
    drawn = [draw.integer(0, 999), draw.choice("abcdef"), draw.flag(), draw.integer(0, 2**122 - 1), draw.integer(5, 5)]
    assert drawn == [323, "a", False, 129322032968592481296353771895074611, 5]


def test_numbers_are_drawn_from_the_whole_range_with_both_ends() -> None:
    draw = seeded(1)
    assert {draw.integer(3, 6) for _ in range(200)} == {3, 4, 5, 6}


@pytest.mark.parametrize(
    ("day", "offset"),
    [("2024-03-30", "+00:00"), ("2024-03-31", "+01:00"), ("2024-10-26", "+01:00"), ("2024-10-27", "+00:00"),
     ("2025-03-30", "+01:00"), ("2025-10-25", "+01:00"), ("2025-10-26", "+00:00"), ("2021-02-07", "+00:00")],
)  # fmt: skip
def test_british_clocks_are_an_hour_ahead_from_the_last_sunday_of_march_to_that_of_october(day: str, offset: str) -> None:
    assert british_offset(date.fromisoformat(day)) == offset


def test_ages_are_said_in_weeks_months_and_years() -> None:
    assert [age_in_days(age) for age in ("0w", "8w", "12m", "65y")] == [0, 56, 365, 23741]
    with pytest.raises(ValueError, match="is not an age"):
        age_in_days("8 weeks")


def test_the_check_digit_of_a_gtin() -> None:
    # The example of GS1's own check digit calculator: 629104150021 has 3; as a GTIN-14 it begins with a zero.
    assert gtin_check_digit("0629104150021") == 3
    assert is_gtin("06291041500213")
    assert not is_gtin("06291041500214")


def test_every_vaccine_type_has_codes_an_occasion_and_a_way() -> None:
    vaccines = british().vaccines
    assert len(vaccines) == 19
    for vaccine in vaccines.values():
        assert vaccine.occasions, vaccine.type
        assert vaccine.products, vaccine.type
        assert vaccine.procedures, vaccine.type
        assert vaccine.route in british().routes


@pytest.mark.parametrize("vaccine", sorted(british().vaccines))
def test_dates_make_sense_together(vaccine: str) -> None:
    as_of = date(2026, 1, 1)
    for seed in range(200):
        drawn = scene(seeded(seed), as_of, vaccine=vaccine)
        born, given_on = date.fromisoformat(drawn["birth-date"]), date.fromisoformat(drawn["occurrence"][:10])
        assert born <= given_on <= date.fromisoformat(drawn["recorded"][:10]) < as_of
        assert drawn["occurrence"] <= drawn["recorded"] or drawn["occurrence"][-6:] != drawn["recorded"][-6:]
        assert date.fromisoformat(drawn["expiration-date"]) > given_on
        happened = event(seeded(seed), as_of, vaccine)
        assert not happened.occasion.months or happened.day.month in happened.occasion.months
        assert happened.occasion.start <= happened.age < happened.occasion.until


def test_as_of_is_the_last_day_that_nothing_lies_beyond() -> None:
    early = date(2020, 5, 5)
    for payload in payloads("nhs", 300, style="typical", as_of=early):
        assert payload.body["recorded"][:10] < early.isoformat()


def test_nobody_real_is_made_up() -> None:
    for payload in payloads("nhs", 500):
        for resource in payload.body["contained"]:
            for identifier in resource.get("identifier", ()):
                assert identifier["value"].startswith("999")
                assert is_nhs_number(identifier["value"])


@pytest.mark.parametrize("name", sorted(SPELLINGS))
def test_a_spelling_says_the_same(name: str) -> None:
    value = {"b": [1, {"ž": "👩", "a": None}], "a": 0.5, "c": {"x": True, "y": ""}}
    assert json.loads(SPELLINGS[name](value)) == value


def test_payloads_differ_from_seed_to_seed_and_not_from_run_to_run() -> None:
    first = [payload.request.body for payload in payloads("nhs", 300)]
    assert len(set(first)) == 300
    assert first == [payload.request.body for payload in payloads("nhs", 300)]
    assert first[40:60] == [payload.request.body for payload in payloads("nhs", 20, seed=40)]


def test_a_minimal_payload_has_less_than_a_full_one() -> None:
    least, most = (next(payloads("nhs", style=style)).body for style in ("minimal", "full"))
    assert least.keys() < most.keys()
    assert "site" not in least
    assert "site" in most


@pytest.mark.parametrize(
    ("reference", "options"),
    [("nowhere", {}), ("nhs/nothing", {}), ("nhs", {"style": "odd"})],
)
def test_what_there_is_not_is_said(reference: str, options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"No (provider|style)|has no operation"):
        next(payloads(reference, **options))  # type: ignore[arg-type]  # a style that there is not


def test_a_broken_payload_says_what_it_breaks_and_how_it_must_be_refused() -> None:
    made = {payload.defect: payload for payload in broken_payloads("nhs", rule="nhs/bad-nhs-number")}
    payload = made["nhs/bad-nhs-number/check-digit"]
    assert payload.verdict == "must-reject"
    assert payload.broken == {"nhs/bad-nhs-number"}
    assert payload.expected is not None
    assert (payload.expected.status, payload.expected.issue) == (400, "invariant")
    assert payload.expected.places == ("Immunization.contained[1].identifier[0].value",)
    line = json.loads(payload.line())
    assert line["expect"] == {
        "status": 400,
        "issue": "invariant",
        "error": "INVARIANT",
        "at": ["Immunization.contained[1].identifier[0].value"],
    }
    assert line["body"] == payload.body


def test_a_rule_about_records_says_what_it_needs() -> None:
    (payload, *_) = broken_payloads("nhs", rule="nhs/duplicate-identifier")
    assert payload.needs == ("create",)
    assert payload.verdict == "must-reject"
    assert json.loads(payload.line())["needs"] == ["create"]


def test_a_rule_that_no_request_breaks_is_said() -> None:
    with pytest.raises(UsageError, match=r"No request of createImmunization can break nhs/missing-version"):
        list(broken_payloads("nhs", rule="nhs/missing-version"))


def test_a_sample_of_the_broken_is_the_same_each_time() -> None:
    first = [payload.line() for payload in broken_payloads("nhs", 40, seed=5)]
    assert first == [payload.line() for payload in broken_payloads("nhs", 40, seed=5)]
    assert first != [payload.line() for payload in broken_payloads("nhs", 40, seed=6)]


def test_bodies_broken_as_bytes_are_told_in_base64() -> None:
    for payload in broken_payloads("nhs", sources=["bytes"]):
        line = json.loads(payload.line())
        assert ("raw" in line) != ("body" in line)
        assert line.get("body") is None
    assert len({raw.name for raw in RAWS}) == len(RAWS)


@pytest.mark.parametrize("kind", sorted(HISTORIES))
def test_a_history_is_of_people_at_an_age_for_their_vaccine(kind: str) -> None:
    made = list(history("nhs", kind, seed=3))
    assert made
    days = [payload.body["occurrenceDateTime"][:10] for payload in made]
    if kind == "life":
        assert days == sorted(days)
        assert len({json.dumps(payload.body["contained"][1]) for payload in made}) == 1
    else:
        assert len(set(days)) == 1
    assert len({payload.body["identifier"][0]["value"] for payload in made}) == len(made)


def test_a_life_counts_the_doses_of_a_course() -> None:
    for seed in range(40):
        last: dict[str, int] = {}
        for payload in history("nhs", "life", seed=seed):
            protocol = payload.body["protocolApplied"][0]
            course = json.dumps(protocol["targetDisease"])
            if protocol["targetDisease"][0]["coding"][0]["code"] in ("6142004", "840539006"):
                continue  # every season anew
            assert protocol["doseNumberPositiveInt"] == last.get(course, 0) + 1
            last[course] = protocol["doseNumberPositiveInt"]


def test_the_formats() -> None:
    made = list(payloads("nhs", 3, style="typical"))
    written = {name: b"".join(write(iter(made))) for name, write in FORMATS.items()}
    lines = [json.loads(line) for line in written["ndjson"].splitlines()]
    assert lines == json.loads(written["json"])
    bodies = [json.loads(line) for line in written["bodies"].splitlines()]
    assert bodies == [line["body"] for line in lines] == [payload.body for payload in made]
    for kind in ("bundle", "transaction"):
        bundle = json.loads(written[kind])
        assert [entry["resource"] for entry in bundle["entry"]] == bodies
    assert json.loads(written["transaction"])["entry"][0]["request"] == {"method": "POST", "url": "Immunization"}
    assert json.loads(b"".join(FORMATS["json"](iter(())))) == []


def test_what_is_no_resource_is_not_put_into_a_bundle() -> None:
    with pytest.raises(UsageError, match=r"sends no FHIR resource"):
        list(FORMATS["bundle"](payloads("nhs/searchImmunizationGet")))


@settings(max_examples=150, deadline=None, database=None)
@given(valid("nhs"))
def test_what_hypothesis_draws_is_valid(payload) -> None:  # type: ignore[no-untyped-def]  # Hypothesis fills it
    from mocksandbox.generators.labels import stateless_findings
    from mocksandbox.provider import open_provider
    from mocksandbox.rules.attempt import Attempt

    provider = open_provider("nhs")
    match = provider.contract.router.find("POST", "/Immunization")
    assert stateless_findings(provider, Attempt(payload.request, provider.contract, match)) == []


@settings(max_examples=150, deadline=None, database=None)
@given(broken("nhs"))
def test_what_hypothesis_breaks_is_broken(payload) -> None:  # type: ignore[no-untyped-def]  # Hypothesis fills it
    assert payload.verdict == "must-reject"
    assert payload.defect.rpartition("/")[0] in payload.broken


SHRINK = settings(max_examples=500, deadline=None, database=None, phases=[Phase.generate, Phase.shrink])


def test_a_valid_payload_shrinks_to_what_matters() -> None:
    found = find(valid("nhs"), lambda payload: "manufacturer" in payload.body, settings=SHRINK)
    optional = {"site", "route", "doseQuantity", "expirationDate", "lotNumber", "reasonCode"}
    assert not optional & found.body.keys()


@pytest.mark.parametrize(
    ("rule", "place"),
    [("nhs/bad-dose-value", "doseQuantity"), ("nhs/bad-lot-number", "lotNumber"), ("nhs/bad-site-code", "site")],
)
def test_a_broken_payload_shrinks_to_the_smallest_that_breaks_the_rule(rule: str, place: str) -> None:
    found = find(broken("nhs", rule=rule), lambda payload: rule in payload.broken, settings=SHRINK)
    optional = {"site", "route", "doseQuantity", "expirationDate", "lotNumber", "reasonCode", "manufacturer"} - {place}
    assert place in found.body
    assert not optional & found.body.keys()


def test_strategies_say_what_there_is_not() -> None:
    with pytest.raises(UsageError, match=r"No kind 'nhs-nmber'\. Did you mean 'nhs-number'"):
        values("nhs-nmber")
    with pytest.raises(UsageError, match=r"No request of createImmunization breaks nhs/forbidden"):
        broken("nhs", rule="nhs/forbidden")


def test_the_faker_provider() -> None:
    from faker import Faker

    from mocksandbox.generators.faker_provider import ImmunizationProvider

    fake = Faker("en_GB")
    fake.add_provider(ImmunizationProvider)
    fake.seed_instance(4)
    made = {
        "nhs-number": fake.nhs_number(), "postal-code": fake.pseudo_postcode(), "organization-code": fake.ods_code(),
        "vaccine-type": fake.vaccine_type(), "lot-number": fake.vaccine_batch(), "gtin": fake.gtin(),
        "gs1": fake.gs1_element_string(), "cvx": fake.cvx_code(), "mvx": fake.mvx_code(), "ndc": fake.ndc_code(),
    }  # fmt: skip
    assert {name: value for name, value in made.items() if not kinds()[name].accepts(value)} == {}
    assert fake.immunization()["resourceType"] == "Immunization"
    assert fake.vaccination("MMR")["vaccine-type"] == "MMR"
    fake.seed_instance(4)
    assert fake.nhs_number() == made["nhs-number"]


def test_every_style_is_made() -> None:
    assert {style for style in STYLES if next(payloads("nhs", style=style)).body} == set(STYLES)


def test_the_command_line_offers_what_there_is() -> None:
    from mocksandbox.cli import generate

    assert (tuple(generate._SOURCES), tuple(generate._STYLES)) == (SOURCES, STYLES)
    assert (set(generate._HISTORIES), set(generate._FORMATS)) == (set(HISTORIES), set(FORMATS))
