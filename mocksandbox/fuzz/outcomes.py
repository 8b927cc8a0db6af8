"""What a refusal says, compared with what it has to say: its form, its codes, the place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mocksandbox.exchange import Response
from mocksandbox.fuzz.model import Case, Flaw, Step
from mocksandbox.fuzz.reference import Right
from mocksandbox.provider import Provider, Told
from mocksandbox.rules import Rule
from mocksandbox.rules.attempt import Attempt


def told_briefly(provider: Provider, response: Response) -> str:
    """A refusal in a few words that are the same in every run: its status, its codes, the element that it names."""
    told = provider.told(response) if provider.told is not None else None
    if told is None:
        return str(response.status)
    place = next(iter(sorted(told.places)), "")
    return " ".join(filter(None, (str(response.status), told.issue, told.error, re.sub(r"\d+", "", place))))


def outcome_flaws(provider: Provider, case: Case, step: Step, right: Right) -> Iterator[Flaw]:
    """What is wrong with the body of a refusal whose status is right."""
    assert step.response is not None
    assert case.payload is not None
    if provider.told is None or not right.response.body:
        return
    wanted, told = provider.told(right.response), provider.told(step.response)
    status = step.response.status
    if wanted is None:
        return
    if told is None:
        expected, observed = "a refusal in the API's form", f"{status} with another body"
        yield Flaw("wrong-outcome", case.operation, case.rules, expected, observed)
        return
    if case.source == "bytes":  # how far a parser of JSON gets before it gives up is its own affair
        return
    broken = beside(provider, case)
    issues = {wanted.issue, *(rule.issue for rule in broken if rule.status == status)}
    errors = {wanted.error, *(rule.error for rule in broken if rule.status == status)}
    if wanted.issue and told.issue not in issues:
        yield _flaw(case, f"issue {wanted.issue}", f"{status} issue {told.issue or 'missing'}", told)
    elif wanted.error and told.error not in errors:
        yield _flaw(case, f"error {wanted.error}", f"{status} error {told.error or 'missing'}", told)
    elif wanted.places and not _names(told, wanted, right):
        place = next(iter(sorted(wanted.places)))
        yield Flaw(
            "wrong-outcome",
            case.operation,
            case.rules,
            "the place is named",
            f"{status} place missing",
            place,
            told.text[:300],
        )


def beside(provider: Provider, case: Case) -> list[Rule[Attempt]]:
    """The rules by which a request may be refused in the place of the one that the API looks at first: what breaks several may
    be refused by any; what was made to break one, by that one.
    """
    assert case.payload is not None
    return [] if case.source == "rules" else [provider.catalogue[id] for id in case.payload.broken]


def _flaw(case: Case, expected: str, observed: str, told: Told) -> Flaw:
    return Flaw("wrong-outcome", case.operation, case.rules, expected, observed, detail=told.text[:300])


def _names(told: Told, wanted: Told, right: Right) -> bool:
    """Whether a refusal says where: by one of the places, by an element's name in its text, or in the right one's words."""
    if wanted.places & told.places or any(finding.message and finding.message in told.text for finding in right.findings):
        return True
    said = told.text.casefold() + " ".join(told.places).casefold()
    return any(element.casefold() in said for place in wanted.places for element in _elements(place))


def _elements(place: str) -> list[str]:
    """The names in a place but for its root: of `Immunization.contained[1].birthDate`, `contained` and `birthDate`."""
    names = re.findall(r"[A-Za-z_-][\w-]*", place.partition(".")[2] or place)
    return [name for name in names if len(name) > 1]
