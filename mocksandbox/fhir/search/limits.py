"""How much one search may ask for: one thread answers, and a question without end would keep everybody else waiting."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

MOST_PARAMETERS = 100
"""Parameters of one query or form, in the URL and in the body together (chosen, as the other limits here are)."""

MOST_VALUES = 1000
"""Values of all parameters together: those between commas are counted one by one."""

MOST_CHARACTERS = 64 * 1024
"""Characters of a query or form: a thousand identifiers with their systems are fewer."""

MOST_STEPS = 10
"""References that a chain may follow: no two types are further apart."""


def split_query(text: str) -> tuple[tuple[str, str], ...]:
    """The parameters of a query or form. One that is longer than a query may be is not taken apart, which is work already, but
    kept as the name of one parameter: `excess` says what is wrong with it.
    """
    if len(text) > MOST_CHARACTERS:
        return ((text, ""),)
    return tuple(parse_qsl(text, keep_blank_values=True, errors="replace"))


def excess(pairs: Sequence[tuple[str, str]]) -> str:
    """How a query asks for too much, as a phrase that follows `the query`; `""` when it does not."""
    if len(pairs) > MOST_PARAMETERS:
        return f"has {len(pairs)} parameters, and {MOST_PARAMETERS} are the most: ask in several searches"
    if sum(len(name) + len(value) for name, value in pairs) > MOST_CHARACTERS:
        return f"is longer than {MOST_CHARACTERS} characters, which are the most: ask in several searches"
    values = sum(value.count(",") + 1 for _, value in pairs)
    if values > MOST_VALUES:
        return f"has {values} values, and {MOST_VALUES} are the most: ask in several searches"
    return ""
