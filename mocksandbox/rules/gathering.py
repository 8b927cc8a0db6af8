"""Many paths in one walk of a body: what stands at each of them, without its place.

Most values of most bodies are right, and whoever looks at a right value needs no place for it. What several paths begin with
is walked once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mocksandbox.rules.places import MISSING
from mocksandbox.rules.selectors import Choose, Step, steps_of

Values = Sequence[tuple[Any, ...]]
"""For each path, in the order in which it was added, the values that are present there."""


@dataclass(frozen=True)
class Look:
    """What is looked at in passing: `mark` is noted of each value at the path that neither `plain` holds of (Python that tells
    a surely good value, `{0}` there, without a call) nor `fails`, asked about the value and the walk's subject, clears.
    """

    path: str
    mark: int
    plain: str
    fails: Callable[[Any, Any], Any]


AN_OBJECT = "type({0}) is dict"
"""The plainest of looks, which costs nothing where the walk goes on by a key and asks this itself."""

Walk = Callable[[Any, Any], tuple[Values, list[int]]]
"""(body, subject) -> the values at every path that was added, and the marks that were noted."""


@dataclass
class _Node:
    """A step, the number of the path that ends with it (-1: none does), its looks, and the steps that follow."""

    step: Step
    number: int = -1
    looks: list[Look] = field(default_factory=list)
    after: dict[str, _Node] = field(default_factory=dict)


@dataclass
class Gathering:
    """Paths of one kind of body. `named` are the selectors that they may use."""

    named: Mapping[str, Choose] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _walk: Walk | None = None

    def add(self, path: str) -> int:
        """The number of a path, under which `values` has its values; a path that is there already keeps its own.

        Raises:
            ContractError: the path is malformed or uses an unknown selector.
        """
        if path not in self._numbers:
            steps_of(path, self.named)
            self._numbers[path] = len(self._numbers)
            self._walk = None
        return self._numbers[path]

    def values(self, body: Any) -> Values:
        """The values at every path of a body."""
        walk = self._walk
        if walk is None:
            walk = self._walk = self.looking(())
        return walk(body, None)[0]

    def looking(self, looks: Iterable[Look]) -> Walk:
        """The walk that has the values at the paths that were added till now, and has these looks in passing.

        Raises:
            ContractError: a look's path is malformed or uses an unknown selector.
        """
        first: dict[str, _Node] = {}
        for path, number in self._numbers.items():
            self._node(first, path).number = number
        for look in looks:
            self._node(first, look.path).looks.append(look)
        return _compiled(list(first.values()), len(self._numbers))

    def _node(self, nodes: dict[str, _Node], path: str) -> _Node:
        """The node in which a path ends, below these."""
        *above, last = steps_of(path, self.named)
        for step in above:
            nodes = nodes.setdefault(step.text, _Node(step)).after
        return nodes.setdefault(last.text, _Node(last))


def _compiled(nodes: Sequence[_Node], paths: int) -> Walk:
    """One function for the whole tree. It is written as Python, as dataclasses write theirs: a call for each step would cost
    three times as much as the steps themselves.
    """
    names: dict[str, Any] = {"NONE": MISSING, "longer": _longer}
    lines = ["def walk(body, subject, MISSING=NONE):", " wrong = []", " long = False"]
    lines += (f" p{number} = ()" for number in range(paths))
    lines += (f" {line}" for line in _written(nodes, "body", names, many=False))
    lines.append(f" found = ({''.join(f'p{number}, ' for number in range(paths))})")
    lines.append(" return tuple(map(tuple, found)) if long else found, wrong")
    exec(compile("\n".join(lines), "<paths of a body>", "exec"), names)
    walk: Walk = names["walk"]
    return walk


def _written(
    nodes: Sequence[_Node], value: str, names: dict[str, Any], *, many: bool, is_object: bool = False
) -> Iterator[str]:
    """The lines that look at what follows a value: no text of a path stands in them, only names for it."""
    inner = f"v{len(names)}"
    names[inner] = None  # each level has a variable of its own
    for node in nodes:
        if not node.step.key:
            yield from _picked(node, value, inner, names, many=many)
    keys = [node for node in nodes if node.step.key]
    if keys:
        yield "if True:" if is_object else f"if isinstance({value}, dict):"
    for node in keys:
        yield f" {inner} = {value}.get({_named(node.step.key, names)}, MISSING)"
        yield f" if {inner} is not MISSING:"
        yield from _within(2, _reached(node, inner, names, many=many))


def _picked(node: _Node, value: str, inner: str, names: dict[str, Any], *, many: bool) -> Iterator[str]:
    """The lines that take items out of a list."""
    step = node.step
    if step.text == "[*]":
        yield f"if isinstance({value}, list):"
        yield f" for {inner} in {value}:"
        yield from _within(2, _reached(node, inner, names, many=True))
    elif step.index is not None:
        yield f"if isinstance({value}, list) and len({value}) > {step.index}:"
        yield f" {inner} = {value}[{step.index}]"
        yield from _within(1, _reached(node, inner, names, many=many))
    elif step.first is not None:
        yield f"if isinstance({value}, list):"
        yield f" for {inner} in {value}:"
        yield f"  if {_met(step.first, inner, names)}:"
        yield from _within(3, _reached(node, inner, names, many=many, is_object=True))
        yield "   break"
    else:
        yield f"index = {_named(step.choose, names)}({value}, body) if isinstance({value}, list) else None"
        yield f"if index is not None and index < len({value}):"
        yield f" {inner} = {value}[index]"
        yield from _within(1, _reached(node, inner, names, many=many))


def _met(condition: tuple[tuple[str, ...], str], value: str, names: dict[str, Any]) -> str:
    """The expression that says whether a value has another at the end of some keys."""
    (*above, last), wanted = condition
    parts = []
    for key in above:
        parts.append(f"isinstance({value}, dict)")
        below = f"v{len(names)}"
        names[below] = None
        parts.append(f"({below} := {value}.get({_named(key, names)})) is not None")
        value = below
    parts.append(f"isinstance({value}, dict)")
    key = _named(last, names)
    parts.append(f"{value}.get({key}) == {_named(wanted, names)}" if wanted else f"{key} in {value}")
    return " and ".join(parts)


def _reached(node: _Node, value: str, names: dict[str, Any], *, many: bool, is_object: bool = False) -> Iterator[str]:
    if node.number >= 0 and many:
        found = f"p{node.number}"
        yield f"if len({found}) < {_FEW}: {found} += ({value},)"
        yield f"else: {found}, long = longer({found}, {value}), True"
    elif node.number >= 0:
        yield f"p{node.number} = ({value},)"
    after = list(node.after.values())
    below = any(following.step.key for following in after)  # then it is asked there whether this is an object
    for look in node.looks:
        if look.plain != AN_OBJECT or not below:
            yield from _looked(look, value, names)
    yield from _written(after, value, names, many=many, is_object=is_object)
    if below and not is_object:
        others = [line for look in node.looks if look.plain == AN_OBJECT for line in _looked(look, value, names)]
        yield from ("else:", *_within(1, others)) if others else ()


_FEW = 64
"""So many values are gathered in a tuple, which is copied for each; more, which hardly any body has, in a list."""


def _longer(found: Sequence[Any], value: Any) -> list[Any]:
    more = found if isinstance(found, list) else list(found)
    more.append(value)
    return more


def _looked(look: Look, value: str, names: dict[str, Any]) -> Iterator[str]:
    yield f"if not ({look.plain.format(value)}) and {_named(look.fails, names)}({value}, subject):"
    yield f" wrong.append({look.mark})"


def _named(value: Any, names: dict[str, Any]) -> str:
    """A name for a value in the function."""
    name = f"k{len(names)}"
    names[name] = value
    return name


def _within(depth: int, lines: Iterable[str]) -> Iterator[str]:
    return (f"{' ' * depth}{line}" for line in lines)
