"""A rule: one promise of an API, how to find that it is broken, and how to break it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar, overload

S = TypeVar("S")

ALL = frozenset({"documented", "sandbox", "integration"})
"""Every profile that a rule may belong to."""


@dataclass(frozen=True)
class Message:
    """One wording of an answer: its key in the API's table of messages and its text, with `{names}` for values.

    `prefix` is what the API puts once before all messages of one answer. `observed` is how often the wording was seen in
    recorded answers of the real service; 0 means that the words are our own.
    """

    key: str
    text: str
    prefix: str = ""
    observed: int = 0


Place = str
"""A FHIRPath (`Immunization.status`), `header:NAME`, `query:NAME`, `path:NAME`, `body` or `status`."""

Hit = tuple[Place, str, Mapping[str, Any]]
"""What a detector gives for each place where its rule is broken: the place, a message key, the values for its text."""


@dataclass(frozen=True)
class Defect(Generic[S]):
    """One labelled way to break a rule.

    `apply` turns a good subject into a broken one; a subject that has nothing to break in this way is given back as it is.
    `also` names the rules that are broken with it, unavoidably, on some operation or in some profile. `needs` are the steps
    that set up the state that the defect is about (`create`, `delete`), run before the subject is sent.
    """

    name: str
    apply: Callable[[S], S]
    also: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()


class LaterDefects(Sequence[Defect[S]]):
    """Defects that are worked out when somebody first looks at them: a mock never does, and should not wait for them."""

    def __init__(self, work_out: Callable[[], Iterable[Defect[S]]]) -> None:
        self._work_out = work_out

    @cached_property
    def _found(self) -> tuple[Defect[S], ...]:
        return tuple(self._work_out())

    @overload
    def __getitem__(self, index: int) -> Defect[S]: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Defect[S]]: ...

    def __getitem__(self, index: int | slice) -> Defect[S] | Sequence[Defect[S]]:
        return self._found[index]

    def __iter__(self) -> Iterator[Defect[S]]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


@dataclass(frozen=True, repr=False)
class Rule(Generic[S]):
    """One promise. Its id names the defect; `find` gives every place where a subject breaks it; `defects` break it.

    `source` says where the promise comes from: `openapi.json#/pointer`, `messages.yaml#key` (an observed answer),
    `case:NAME` (a recorded case), or the title of a public specification. `status` and `issue` are what the API answers.
    `error` is the API's own error code, where it has one. `severity` is `error`, or `warning` for what should be so and need
    not: a warning refuses nothing.
    """

    id: str
    title: str
    why: str
    source: str
    operations: frozenset[str]
    stage: str
    status: int
    issue: str
    error: str
    find: Callable[[S], Iterable[Hit]] = field(compare=False)
    defects: Sequence[Defect[S]] = field(default=(), compare=False)
    profiles: frozenset[str] = ALL
    severity: str = "error"

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Rule {self.id}>"


@dataclass(frozen=True)
class Finding:
    """One broken promise, found: the rule, the place and the words for it. `prefix` stands once before an answer."""

    rule: Rule[Any]
    at: Place
    message: str
    prefix: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes two findings the same: the rule and the place without its indices."""
        return self.rule.id, "".join(char for char in self.at if not char.isdigit())
