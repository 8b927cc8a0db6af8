"""Hypothesis strategies of answers: legal ones, that a client has never been tested with.

```python
from hypothesis import HealthCheck, given, settings
from mocksandbox.consumer import responses

@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=responses("nhs/searchImmunization"))
def test_my_client_reads_every_answer(nhs_sandbox, answer):
    with nhs_sandbox.answering(answer):
        my_client(nhs_sandbox.url).vaccinations("9449310475")
```
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from mocksandbox.consumer.drawn import Surprise
from mocksandbox.consumer.legal import Ground
from mocksandbox.consumer.origins import grounds
from mocksandbox.consumer.stubs import is_named
from mocksandbox.generators.build import split_reference
from mocksandbox.provider import known_providers, open_provider

__all__ = ["responses"]

_MOST = 4
"""How many surprises one answer has at the most, beside what it is from the start and what it is without."""


def responses(reference: str, *, errors: bool = True, profile: str = "") -> SearchStrategy[Surprise]:
    """Legal answers to a valid request of an operation (`nhs/searchImmunizationGet`): the plain one; without what is optional;
    with what is unknown; empty and long; with warnings beside the matches; and, unless `errors` is false, every error that is
    documented. They shrink to the plain answer with the one surprise that matters. An operation that the document has for
    several methods (`searchImmunizationGet`, `searchImmunizationPost`) may be named without: the answers are for all of them.

    Raises:
        UsageError: there is no such provider, operation or profile, or the provider has no valid requests.
    """
    whole = _with_method(reference)
    provider, operation = split_reference(whole)
    chosen = provider.profile(profile or None).name
    named = operation if whole == reference else reference.rpartition("/")[2]
    return st.deferred(lambda: _responses(named, _wanted(provider.name, operation, chosen, errors)))


def _with_method(reference: str) -> str:
    """A reference to the first of the operations that it names."""
    name, _, operation = reference.rpartition("/")
    if name not in known_providers():
        return reference
    found = [each.id for each in open_provider(name).contract.operations if is_named(each, operation)]
    return f"{name}/{found[0]}" if operation and found and operation not in found else reference


def _wanted(name: str, operation: str, profile: str, errors: bool) -> tuple[Ground, ...]:
    found = tuple(each for each in grounds(name, operation, profile) if errors or each.response.status < 400)
    for each in found:
        _ = each.optional  # found out here: Hypothesis takes what is slow to draw for a mistake
    return found


@st.composite
def _responses(draw: DrawFn, operation: str, known: tuple[Ground, ...]) -> Surprise:
    # As many errors as answers, and as many ways of one sort as of another, however many there are of each.
    halves = ([each for each in known if (each.response.status >= 400) == errors] for errors in (False, True))
    ground: Ground = draw(st.one_of(*(st.sampled_from(half) for half in halves if half)))
    numbers: SearchStrategy[int] = st.one_of(*map(st.sampled_from, ground.sorts))
    chosen = draw(st.lists(numbers, max_size=_MOST, unique=True))
    if draw(_FLAGS):
        # Services leave out everything that they do not have: each element by itself, so that it shrinks by itself.
        # First, so that what is repeated is repeated without it.
        chosen = [*(number for number in ground.optional if draw(_FLAGS)), *chosen]
    response, how = ground.changed(dict.fromkeys(chosen))
    return Surprise(ground.provider.name, operation, response, (*ground.how, *how))


_FLAGS = st.booleans()
