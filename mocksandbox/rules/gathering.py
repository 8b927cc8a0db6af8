"""Many paths in one walk of a body: what stands at each of them, without its place.

Most values of most bodies are right, and whoever looks at a right value needs no place for it. What several paths begin with
is walked once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mocksandbox.rules.places import MISSING
from mocksandbox.rules.selectors import Choose, Step, steps_of

Values = Sequence[tuple[Any, ...]]
"""For each path, in the order in which it was added, the values that are present there."""

_Visit = Callable[[Any, Any, list[tuple[Any, ...]]], None]
"""Goes on from a value: (value, the whole body, what was found so far)."""


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
    _visit: _Visit | None = None

    def add(self, path: str) -> int:
        """The number of a path, under which `values` has its values; a path that is there already keeps its own.

        Raises:
            ContractError: the path is malformed or uses an unknown selector.
        """
        if path not in self._numbers:
            steps_of(path, self.named)
            self._numbers[path] = len(self._numbers)
            self._visit = None
        return self._numbers[path]

    def values(self, body: Any) -> Values:
        """The values at every path of a body."""
        visit = self._visit
        if visit is None:
            visit = self._visit = _compiled(self._tree())
        found: list[tuple[Any, ...]] = [()] * len(self._numbers)
        visit(body, body, found)
        return found

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


def _compiled(nodes: Iterable[_Node]) -> _Visit:
    keys = [(n.step.key, n.number, _compiled(n.after.values()) if n.after else None) for n in nodes if n.step.key]
    picks = [(n.step.pick, n.number, _compiled(n.after.values()) if n.after else None) for n in nodes if not n.step.key]

    def visit(value: Any, body: Any, found: list[tuple[Any, ...]]) -> None:
        if keys and isinstance(value, dict):
            for name, number, go_on in keys:
                child = value.get(name, MISSING)
                if child is not MISSING:
                    if number >= 0:
                        found[number] += (child,)
                    if go_on is not None:
                        go_on(child, body, found)
        for pick, number, go_on in picks:
            for _, child in pick(value, body):
                if number >= 0:
                    found[number] += (child,)
                if go_on is not None:
                    go_on(child, body, found)

    return visit
