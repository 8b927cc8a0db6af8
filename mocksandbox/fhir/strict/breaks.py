"""Ways to break a valid resource that several rules share: which place, and what is put there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mocksandbox.fhir.strict.definitions import definitions, resource_types
from mocksandbox.fhir.strict.implants import contained, implant, implanted
from mocksandbox.fhir.strict.spots import Spot, at_first
from mocksandbox.rules.places import MISSING, drop, put
from mocksandbox.rules.rule import Defect

Change = Callable[[Any], Any]


def defect(name: str, apply: Change, *also: str) -> Defect[Any]:
    """A defect of a resource; `also` are the rules broken with it, without `fhir/`."""
    return Defect(name, apply, frozenset(f"fhir/{rule}" for rule in also))


def of_type(*types: str) -> Callable[[Spot], bool]:
    """Single values of these types that nothing else depends on."""
    return lambda spot: spot.element.type in types and not spot.whole and spot.loose


def plain_text(spot: Spot) -> bool:
    """A string in an element of its own, that nothing else depends on."""
    return of_type("string")(spot) and not spot.element.many and isinstance(spot.value, str)


def plain_object(spot: Spot) -> bool:
    """A single object that is bound to no value set and that nothing else depends on."""
    unbound = not spot.element.required and not spot.element.extensible
    return isinstance(spot.value, dict) and spot.loose and not spot.element.many and unbound


def plain_list(spot: Spot) -> bool:
    """A list of objects that nothing else depends on."""
    return spot.whole and spot.loose and not spot.element.primitive and spot.element.name != "coding"


def plain_texts(spot: Spot) -> bool:
    """A list of strings that nothing else depends on."""
    return spot.whole and spot.loose and spot.element.type == "string"


def bound_code(spot: Spot) -> bool:
    """A code from a required value set, of small letters."""
    return spot.element.type == "code" and bool(spot.element.required) and spot.loose and str(spot.value).islower()


def needed(spot: Spot) -> bool:
    """An element that must be there, other than a reference into the resource."""
    single = spot.whole or not spot.element.many
    return spot.element.needed and not spot.element.choice and spot.loose and single and not spot.alone


def in_a_part(wanted: Callable[[Spot], bool]) -> Callable[[Spot], bool]:
    """What is wanted, but not in the resource itself."""
    return lambda spot: spot.holder not in resource_types() and wanted(spot)


def in_itself(wanted: Callable[[Spot], bool]) -> Callable[[Spot], bool]:
    """What is wanted in the resource itself."""
    return lambda spot: spot.holder in resource_types() and wanted(spot)


def set_first(wanted: Callable[[Spot], bool], value: Any) -> Change:
    """A value in place of the first that is wanted."""
    return at_first(wanted, lambda _: value)


def without_first(wanted: Callable[[Spot], bool]) -> Change:
    """Nothing in place of the first that is wanted."""
    return at_first(wanted, lambda _: MISSING)


def set_at(path: tuple[str | int, ...], value: Any) -> Change:
    """A value at a place of the resource itself, whether something stood there or not."""
    return lambda resource: put(resource, path, value)


def without(*names: str) -> Change:
    """A resource without these elements."""

    def apply(resource: Any) -> Any:
        for name in names:
            resource = drop(resource, (name,))
        return resource

    return apply


def of_release_5(resource: Any) -> Any:
    """An element that Release 5 has in place of one of R4."""
    replaced = {
        "Immunization": ("reportOrigin", "informationSource", {"concept": {"text": "The patient"}}),
        "ImmunizationEvaluation": ("doseNumberPositiveInt", "doseNumber", "1"),
    }
    if resource["resourceType"] not in replaced:
        return resource
    old, new, value = replaced[resource["resourceType"]]
    return put(drop(resource, (old,)), (new,), value)


def second_choice(spot: Spot) -> tuple[str, Any]:
    """Beside one element of a choice another: a string, a dateTime or a positiveInt, whichever the choice has."""
    values = {"string": "one", "dateTime": "2024-01-01", "positiveInt": 1, "boolean": True, "url": "http://example.org/x"}
    others = [
        each
        for each in definitions(spot.holder).values()
        if each.choice == spot.element.choice and each.name != spot.element.name and each.type in values
    ]
    return others[0].name, values[others[0].type]


def has_second_choice(spot: Spot) -> bool:
    """An element of a choice beside which another can be put."""
    if not spot.element.choice or spot.holder == "Extension" or "contained" in spot.path:
        return False
    try:
        second_choice(spot)
    except IndexError:
        return False
    return True


def nested(levels: int) -> Change:
    """Extensions in one another, this many levels deep."""

    def apply(resource: Any) -> Any:
        made: dict[str, Any] = {"url": "http://example.org/x", "valueString": "x"}
        for _ in range(levels):
            made = {"url": "http://example.org/x", "extension": [made]}
        return implant({"extension": [made]})(resource)

    return apply


def targeted(spot: Spot) -> bool:
    """A reference to another resource, that may lead to some types only."""
    text = spot.value.get("reference", "") if isinstance(spot.value, dict) else ""
    inside = {"contained"} & set(spot.path)
    return spot.element.type == "Reference" and bool(spot.element.targets) and not inside and text[:1] not in ("#", "")


def leading_to(text: str) -> Change:
    """The first reference to another resource leads here."""
    return at_first(targeted, lambda value: {**value, "reference": text})


SLOT: dict[str, Any] = {
    "schedule": {"reference": "Schedule/1"},
    "status": "free",
    "start": "2024-01-01T09:00:00Z",
    "end": "2024-01-01T09:10:00Z",
}


def leading_to_implant(resource: dict[str, Any]) -> Change:
    """The first reference to another resource leads to this one, which is contained."""

    def apply(given: Any) -> Any:
        led = leading_to(f"#{resource['id']}")(given)
        if led is given or given["resourceType"] == "Bundle":
            return given
        return contained(resource)(led)

    return apply


def not_done(resource: Any) -> Any:
    """A status that Immunization has, on an ImmunizationEvaluation."""
    return put(resource, ("status",), "not-done") if resource["resourceType"] == "ImmunizationEvaluation" else resource


def without_text(resource: Any) -> Any:
    """A resource without its narrative."""
    changed = implanted(lambda host: host.pop("text", None))(resource)
    return resource if changed == resource else changed


def contained_twice(resource: Any) -> Any:
    """Two contained resources of one id, both referred to."""
    patient = {"resourceType": "Patient", "id": "implant", "active": True}
    return contained(patient, "#implant")(contained(patient)(resource))


def with_narrative(div: str) -> Change:
    """A resource with this narrative."""
    return implanted(lambda host: host.update(text={"status": "generated", "div": div}))
