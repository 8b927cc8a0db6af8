"""The person whom a campaign's searches are about: made up for it alone, with valid records only.

The creates of a campaign are about one person, and some of the records that a server may store are odd. What a search for that
person finds would depend on what was sent before, in this campaign or in an earlier one.
"""

from __future__ import annotations

from mocksandbox.fuzz.lifecycle.actors import Recipe, own_values
from mocksandbox.fuzz.pair import Pair
from mocksandbox.fuzz.records import RecordKind
from mocksandbox.fuzz.rewriting import Exchanged
from mocksandbox.generators.build import templates
from mocksandbox.generators.draw import seeded
from mocksandbox.generators.samples import make

_TELLING = ("nhs-number", "identifier-value", "patient-id", "mrn")


def own_person(pair: Pair, operation: str, seed: int) -> Exchanged:
    """What makes a search of a seed one for this campaign's own person, who is made when first searched for; nothing where the
    operation is no search.
    """
    kind = next((each for each in pair.kinds if operation in each.searches), None)
    if kind is None or not pair.remembers:
        return ()
    own = pair.persons.get(kind.collection)
    if own is None:
        own = pair.persons[kind.collection] = _made(pair, kind)
    exchanged: dict[str, str] = {}
    for template in templates(pair.provider.name, operation):
        values = make((template,), seeded(seed), "full").values
        exchanged |= {str(values[name]): own[name] for name in _TELLING if values.get(name)}
    return tuple(exchanged.items())


def _made(pair: Pair, kind: RecordKind) -> dict[str, str]:
    values = own_values(pair.token())
    own = {name: str(values[name]) for name in _TELLING}
    pair.both(Recipe(pair.provider, kind, pair.seed, own).made(kind.create).request)
    return own
