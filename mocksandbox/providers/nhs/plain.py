"""Python that tells a surely good value without a call: for the one walk of a record in which every value is tested.

Each expression has `{0}` where the value stands, and may say no to a good value: the check's own test decides then. It is
written from the check's own limits, and so says nothing that the check does not say.
"""

from __future__ import annotations

NEVER = "False"
"""No value is surely good."""


def plain_text(most: int = 0) -> str:
    """A string that is not blank, of limited length where there is a limit."""
    return "type({0}) is str and {0} and not {0}.isspace()" + (f" and len({{0}}) <= {most}" if most else "")


def one_of(choices: tuple[str, ...]) -> str:
    """One of these strings."""
    return f"{{0}} in {choices!r}"


def plain_list(length: int, most: int, item: str) -> str:
    """A list that is not empty, of so many items. Where items are tested, with `item`, it has the one that is most common."""
    if item:
        return f"type({{0}}) is list and len({{0}}) == 1 and {item.replace('{0}', '{0}[0]')}" if length < 2 else NEVER
    if length:
        return f"type({{0}}) is list and len({{0}}) == {length}"
    return "type({0}) is list and {0}" + (f" and len({{0}}) <= {most}" if most else "")


AN_OBJECT = "type({0}) is dict and {0}"
A_BOOLEAN = "type({0}) is bool"
A_NUMBER = "(type({0}) is int or type({0}) is float and {0} - {0} == 0)"  # the difference is 0 of finite numbers only
AT_MOST_ONE = "type({0}) is list and len({0}) < 2"


def from_one_to(highest: int) -> str:
    """An integer in this range."""
    return f"type({{0}}) is int and 0 < {{0}} <= {highest}"
