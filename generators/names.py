"""Names of people who do not exist: pools drawn once from Faker, so that the same Faker version gives the same names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

POOL = 400
"""How many names each pool is drawn from; one name at a time costs Faker three times what a whole record costs."""

UNUSUAL_FAMILY = (
    "Žižková",
    "Ó Súilleabháin",
    "D'Souza-O'Neill",
    "van der Waals",
    "محمود",
    "כהן",
    "王",
    "Nguyễn Thị",
    "O",
    "Núñez",
    "Ng",
    "St. John-Smythe",
    "A" * 35,
)
"""Family names that are right and that programs stumble on: other scripts, right to left, one letter, composed or decomposed
accents, the 35 characters that the NHS document allows."""

UNUSUAL_GIVEN = (
    ["Zoë"],
    ["Đặng", "Thị", "Mai"],
    ["Jean-Luc"],
    ["فاطمة"],
    ["A", "B", "C", "D", "E"],
    ["Null"],
    ["Björk", "Guðmundsdóttir"],
    ["X" * 180],
)
"""Given names of the same sort; five are the most that the NHS service takes, 180 characters the longest."""


@cache
def pools() -> Mapping[str, tuple[str, ...]]:
    """Given names (`female`, `male`) and `family` names, each in a fixed order without repeats; British, from Faker."""
    from faker import Faker

    fake = Faker("en_GB", use_weighting=False)
    fake.seed_instance(0)
    sources: Mapping[str, Callable[[], str]] = {
        "female": fake.first_name_female,
        "male": fake.first_name_male,
        "family": fake.last_name,
    }
    return {name: tuple(dict.fromkeys(draw() for _ in range(POOL))) for name, draw in sources.items()}
