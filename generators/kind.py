"""The kinds of values that payloads are made of: what is one, how to draw one, which look wrong and are right, and how a bad
one is mended.

Each is written once and drawn in two ways: from a seed, in bulk, or by Hypothesis, which shrinks. `accepts` is what both must
satisfy, and is written without regard to how values are drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from mocksandbox.generators import mend
from mocksandbox.generators.draw import Draw, RandomDraw
from mocksandbox.generators.gs1 import is_gtin
from mocksandbox.generators.names import UNUSUAL_FAMILY, UNUSUAL_GIVEN
from mocksandbox.generators.scene import NHS_NUMBER_SYSTEM, scene
from mocksandbox.generators.tables import american, british
from mocksandbox.rules.values import is_nhs_number, is_snomed_concept


@dataclass(frozen=True)
class Kind:
    """One kind of value. `says` what it is; `unusual` values are good and look wrong; `nearest` gives the good value that a
    bad one was probably meant to be, or None.
    """

    name: str
    says: str
    accepts: Callable[[Any], bool]
    draw: Callable[[Draw], Any]
    unusual: tuple[Any, ...] = ()
    nearest: Callable[[Any], Any] = lambda _: None

    def sample(self, source: Random) -> Any:
        """One value."""
        return self.draw(RandomDraw(source))


def _kind(
    name: str,
    says: str,
    accepts: Callable[[Any], bool],
    *,
    draw: Callable[[Draw], Any] | None = None,
    unusual: tuple[Any, ...] = (),
    nearest: Callable[[Any], Any] = lambda _: None,
) -> Kind:
    return Kind(name, says, accepts, draw or (lambda from_: scene(from_)[name]), unusual, nearest)


def _text(value: Any, most: int = 10_000) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= most


def _matches(pattern: str) -> Callable[[Any], bool]:
    whole = re.compile(pattern)
    return lambda value: isinstance(value, str) and whole.fullmatch(value) is not None


def _names(value: Any) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= 5 and all(_text(name, 180) for name in value)


def _day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _moment(value: Any) -> bool:
    """A day, or a day with a time and an offset."""
    if _day(value):
        return True
    try:
        return isinstance(value, str) and "T" in value and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _british_moment(value: Any) -> bool:
    return _moment(value) and (len(value) == 10 or value.endswith(("+00:00", "+01:00")))


def _zulu(value: Any) -> bool:
    return _moment(value) and value.endswith("Z")


def _one_of(values: Callable[[], Any]) -> Callable[[Any], bool]:
    return lambda value: value in values()


def _token(value: Any) -> bool:
    system, bar, number = value.partition("|") if isinstance(value, str) else ("", "", "")
    return bool(bar) and system == NHS_NUMBER_SYSTEM and is_nhs_number(number)


def _diseases(value: Any) -> bool:
    codes = {item["coding"][0]["code"] for item in value}
    return codes in [{d["coding"][0]["code"] for d in vaccine.diseases} for vaccine in british().vaccines.values()]


def _products() -> set[str]:
    return {product["code"] for vaccine in british().vaccines.values() for product in vaccine.products}


def _decimal(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


_CODE = r"\S+( \S+)*"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_DOSE_STATUSES = ("valid", "notvalid")
_REASON = "Given before the minimum interval for dose 2."
_GENDERS = ("female", "male", "other", "unknown")


def _npi(value: Any) -> bool:
    if not (isinstance(value, str) and re.fullmatch(r"9\d{9}", value)):
        return False
    digits = [int(digit) for digit in reversed(f"80840{value}")]
    return sum(sum(divmod(digit * (1 + place % 2), 10)) for place, digit in enumerate(digits)) % 10 == 0


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind by its name."""
    sites, abroad = british().sites, american()
    made = [
        _kind(
            "nhs-number",
            "an NHS number that is never issued: ten digits from 999, the last a check digit by modulus 11",
            lambda value: isinstance(value, str) and value.isascii() and value.startswith("999") and is_nhs_number(value),
            unusual=("9990000018", "9999999999", "9990000042"),
            nearest=mend.nhs_number,
        ),
        _kind("nhs-number-token", "an NHS number after its system and a bar, as searches ask for it", _token),
        _kind(
            "family-name",
            "a family name of at most 35 characters",
            lambda value: _text(value, 35),
            unusual=UNUSUAL_FAMILY,
            nearest=mend.shortened(35),
        ),
        _kind("given-names", "one to five given names, each of at most 180 characters", _names, unusual=UNUSUAL_GIVEN),
        _kind("given-name", "a given name", lambda value: _text(value, 180)),
        _kind("gender", "an administrative gender of FHIR", _one_of(lambda: _GENDERS), nearest=mend.closest(_GENDERS)),
        _kind(
            "birth-date",
            "a day, YYYY-MM-DD, not in the future",
            _day,
            unusual=("2000-02-29", "1904-02-29", "1899-12-31", "1970-01-01"),
            nearest=mend.day,
        ),
        _kind(
            "postal-code",
            "a postcode that is nobody's",
            lambda value: _text(value, 30),
            unusual=("ZZ993VZ", "zz99 3vz", "ZZ99  3VZ"),
        ),
        _kind(
            "occurrence",
            "a day, or a day with a time and a British offset",
            _british_moment,
            unusual=(
                "2021-02-07",
                "2020-02-29T23:59:59+00:00",
                "2021-06-30T00:00:00.1+01:00",
                "2021-02-07T13:28:17.123456+00:00",
                "2021-02-07T13:28:17+01:00",
            ),
            nearest=mend.moment("+00:00"),
        ),
        _kind("occurrence-day", "a day", _day, nearest=mend.day),
        _kind("occurrence-utc", "a moment in UTC", _zulu, nearest=mend.moment("Z", day_alone=False)),
        _kind(
            "recorded",
            "a day, or a day with a time and an offset",
            _moment,
            unusual=("2021-02-07T13:28:17Z", "2021-02-07T13:28:17-05:00", "2021-02-07T19:13:17+05:45", "2021-02-07"),
            nearest=mend.moment("+00:00"),
        ),
        _kind("sent", "a moment in UTC", _zulu),
        _kind("recorded-utc", "a moment in UTC", _zulu),
        _kind("encounter-end", "a moment in UTC, after the vaccination", _zulu),
        _kind("evaluated", "the day of an evaluation", _day, nearest=mend.day),
        _kind("evaluated-disease", "the disease that a dose is evaluated for, in SNOMED CT", _snomed),
        _kind("evaluated-disease-display", "its display", _text),
        _kind("evaluated-series", "the series that a dose is one of", _text),
        _kind("series-doses", "how many doses a series has", lambda value: type(value) is int and 1 <= value <= 9),
        _kind("dose-status", "whether a dose counts", _one_of(lambda: _DOSE_STATUSES), nearest=mend.closest(_DOSE_STATUSES)),
        _kind("dose-status-display", "its display", _one_of(lambda: ("Valid", "Not valid"))),
        _kind("dose-status-reason-text", "why a dose does not count", _text, draw=lambda _: _REASON),
        _kind("patient-full-name", "a given and a family name", _text),
        _kind("procedure", "a SNOMED CT procedure", _snomed, nearest=mend.snomed),
        _kind("procedure-display", "its display", _text),
        _kind("vaccine", "a vaccine product, in SNOMED CT", _one_of(_products), nearest=mend.snomed),
        _kind("vaccine-display", "its display", _text),
        _kind("vaccine-type", "one of the vaccine types of the NHS", _one_of(lambda: british().vaccines)),
        _kind("target-diseases", "the diseases of one vaccine type, each a concept", _diseases),
        _kind("disease", "a disease, in SNOMED CT", _snomed),
        _kind("disease-display", "its display", _text),
        _kind("manufacturer", "who makes the product", _text, unusual=("Ärzteverlag & Söhne GmbH", "A", "x" * 200)),
        _kind(
            "lot-number",
            "a batch number",
            lambda value: _text(value, 10_000),
            unusual=("4120/Z-001", "0", "lot 7 b", "批号01", "L" * 100),
        ),
        _kind(
            "expiration-date",
            "a day, YYYY-MM-DD",
            _day,
            unusual=("2000-01-01", "2099-12-31", "2024-02-29"),
            nearest=mend.day,
        ),
        _kind("site", "a body site, in SNOMED CT", _snomed, draw=_of(sites, "code"), nearest=mend.snomed),
        _kind("site-display", "its display", _text, draw=_of(sites, "display")),
        _kind("route", "a route, in SNOMED CT", _snomed, nearest=mend.snomed),
        _kind("route-display", "its display", _text),
        _kind(
            "dose-value",
            "a decimal, in the dose's unit",
            _decimal,
            unusual=(Decimal("0.500"), Decimal("0.05"), 1, Decimal("5E-1"), Decimal("0.1234567890123456789"), 0),
            nearest=mend.number,
        ),
        _kind("dose-unit", "a unit, as people say it", _text),
        _kind("dose-system", "the code system of a unit", _matches(r"https?://\S+")),
        _kind("dose-code", "the code of a unit", _matches(_CODE)),
        _kind(
            "dose-number",
            "an integer from 1 to 9",
            lambda value: type(value) is int and 1 <= value <= 9,
            unusual=(9,),
            nearest=mend.integer(1, 9),
        ),
        _kind(
            "dose-text", "which dose of a course, in words", _text, unusual=("Booster", "Dose sequence indeterminate", "3rd")
        ),
        _kind("reason", "a reason, in SNOMED CT", _snomed),
        _kind("reason-display", "its display", _text),
        _kind("organization-code", "an organization's code, of the form X9 and four digits", _matches(r"X9\d{4}")),
        _kind("organization-system", "the system of organizations' codes", _matches(r"https://\S+")),
        _kind("organization-name", "an organization's name", _text),
        _kind("location-code", "an organization's code, or a school's number", _matches(r"X9\d{4}|9\d{5}")),
        _kind("location-system", "the system of a place's code", _matches(r"https://\S+")),
        _kind(
            "identifier-value",
            "what the supplier calls the record by: a UUID",
            _matches(_UUID),
        ),
        _kind("identifier-system", "the supplier's system of identifiers", _matches(r"https://\S+")),
        _kind("identifier-token", "an identifier after its system and a bar", _matches(rf"https://\S+\|{_UUID}")),
        _kind("uuid", "a version 4 UUID", _matches(_UUID)),
        _kind("practitioner-given-names", "a clinician's given names", _names, unusual=UNUSUAL_GIVEN),
        _kind("practitioner-given-name", "a clinician's given name", _text),
        _kind("practitioner-family-name", "a clinician's family name", lambda v: _text(v, 35), unusual=UNUSUAL_FAMILY),
        _kind("practitioner-name", "a clinician's name", _text),
        _kind("mrn", "a medical record number: ten digits", _matches(r"\d{10}")),
        _kind("patient-id", "a patient's id in somebody's system", _matches(r"pat-[0-9a-f]{8}")),
        _kind("address-line", "a house number and a street", _matches(r"\d{1,4} .+ Street")),
        _kind("city", "a city", _one_of(lambda: [place["city"] for place in abroad.places])),
        _kind("us-state", "a state's two letters", _matches(r"[A-Z]{2}")),
        _kind("us-zip", "a ZIP code", _matches(r"\d{5}")),
        _kind("us-phone", "a telephone number set aside for fiction", _matches(r"\+160855501\d\d")),
        _kind("email", "an address at example.com", _matches(r"[^@\s]+@example\.com")),
        _kind("ssn", "a social security number that is never issued", _matches(r"9\d\d-\d\d-\d{4}")),
        _kind("npi", "a National Provider Identifier that is nobody's", _npi),
        _kind("ndc", "a National Drug Code of nobody's, 5-4-2", _matches(r"99999-\d{4}-\d{2}")),
        _kind("cvx", "a CVX code", _one_of(lambda: [each["cvx"] for each in abroad.vaccines.values()])),
        _kind("cvx-display", "its display", _text),
        _kind("mvx", "an MVX code", _one_of(lambda: abroad.makers)),
        _kind("mvx-display", "its display", _text),
        _kind("us-manufacturer", "an American maker", _one_of(lambda: abroad.makers.values())),
        _kind("us-route", "a route, in the NCI Thesaurus", _matches(r"C\d+")),
        _kind("us-route-display", "its display", _text),
        _kind("us-route-letters", "a route, in HL7's letters", _matches(r"[A-Z]{2}")),
        _kind("us-site", "a site, in HL7's letters", _matches(r"[LR][AT]"), draw=_of(abroad.sites, "code")),
        _kind("us-site-display", "its display", _text, draw=_of(abroad.sites, "display")),
        _kind("gtin", "a trade item number of 14 digits, GS1's own for examples", lambda v: isinstance(v, str) and is_gtin(v)),
        _kind("serial", "a package's serial number", _matches(r"\d{8}")),
        _kind("gs1", "the element string of a package", _matches(r"\(01\)\d{14}\(17\)\d{6}\(10\)\w{1,20}\(21\)\d{8}")),
    ]
    return {kind.name: kind for kind in made}


def _snomed(value: Any) -> bool:
    return isinstance(value, str) and is_snomed_concept(value)


def _of(table: Mapping[str, Mapping[str, str]], key: str) -> Callable[[Draw], Any]:
    return lambda draw: draw.choice([entry[key] for entry in table.values()])
