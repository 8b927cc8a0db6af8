"""A scene: values of every kind that make sense together, as one vaccination of one person by one clinician in one place."""

from __future__ import annotations

from datetime import date
from typing import Any

from mocksandbox.generators.days import AS_OF
from mocksandbox.generators.draw import Draw
from mocksandbox.generators.evaluations import evaluation
from mocksandbox.generators.gs1 import element_string, gtin
from mocksandbox.generators.people import american_person, clinician, person
from mocksandbox.generators.vaccinations import (
    Event,
    american_vaccination,
    event,
    identifiers,
    place,
    sex_for,
    vaccination,
)

NHS_NUMBER_SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"


def scene(
    draw: Draw,
    as_of: date = AS_OF,
    *,
    vaccine: str | None = None,
    happened: Event | None = None,
    who: dict[str, Any] | None = None,
    where: dict[str, Any] | None = None,
    abroad: bool = True,
    complete: bool = False,
) -> dict[str, Any]:
    """Values by kind; None where this vaccination has none (an oral vaccine has no site), unless it is to be `complete`.

    `happened`, `who` and `where` are taken over when they are given: the next dose of the same person, the same clinic's next
    patient. Without `abroad`, what only American APIs and packages ask for is left out; it is drawn last, so that the rest is
    the same with it.
    """
    happened = happened or event(draw, as_of, vaccine, injected=complete)
    values = dict(who) if who is not None else person(draw, happened.born, sex_for(draw, happened.occasion))
    values |= vaccination(draw, happened, as_of)
    values |= where if where is not None else somewhere(draw)
    values |= identifiers(draw)
    values["nhs-number-token"] = f"{NHS_NUMBER_SYSTEM}|{values['nhs-number']}"
    values["identifier-token"] = f"{values['identifier-system']}|{values['identifier-value']}"
    if abroad:
        values |= american_person(draw) | american_vaccination(draw, values)
        values |= evaluation(draw, values, complete=complete)
        values["patient-full-name"] = f"{values['given-name']} {values['family-name']}"
        values["gtin"] = gtin(draw)
        values["serial"] = f"{draw.integer(0, 99_999_999):08}"
        expires = date.fromisoformat(values["expiration-date"])
        values["gs1"] = element_string(values["gtin"], expires, values["lot-number"], values["serial"])
    return values


def somewhere(draw: Draw) -> dict[str, Any]:
    """A clinician in a place."""
    return clinician(draw) | place(draw)


_AMERICAN = """
mrn patient-id address-line city us-state us-zip us-phone email ssn npi ndc cvx cvx-display mvx mvx-display us-manufacturer
us-route us-route-display us-route-letters us-site us-site-display gtin serial gs1 occurrence-utc encounter-end sent
recorded-utc
evaluated evaluated-disease evaluated-disease-display evaluated-series series-doses dose-status dose-status-display
dose-status-reason-text patient-full-name
"""
AMERICAN_KINDS = frozenset(_AMERICAN.split())
"""What `scene` leaves out unless it is to be told `abroad`."""
