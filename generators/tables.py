"""The tables that made-up records are drawn from: vaccines, schedule and codes of the contracts, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.generators.days import age_in_days
from mocksandbox.resources import contracts_root

SNOMED = "http://snomed.info/sct"


@dataclass(frozen=True)
class Occasion:
    """A vaccination that a schedule foresees: ages in days (`until` is too old), the months of its season, empty when there is
    none, whether it comes back every season, whether everybody of that age is offered it.
    """

    type: str
    dose: int
    start: int
    until: int
    months: tuple[int, ...] = ()
    yearly: bool = False
    routine: bool = False
    sex: str = ""


@dataclass(frozen=True)
class Vaccine:
    """A vaccine type: its diseases as FHIR concepts, procedures and products as codings, and how it is given."""

    type: str
    diseases: Sequence[Mapping[str, Any]]
    procedures: Sequence[Mapping[str, Any]]
    products: Sequence[Mapping[str, str]]
    occasions: tuple[Occasion, ...]
    route: str
    millilitres: float
    site: str

    @cached_property
    def _for_all(self) -> tuple[bool, bool]:
        """Whether all procedures are for every dose, and all products for every age."""
        doses = any("dose" in procedure for procedure in self.procedures)
        return not doses, not any("from" in product or "until" in product for product in self.products)

    def procedures_for(self, dose: int) -> Sequence[Mapping[str, Any]]:
        """The procedures for a dose; all of them when none is for it."""
        if self._for_all[0]:
            return self.procedures
        fitting = [procedure for procedure in self.procedures if procedure.get("dose", dose) == dose]
        return fitting or self.procedures

    def products_for(self, age: int) -> Sequence[Mapping[str, str]]:
        """The products for an age in days; all of them when none says that it is for that age."""
        if self._for_all[1]:
            return self.products
        fitting = [
            product
            for product in self.products
            if age_in_days(product.get("from", "0w")) <= age
            and ("until" not in product or age < age_in_days(product["until"]))
        ]
        return fitting or self.products


@dataclass(frozen=True)
class British:
    """What British records are drawn from."""

    vaccines: Mapping[str, Vaccine]
    every_vaccine: tuple[Vaccine, ...]
    injected: tuple[Vaccine, ...]
    occasions: tuple[Occasion, ...]
    sites: Mapping[str, Mapping[str, str]]
    routes: Mapping[str, Mapping[str, str]]
    reasons: Sequence[Mapping[str, str]]
    doses: Sequence[Mapping[str, str]]
    organizations: tuple[str, int, int]
    schools: tuple[str, int, int]
    postal_codes: Sequence[str]
    suppliers: Sequence[str]


@cache
def british() -> British:
    """The tables of contracts/nhs.

    Raises:
        ContractError: a file is damaged.
    """
    folder = contracts_root() / "nhs"
    coded, schedule = read_mapping(folder / "vaccines.yaml"), read_mapping(folder / "schedule.yaml")
    occasions = tuple(_occasion(spec) for spec in schedule["occasions"])
    ways = schedule["ways"]
    vaccines = {}
    for name, spec in sorted(coded["types"].items()):
        way = {**ways["default"], **ways.get(name, {})}
        vaccines[name] = Vaccine(
            type=name,
            diseases=[{"coding": [{"system": SNOMED, **disease}]} for disease in spec["diseases"]],
            procedures=[each for each in spec["procedures"] if not each.get("of-another-type")],
            products=spec["products"],
            occasions=tuple(each for each in occasions if each.type == name),
            route=way["route"],
            millilitres=float(way["millilitres"]),
            site=str(way.get("site", "")),
        )
    organizations, schools = schedule["organizations"], schedule["schools"]
    return British(
        vaccines=vaccines,
        every_vaccine=tuple(vaccines.values()),
        injected=tuple(each for each in vaccines.values() if each.site != "none"),
        occasions=occasions,
        sites=coded["sites"],
        routes=coded["routes"],
        reasons=coded["reasons"],
        doses=schedule["doses"],
        organizations=(organizations["system"], int(organizations["first"][1:]), int(organizations["last"][1:])),
        schools=(schools["system"], int(schools["first"]), int(schools["last"])),
        postal_codes=schedule["postal-codes"],
        suppliers=schedule["suppliers"],
    )


def _occasion(spec: Mapping[str, Any]) -> Occasion:
    return Occasion(
        type=str(spec["type"]),
        dose=spec["dose"],
        start=age_in_days(spec["from"]),
        until=age_in_days(spec["until"]),
        months=tuple(spec.get("months", ())),
        yearly=bool(spec.get("yearly")),
        routine=bool(spec.get("routine")),
        sex=spec.get("sex", ""),
    )


@dataclass(frozen=True)
class American:
    """What American records are drawn from."""

    vaccines: Mapping[str, Mapping[str, str]]
    makers: Mapping[str, str]
    routes: Mapping[str, Mapping[str, str]]
    sites: Mapping[str, Mapping[str, str]]
    places: Sequence[Mapping[str, str]]


@cache
def american() -> American:
    """The tables of contracts/us.

    Raises:
        ContractError: the file is damaged.
    """
    coded = read_mapping(contracts_root() / "us" / "codes.yaml")
    return American(coded["vaccines"], coded["makers"], coded["routes"], coded["sites"], coded["places"])
