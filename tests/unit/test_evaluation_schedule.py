"""When a dose counts, by the table of minimum ages and intervals."""

from __future__ import annotations

from datetime import date

import pytest

from mocksandbox.errors import ContractError, UsageError
from mocksandbox.providers.evaluation.schedule import Judged, evaluate, group_of, groups, length
from mocksandbox.rules.values import is_snomed_concept

BORN = date(2023, 1, 31)


def judge(group: str, given: date, *earlier: date, live: tuple[date, ...] = ()) -> Judged:
    return evaluate(BORN, earlier, given, groups()[group], live)


def codes(judged: Judged) -> list[str]:
    return [reason.code for reason in judged.reasons]


@pytest.mark.parametrize(
    ("given", "status"),
    [(date(2024, 1, 31), "valid"), (date(2024, 1, 27), "valid"), (date(2024, 1, 26), "notvalid")],
)
def test_a_dose_may_be_four_days_early_and_no_more(given: date, status: str) -> None:
    judged = judge("mmr", given)
    assert (judged.status, judged.number) == (status, 1)
    assert codes(judged) == ([] if status == "valid" else ["tooyoung"])


def test_the_interval_is_from_the_dose_before_even_if_that_did_not_count() -> None:
    early = date(2023, 12, 20)
    assert judge("mmr", early).status == "notvalid"
    repeated = judge("mmr", date(2024, 2, 10), early)
    assert (repeated.status, repeated.number) == ("valid", 1)
    soon = judge("mmr", date(2024, 3, 1), early, date(2024, 2, 10))
    assert (soon.status, soon.number, codes(soon)) == ("notvalid", 2, ["toosoon"])
    assert judge("mmr", date(2024, 3, 9), early, date(2024, 2, 10)).status == "valid"


def test_a_third_dose_may_look_back_to_the_first() -> None:
    first, second = date(2023, 3, 20), date(2023, 4, 20)
    assert codes(judge("hepatitis-b", date(2023, 6, 20), first, second)) == ["tooyoung", "toosoon"]
    assert judge("hepatitis-b", date(2023, 7, 20), first, second).status == "valid"


def test_a_dose_may_come_too_late() -> None:
    assert codes(judge("rotavirus", date(2023, 5, 20))) == ["tooold"]
    assert judge("rotavirus", date(2023, 5, 1)).status == "valid"


def test_live_vaccines_are_given_together_or_four_weeks_apart() -> None:
    varicella = date(2024, 2, 1)
    assert judge("mmr", varicella, live=(varicella,)).status == "valid"
    assert codes(judge("mmr", date(2024, 2, 28), live=(varicella,))) == ["productconflict"]
    assert judge("mmr", date(2024, 2, 29), live=(varicella,)).status == "valid"
    assert judge("hepatitis-a", date(2024, 2, 28), live=(varicella,)).status == "valid"


def test_a_complete_series_needs_no_more_and_a_yearly_one_is_never_complete() -> None:
    assert codes(judge("mmr", date(2026, 1, 1), date(2024, 2, 1), date(2025, 2, 1))) == ["complete"]
    seasons = [date(year, 10, 1) for year in (2023, 2024, 2025)]
    assert judge("influenza", date(2026, 10, 1), *seasons).status == "valid"
    assert judge("mmr", date(2024, 2, 1), date(2024, 2, 1)).status == "notvalid"


def test_a_dose_before_birth_is_none() -> None:
    with pytest.raises(UsageError, match="after the birth"):
        judge("mmr", date(2022, 1, 1))
    with pytest.raises(UsageError, match="after the doses before"):
        judge("mmr", date(2024, 2, 1), date(2024, 3, 1))


def test_a_length_goes_by_the_calendar() -> None:
    assert length("1 month").after(date(2023, 1, 31)) == date(2023, 3, 1)
    assert length("12 months").after(date(2024, 2, 29)) == date(2025, 3, 1)
    assert length("11 months").after(date(2023, 1, 31)) == date(2023, 12, 31)
    assert length("6 weeks").after(date(2023, 12, 31)) == date(2024, 2, 11)
    with pytest.raises(ContractError, match="days, weeks, months or years"):
        length("soon")


def test_a_combined_vaccine_is_of_several_groups() -> None:
    both = {name for name, group in groups().items() if "104" in group.cvx}
    assert both == {"hepatitis-a", "hepatitis-b"}
    assert {group_of(code).name for code in ("40468003", "66071002")} == both
    with pytest.raises(UsageError, match="no disease"):
        group_of("1")


def test_the_table_is_in_order() -> None:
    for group in groups().values():
        ages = [row.minimum_age.after(BORN) for row in group.doses]
        assert ages == sorted(ages), group.name
        assert all(map(is_snomed_concept, group.diseases)), group.name
        assert all(row.minimum_interval is not None for row in group.doses[1:]), group.name
