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


@dataclass
class _Node:
    """A step, the number of the path that ends with it (-1: none does), and the steps that follow."""

    step: Step
    number: int = -1
    after: dict[str, _Node] = field(default_factory=dict)


@dataclass
class Gathering:
    """Paths of one kind of body. `named` are the selectors that they may use."""

    named: Mapping[str, Choose] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _walk: Callable[[Any], Values] | None = None

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
            walk = self._walk = _compiled(self._tree(), len(self._numbers))
        return walk(body)

    def _tree(self) -> Iterable[_Node]:
        first: dict[str, _Node] = {}
        for path, number in self._numbers.items():
            nodes, node = first, None
            for step in steps_of(path, self.named):
                node = nodes.setdefault(step.text, _Node(step))
                nodes = node.after
            if node is not None:
                node.number = number
        return first.values()


def _compiled(nodes: Iterable[_Node], paths: int) -> Callable[[Any], Values]:
    """One function for the whole tree. It is written as Python, as dataclasses write theirs: a call for each step would cost
    three times as much as the steps themselves.
    """
    names: dict[str, Any] = {"MISSING": MISSING, "isinstance": isinstance, "dict": dict}
    lines = ["def walk(body):", *(f" p{number} = ()" for number in range(paths))]
    lines += _written(nodes, "body", 1, names, many=False)
    lines.append(f" return ({''.join(f'p{number}, ' for number in range(paths))})")
    exec(compile("\n".join(lines), "<paths of a body>", "exec"), names)
    walk: Callable[[Any], Values] = names["walk"]
    return walk


def _written(nodes: Iterable[_Node], value: str, depth: int, names: dict[str, Any], *, many: bool) -> Iterator[str]:
    """The lines that look at what follows a value: no text of a path stands in them, only names for it."""
    inner = f"v{len(names)}"
    names[inner] = None  # each level has a variable of its own
    keys = [node for node in nodes if node.step.key]
    if keys:
        yield f"{' ' * depth}if isinstance({value}, dict):"
    for node in keys:
        key = f"k{len(names)}"
        names[key] = node.step.key
        yield f"{' ' * (depth + 1)}{inner} = {value}.get({key}, MISSING)"
        yield f"{' ' * (depth + 1)}if {inner} is not MISSING:"
        yield from _reached(node, inner, depth + 2, names, many=many)
    for node in (node for node in nodes if not node.step.key):
        pick = f"k{len(names)}"
        names[pick] = node.step.pick
        yield f"{' ' * depth}for _, {inner} in {pick}({value}, body):"
        yield from _reached(node, inner, depth + 1, names, many=many or node.step.text == "[*]")


def _reached(node: _Node, value: str, depth: int, names: dict[str, Any], *, many: bool) -> Iterator[str]:
    if node.number >= 0:
        yield f"{' ' * depth}p{node.number} {'+=' if many else '='} ({value},)"
    yield from _written(list(node.after.values()), value, depth, names, many=many)
