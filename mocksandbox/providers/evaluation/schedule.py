"""Whether a dose counts: its day against the minimum ages and intervals of contracts/evaluation/schedule.yaml. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.errors import ContractError, UsageError
from mocksandbox.providers.evaluation.table import FOLDER


@dataclass(frozen=True)
class Length:
    """A length of time by the calendar, such as `6 weeks` or `12 months`."""

    days: int = 0
    months: int = 0

    def after(self, day: date) -> date:
        """The day that is so much later. Where that month has no such day, it is the first of the next (CDC, CDSi)."""
        count = day.year * 12 + day.month - 1 + self.months
        year, month = divmod(count, 12)
        month += 1
        if day.day > monthrange(year, month)[1]:
            moved = date(year + month // 12, month % 12 + 1, 1)
        else:
            moved = date(year, month, day.day)
        return moved + timedelta(days=self.days)


@dataclass(frozen=True)
class DoseRow:
    """What one dose of a series asks for. None where it asks nothing."""

    minimum_age: Length
    minimum_interval: Length | None = None
    from_first: Length | None = None
    maximum_age: Length | None = None


@dataclass(frozen=True)
class Group:
    """A vaccine group: its diseases (SNOMED CT), vaccines (CVX), and the doses of its series."""

    name: str
    title: str
    series: str
    diseases: tuple[str, ...]
    cvx: tuple[str, ...]
    doses: tuple[DoseRow, ...]
    live: bool = False
    repeats: bool = False


@dataclass(frozen=True)
class Reason:
    """Why a dose does not count: a code (`tooyoung`, `tooold`, `toosoon`, `productconflict`, `complete`) and words."""

    code: str
    text: str


@dataclass(frozen=True)
class Judged:
    """One dose: `valid` or `notvalid`, which dose of the series it is (or would have been), and why it does not count."""

    status: str
    number: int
    reasons: tuple[Reason, ...] = ()


_LENGTH = re.compile(r"(\d+) (day|week|month|year)s?")


def length(text: str) -> Length:
    """A length from its words.

    Raises:
        ContractError: they are not a number of days, weeks, months or years.
    """
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise ContractError(f"{text!r} is not a number of days, weeks, months or years", "schedule.yaml")
    count = int(found[1])
    kinds = {"day": Length(count), "week": Length(7 * count), "month": Length(0, count), "year": Length(0, 12 * count)}
    return kinds[found[2]]


@cache
def _table() -> Mapping[str, Any]:
    return read_mapping(FOLDER / "schedule.yaml")


@cache
def groups() -> Mapping[str, Group]:
    """Every vaccine group by its name."""
    return {name: _group(name, row) for name, row in _table()["groups"].items()}


def _group(name: str, row: Mapping[str, Any]) -> Group:
    return Group(
        name=name,
        title=row["title"],
        series=row["series"],
        diseases=tuple(row["diseases"]),
        cvx=tuple(row["cvx"]),
        doses=tuple(_dose(dose) for dose in row["doses"]),
        live=bool(row.get("live")),
        repeats=bool(row.get("repeats")),
    )


def _dose(row: Mapping[str, str]) -> DoseRow:
    def maybe(key: str) -> Length | None:
        return length(row[key]) if key in row else None

    return DoseRow(length(row["minimum-age"]), maybe("minimum-interval"), maybe("from-first"), maybe("maximum-age"))


def group_of(disease: str) -> Group:
    """The vaccine group that protects against a disease (SNOMED CT).

    Raises:
        UsageError: no group does.
    """
    for group in groups().values():
        if disease in group.diseases:
            return group
    known = (code for group in groups().values() for code in group.diseases)
    raise UsageError(f"The schedule has no disease {disease!r}.", disease, known)


def evaluate(birth: date, earlier: Sequence[date], given: date, group: Group, other_live: Sequence[date] = ()) -> Judged:
    """Whether a dose counts. `earlier` are the days of earlier doses of the group, `other_live` those of other live vaccines.

    Raises:
        UsageError: the dose was given before the patient was born, or before an earlier dose.
    """
    before = sorted(earlier)
    if given < birth or (before and given < before[-1]):
        raise UsageError("A dose is given after the birth of the patient, and after the doses before it.")
    counted: list[date] = []
    for index, day in enumerate(before):
        if _judge(birth, counted, before[:index], day, group, ()).status == "valid":
            counted.append(day)
    return _judge(birth, counted, before, given, group, other_live)


def _judge(
    birth: date, counted: Sequence[date], before: Sequence[date], given: date, group: Group, other_live: Sequence[date]
) -> Judged:
    number = len(counted) + 1
    if number > len(group.doses) and not group.repeats:
        return Judged("notvalid", len(group.doses), (Reason("complete", "The series was complete before this dose."),))
    row = group.doses[min(number, len(group.doses)) - 1]
    early = given + timedelta(days=length(_table()["grace"]).days)
    reasons: list[Reason] = []
    if early < row.minimum_age.after(birth):
        reasons.append(Reason("tooyoung", f"Given before the minimum age for dose {number}."))
    if row.maximum_age is not None and given >= row.maximum_age.after(birth):
        reasons.append(Reason("tooold", f"Given after the maximum age for dose {number}."))
    # The interval is from the dose before, whether or not that one counted: one too early is repeated after a whole interval.
    soon = row.minimum_interval is not None and bool(before) and early < row.minimum_interval.after(before[-1])
    first = row.from_first is not None and bool(counted) and early < row.from_first.after(counted[0])
    if soon or first or given in before:
        reasons.append(Reason("toosoon", f"Given before the minimum interval for dose {number}."))
    gap = length(_table()["live-interval"])
    if group.live and any(day < given < gap.after(day) for day in other_live):
        reasons.append(Reason("productconflict", "Given too soon after another live vaccine."))
    return Judged("notvalid" if reasons else "valid", number, tuple(reasons))
