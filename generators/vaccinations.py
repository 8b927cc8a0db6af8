"""Vaccinations that could have happened: what was given agrees with disease, age, season, route and site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mocksandbox.generators.days import british_offset
from mocksandbox.generators.draw import Draw
from mocksandbox.generators.people import npi
from mocksandbox.generators.tables import Occasion, american, british

YEARS_BACK = 5
"""How many years before the day that records are made up for their vaccinations happened."""

_INFANT = 366
_FRACTIONS = ("", ".000", ".5", ".271", ".271000", ".000001")


@dataclass(frozen=True)
class Event:
    """One vaccination: the occasion, the day and the age in days on it."""

    occasion: Occasion
    day: date
    age: int

    @property
    def born(self) -> date:
        """The day of birth that the age implies."""
        return self.day - timedelta(days=self.age)


def event(draw: Draw, as_of: date, vaccine: str | None = None, *, injected: bool = False) -> Event:
    """A vaccination of a type (of any when it is None; of any that has a site when it is to be injected) before a day."""
    tables = british()
    chosen = tables.vaccines[vaccine] if vaccine else draw.choice(tables.injected if injected else tables.every_vaccine)
    occasion = draw.choice(chosen.occasions)
    age = draw.integer(occasion.start, occasion.until - 1)
    if occasion.months:
        # In the seasons of years that are over, so that no day lies after `as_of`.
        day = date(as_of.year - draw.integer(1, YEARS_BACK), draw.choice(occasion.months), draw.integer(1, 28))
    else:
        day = as_of - timedelta(days=draw.integer(1, YEARS_BACK * 365))
    return Event(occasion, day, age)


def sex_for(draw: Draw, occasion: Occasion) -> str:
    """The sex of somebody whom an occasion is for."""
    return occasion.sex or draw.choice(("female", "male"))


def vaccination(draw: Draw, happened: Event, as_of: date) -> dict[str, Any]:
    """A vaccination's values by kind."""
    tables = british()
    vaccine = tables.vaccines[happened.occasion.type]
    procedure = draw.choice(vaccine.procedures_for(happened.occasion.dose))
    product = draw.choice(vaccine.products_for(happened.age))
    dose, reason = draw.choice(tables.doses), draw.choice(tables.reasons)
    route = tables.routes[vaccine.route]
    site_name = _site(draw, vaccine.site, happened.age)
    site = tables.sites.get(site_name, {})
    letters, digits = divmod(draw.integer(0, len(_LETTERS) ** 3 * 10_000 - 1), 10_000)
    lot = f"{_letters(letters)}{digits:04}{_LETTERS[letters % len(_LETTERS)]}"
    expires = happened.day + timedelta(days=draw.integer(14, 700))
    return {
        "vaccine-type": vaccine.type,
        "procedure": procedure["code"],
        "procedure-display": procedure["display"],
        "vaccine": product["code"],
        "vaccine-display": product["display"],
        "manufacturer": product["manufacturer"],
        "target-diseases": vaccine.diseases,
        "disease": vaccine.diseases[0]["coding"][0]["code"],
        "disease-display": vaccine.diseases[0]["coding"][0]["display"],
        "lot-number": lot,
        "expiration-date": expires.isoformat(),
        "site": site.get("code"),
        "site-display": site.get("display"),
        "route": route["code"],
        "route-display": route["display"],
        "dose-value": vaccine.millilitres,
        "dose-unit": dose["unit"],
        "dose-system": dose["system"],
        "dose-code": dose["code"],
        "dose-number": happened.occasion.dose,
        "dose-text": str(happened.occasion.dose),
        "reason": reason["code"],
        "reason-display": reason["display"],
        "site-name": site_name,
        "route-name": vaccine.route,
        **_moments(draw, happened.day, as_of),
    }


_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # no I, O or Q: lots are read aloud


def _letters(number: int) -> str:
    """The two letters that a number below the cube of the alphabet begins with."""
    first, second = divmod(number // len(_LETTERS), len(_LETTERS))
    return f"{_LETTERS[first]}{_LETTERS[second]}"


def _site(draw: Draw, fixed: str, age: int) -> str:
    if fixed:
        return fixed
    return draw.choice(("left-thigh", "right-thigh") if age < _INFANT else ("left-arm", "right-arm"))


def _moments(draw: Draw, day: date, as_of: date) -> dict[str, str]:
    """When it happened, and when it was written down: later on that day, or on one of the next days."""
    at = draw.integer(8 * 3600, 18 * 3600)
    latest = (as_of - day).days - 1
    later = draw.integer(0, min(14, max(latest, 0))) if draw.flag(0.3) else 0
    written = at + draw.integer(60, 3600) if not later else draw.integer(8 * 3600, 18 * 3600)
    fraction, offset = draw.choice(_FRACTIONS), british_offset(day)
    noted = day + timedelta(days=later) if later else day
    return {
        "occurrence": _moment(day, at, fraction, offset),
        "occurrence-day": day.isoformat(),
        "recorded": _moment(noted, written, fraction, british_offset(noted) if later else offset),
    }


def _moment(day: date, second: int, fraction: str, offset: str) -> str:
    minutes, seconds = divmod(second, 60)
    return f"{day.isoformat()}T{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}{offset}"


def place(draw: Draw) -> dict[str, Any]:
    """The organization that gave a vaccine and where that was: a place of health care, or a school."""
    tables = british()
    system, first, last = tables.organizations
    location = tables.schools if draw.flag(0.15) else tables.organizations
    number = draw.integer(location[1], location[2])
    code = f"X{draw.integer(first, last):05}"
    return {
        "organization-system": system,
        "organization-code": code,
        "organization-name": f"Practice {code}",
        "location-system": location[0],
        "location-code": f"X{number:05}" if location is tables.organizations else f"{number:06}",
    }


def identifiers(draw: Draw) -> dict[str, Any]:
    """What a supplier calls a record by."""
    bits = draw.integer(0, 2**122 - 1)
    # A version 4 UUID (RFC 9562): 122 free bits around the version, 4, and the variant, which makes 8, 9, a or b.
    end, middle = bits & 0xFFFFFFFFFFFF, bits >> 48 & 0x3FFF | 0x8000
    text = f"{bits >> 90:08x}-{bits >> 74 & 0xFFFF:04x}-4{bits >> 62 & 0xFFF:03x}-{middle:04x}-{end:012x}"
    return {"identifier-value": text, "uuid": text, "identifier-system": draw.choice(british().suppliers)}


def american_vaccination(draw: Draw, values: dict[str, Any]) -> dict[str, Any]:
    """The same vaccination in the codes of the United States."""
    tables = american()
    coded = tables.vaccines[values["vaccine-type"]]
    route, site = tables.routes[values["route-name"]], tables.sites.get(values["site-name"], {})
    return {
        "cvx": coded["cvx"],
        "cvx-display": coded["display"],
        "mvx": coded["mvx"],
        "mvx-display": tables.makers[coded["mvx"]],
        "us-manufacturer": tables.makers[coded["mvx"]],
        "us-route": route["nci"],
        "us-route-display": route["display"],
        "us-route-letters": route["hl7"],
        "us-site": site.get("code"),
        "us-site-display": site.get("display"),
        "occurrence-utc": utc(values["occurrence"]),
        "encounter-end": utc(values["occurrence"], draw.integer(5, 45)),
        "sent": utc(values["recorded"]),
        "recorded-utc": utc(values["recorded"]),
        "ndc": ndc(draw),
        "npi": npi(draw),
    }


def utc(moment: str, minutes: int = 0) -> str:
    """A moment in UTC, or so many minutes later, to the millisecond, as JavaScript writes it."""
    later = datetime.fromisoformat(moment).astimezone(UTC) + timedelta(minutes=minutes)
    return later.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ndc(draw: Draw) -> str:
    """A National Drug Code of eleven digits in the form 5-4-2. Its labeler 99999 is assigned to nobody."""
    return f"99999-{draw.integer(0, 9999):04}-{draw.integer(1, 99):02}"
