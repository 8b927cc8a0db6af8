"""A search as it was asked for: criteria, and what is wanted of the answer (order, page, included resources, elements)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mocksandbox.exchange import Pairs
from mocksandbox.fhir.search.criteria import Problem, Test, criterion
from mocksandbox.fhir.search.limits import excess
from mocksandbox.fhir.search.parameters import Parameter, ResourceType, Types

PAGE, MOST = 20, 1000
"""How many matches a page has when nobody says, and at the most."""

SUMMARIES = ("true", "text", "data", "count", "false")
TOTALS = ("none", "estimate", "accurate")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = re.compile(r"(\d{1,9})\.(\d{1,17})", re.ASCII)


@dataclass(frozen=True)
class Include:
    """What else an answer brings: the resources that a reference parameter of a type leads to (or, `reverse`, the resources
    of that type whose parameter leads here). `target` is the one type that is wanted, if one is; `again` follows it from
    included resources too.
    """

    type: str
    parameter: Parameter
    target: str = ""
    again: bool = False
    reverse: bool = False


@dataclass
class Query:
    """A search that was read. `problems` are the parameters that cannot be used; `used` those that were, as they were sent.
    `at` is the moment whose records a later page shows: that of the first page.
    """

    row: ResourceType
    criteria: list[Test] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    used: list[tuple[str, str]] = field(default_factory=list)
    count: int = PAGE
    offset: int = 0
    at: datetime | None = None
    sort: list[tuple[Parameter, bool]] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    summary: str = "false"
    elements: tuple[str, ...] = ()
    total: str = "accurate"

    @property
    def only_total(self) -> bool:
        """Whether nothing but the number of matches is wanted."""
        return self.summary == "count" or self.count == 0


_IGNORED = frozenset({"_format", "_pretty"})
"""Parameters of every interaction, which say nothing of what is looked for."""

_Read = Callable[[Query, str, str, Types], str | None]
"""Reads a control parameter: (query, name, value, types) -> why it cannot be used, or None."""


def parse_query(pairs: Pairs | Sequence[tuple[str, str]], row: ResourceType, types: Types) -> Query:
    """A query for resources of a type. Nothing is raised: what cannot be used is among the problems."""
    query = Query(row)
    too_much = excess(pairs)
    if too_much:
        query.problems.append(Problem("excess", "the query", too_much))
        return query
    seen: set[str] = set()
    made: set[tuple[str, str]] = set()
    for name, value in pairs:
        if name in _IGNORED or value == "":
            continue  # a parameter without a value says nothing (FHIR R4, Search)
        control = _CONTROLS.get(name.partition(":")[0])
        if control is None and (name, value) in made:
            pass  # said twice, it asks for nothing more
        elif control is None:
            test = criterion(name, value, row, types)
            if isinstance(test, Problem):
                query.problems.append(test)
                continue
            query.criteria.append(test)
            made.add((name, value))
        else:
            once = name in _ONCE and name in seen
            problem = "must not come twice" if once else control(query, name, value, types)
            seen.add(name)
            if problem:
                query.problems.append(Problem(name.partition(":")[0], name, problem))
                continue
        query.used.append((name, value))
    return query


def _count(query: Query, _: str, value: str, __: Types) -> str | None:
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return "must be a whole number from 0"
    query.count = min(int(value), MOST)
    return None


def _page(query: Query, _: str, value: str, __: Types) -> str | None:
    found = _PAGE.fullmatch(value)
    if found is None:
        return "must be taken from a link of a Bundle"
    query.offset, query.at = int(found[1]), _EPOCH + timedelta(microseconds=int(found[2]))
    return None


def page_token(offset: int, at: datetime) -> str:
    """The value of `_page` for the page that begins at an offset, of the records as they were at a moment."""
    return f"{offset}.{max(0, (at - _EPOCH) // timedelta(microseconds=1))}"


def _sort(query: Query, _: str, value: str, __: Types) -> str | None:
    for part in dict.fromkeys(value.split(",")):
        parameter = query.row.search.get(part.removeprefix("-"))
        if parameter is None:
            return f"must name search parameters of {query.row.name}, with - before those that go down"
        query.sort.append((parameter, part.startswith("-")))
    return None


def _summary(query: Query, _: str, value: str, __: Types) -> str | None:
    query.summary = value if value in SUMMARIES else query.summary
    return None if value in SUMMARIES else f"must be one of {', '.join(SUMMARIES)}"


def _total(query: Query, _: str, value: str, __: Types) -> str | None:
    query.total = value if value in TOTALS else query.total
    return None if value in TOTALS else f"must be one of {', '.join(TOTALS)}"


def _elements(query: Query, _: str, value: str, __: Types) -> str | None:
    names = tuple(part.strip().rpartition(".")[2] for part in value.split(","))
    if not all(re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) for name in names):
        return "must be names of elements, with commas between them"
    query.elements = names
    return None


def _include(query: Query, name: str, value: str, types: Types) -> str | None:
    reverse = name.startswith("_revinclude")
    modifier = name.partition(":")[2]
    if modifier not in ("", "iterate"):
        return "has a modifier that is not supported here; there is iterate"
    source, _, rest = value.partition(":")
    parameter_name, _, target = rest.partition(":")
    row = types.get(source)
    if value == "*" and not reverse:
        row, parameter_name = query.row, "*"
    if row is None or not (reverse or modifier or row is query.row):
        return (
            f"must begin with {'a type that is held here' if reverse or modifier else query.row.name}, as in {_example(query)}"
        )
    references = [parameter for parameter in row.search.values() if parameter.type == "reference"]
    chosen = [parameter for parameter in references if parameter_name in ("*", parameter.name)]
    if reverse:
        chosen = [parameter for parameter in chosen if modifier or query.row.name in parameter.targets]
    if not chosen or (target and not any(target in parameter.targets for parameter in chosen)):
        known = ", ".join(f"{row.name}:{parameter.name}" for parameter in references)
        return f"must be a reference that leads there: {known or 'there is none'}"
    includes = [Include(row.name, parameter, target, bool(modifier), reverse) for parameter in chosen]
    query.includes = list(dict.fromkeys([*query.includes, *includes]))
    return None


def _example(query: Query) -> str:
    return f"{query.row.name}:{next(iter(query.row.include), 'PARAMETER')}"


_CONTROLS: dict[str, _Read] = {
    "_count": _count,
    "_page": _page,
    "_sort": _sort,
    "_summary": _summary,
    "_total": _total,
    "_elements": _elements,
    "_include": _include,
    "_revinclude": _include,
}
_ONCE = frozenset(_CONTROLS) - {"_include", "_revinclude"}
CONTROLS = (*_CONTROLS, *sorted(_IGNORED))
"""The parameters that say how an answer is to be, and not what is looked for."""
