"""Histories: many vaccinations that belong together, streamed: a life, a school's day, a clinic's day, a seasonal campaign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from mocksandbox.errors import UsageError
from mocksandbox.generators.build import split_reference, templates
from mocksandbox.generators.days import AS_OF
from mocksandbox.generators.draw import Draw, seeded
from mocksandbox.generators.payload import Payload
from mocksandbox.generators.people import person
from mocksandbox.generators.samples import Made
from mocksandbox.generators.scene import scene, somewhere
from mocksandbox.generators.tables import Occasion, british
from mocksandbox.generators.vaccinations import Event, sex_for

Scenes = Iterator[tuple[Event, dict[str, Any], dict[str, Any]]]
"""What happened to whom, and where."""

UPTAKE = 0.93
"""The share of the routine doses that a made-up life has."""

_LATE = 60
"""By how many days at most a routine dose is late."""


def history(reference: str, kind: str, count: int | None = None, seed: int = 0, *, as_of: date = AS_OF) -> Iterator[Payload]:
    """Valid requests of an operation, one for each vaccination of a history: whole histories one after the other, of seeds
    counted from `seed` on, until there are `count` records; one whole history when that is None. Nothing is kept: any number
    can be streamed.

    Raises:
        UsageError: there is no such provider, operation or kind of history.
    """
    if kind not in HISTORIES:
        raise UsageError(f"No history {kind!r}.", kind, HISTORIES)
    provider, operation = split_reference(reference)
    template = templates(provider.name, operation)[0]
    made = 0
    for number in _seeds(seed, endless=count is not None):
        draw = seeded(number)
        for happened, who, where in HISTORIES[kind](draw, as_of):
            if made == count:
                return
            values = scene(draw, as_of, happened=happened, who=who, where=where, abroad=template.abroad)
            yield Made(template, values, ()).payload(number)
            made += 1
        if made == count:
            return


def _seeds(first: int, *, endless: bool) -> Iterator[int]:
    yield first
    while endless:
        first += 1
        yield first


def life(draw: Draw, as_of: date) -> Scenes:
    """One person's vaccinations from birth to the day, as if today's routine schedule had always been; with a dose late or
    missed here and there. A course's doses are counted as they are given.
    """
    age = draw.integer(0, 90 * 365)
    born = as_of - timedelta(days=age + 1)
    sex = draw.choice(("female", "male"))
    who, where = person(draw, born, sex), somewhere(draw)
    events = sorted(_offered(draw, born, sex, age), key=lambda each: each.day)
    given: Counter[str] = Counter()
    for happened in events:
        if draw.flag(0.05):
            where = somewhere(draw)  # they have moved
        occasion = happened.occasion
        given[occasion.type] += 1
        dose = occasion.dose if occasion.yearly else given[occasion.type]
        yield replace(happened, occasion=replace(occasion, dose=dose)), who, where


def _offered(draw: Draw, born: date, sex: str, age: int) -> Iterator[Event]:
    for occasion in british().occasions:
        if not occasion.routine or occasion.sex not in ("", sex) or occasion.start >= age:
            continue
        if not occasion.yearly:
            when = min(occasion.start + draw.integer(0, _LATE), occasion.until - 1, age - 1)
            if draw.flag(UPTAKE):
                yield Event(occasion, born + timedelta(days=when), when)
            continue
        for year in range((born + timedelta(days=occasion.start)).year, (born + timedelta(days=age)).year + 1):
            day = date(year, draw.choice(occasion.months), draw.integer(1, 28))
            then = (day - born).days
            if occasion.start <= then < min(occasion.until, age) and draw.flag(UPTAKE / 2):
                yield Event(occasion, day, then)


def school_day(draw: Draw, as_of: date) -> Scenes:
    """One session in a school: a year group's pupils, one vaccine, one team."""
    occasion = draw.choice([each for each in british().occasions if each.type in ("HPV", "3IN1", "MENACWY")])
    yield from _session(draw, as_of, [occasion], draw.integer(20, 120))


def clinic_day(draw: Draw, as_of: date) -> Scenes:
    """One day in a practice: infants, children and adults, each with what is due at their age."""
    due = [each for each in british().occasions if each.routine and not each.months]
    yield from _session(draw, as_of, due, draw.integer(10, 40))


def campaign(draw: Draw, as_of: date) -> Scenes:
    """One day of a seasonal campaign: influenza or COVID-19, mostly of the old."""
    kind = draw.choice(("FLU", "COVID"))
    due = [each for each in british().occasions if each.type == kind and each.yearly]
    yield from _session(draw, as_of, due, draw.integer(50, 300))


def _session(draw: Draw, as_of: date, due: list[Occasion], people: int) -> Scenes:
    months = due[0].months
    if months:
        day = date(as_of.year - draw.integer(1, 5), draw.choice(months), draw.integer(1, 28))
    else:
        day = as_of - timedelta(days=draw.integer(1, 5 * 365))
    where = somewhere(draw)
    for _ in range(people):
        occasion = draw.choice(due)
        age = draw.integer(occasion.start, occasion.until - 1)
        happened = Event(occasion, day, age)
        yield happened, person(draw, happened.born, sex_for(draw, occasion)), where


HISTORIES: Mapping[str, Callable[[Draw, date], Scenes]] = {
    "life": life,
    "school-day": school_day,
    "clinic-day": clinic_day,
    "campaign": campaign,
}
"""The kinds of histories by name."""
