"""Which lives are led: every sequence of changes up to a length, and what must leave no trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from mocksandbox.fuzz.records import RecordKind
from mocksandbox.generators.build import templates
from mocksandbox.generators.spelling import SPELLINGS
from mocksandbox.provider import Provider

UPDATE, STALE, AGAIN, DELETE = "update", "stale", "again", "delete"
CREATE, READ, SEARCH, REFUSED, REFUSED_UPDATE, SPELLED = "create", "read", "search", "refused", "refused-update", "spelled"
"""What can be done in a life. `stale` updates on an old version, `again` creates the same once more; `refused` and
`refused-update` send what has to be refused, `spelled` creates from the same JSON written otherwise.
"""


@dataclass(frozen=True)
class Sequence:
    """What is done to one record after it was created (instead of that, where the first action is a create of its own)."""

    kind: RecordKind
    actions: tuple[str, ...]

    @property
    def name(self) -> str:
        """The sequence for people."""
        return f"{self.kind.collection} {', '.join(self.actions)}"

    @property
    def is_short(self) -> bool:
        """Whether one thing is done, or nothing, that a right server takes: after that, everything is searched for."""
        return len(self.actions) == 1 and ":" not in self.actions[0]


def sequences(provider: Provider, kind: RecordKind, longest: int) -> Iterator[Sequence]:
    """Every life of a kind of record: all changes one after another, up to so many."""
    changes = _changes(provider, kind)
    yield Sequence(kind, (CREATE,))
    for spelling in [name for name in SPELLINGS if name != "plain"] if kind.read else ():
        yield Sequence(kind, (f"{SPELLED}:{spelling}",))
    for length in range(1, longest + 1):
        for actions in product(changes, repeat=length):
            yield Sequence(kind, actions)
            if length == 1 and actions == (DELETE,):
                yield Sequence(kind, (DELETE, AGAIN))
    for action, operation in ((REFUSED, kind.create), (REFUSED_UPDATE, kind.update)):
        for name in _refusals(provider, operation) if operation and longest > 1 else ():
            yield Sequence(kind, (f"{action}:{name}",))


def _changes(provider: Provider, kind: RecordKind) -> tuple[str, ...]:
    able = [UPDATE] if kind.update else []
    if kind.update and _versioned(provider, kind.update):
        able.append(STALE)
    able.append(AGAIN)
    return (*able, DELETE) if kind.delete else tuple(able)


def versioned_template(provider: Provider, operation: str) -> int | None:
    """Which template of an update names the version that it replaces; None when none does."""
    assert provider.about is not None
    for number, template in enumerate(templates(provider.name, operation)):
        first, other = (provider.about(template.attempt, "x", version).request for version in (1, 2))
        if first.headers.pairs != other.headers.pairs:
            return number
    return None


def _versioned(provider: Provider, operation: str) -> bool:
    return provider.about is not None and versioned_template(provider, operation) is not None


def _refusals(provider: Provider, operation: str) -> Iterator[str]:
    """The first defect of each rule that the operation's own body can break."""
    base = templates(provider.name, operation)[0].attempt
    for rule in provider.catalogue:
        if not any(rule in rules for _, rules in provider.catalogue.stages(operation, provider.default_profile)):
            continue
        for defect in rule.defects:
            broken = defect.apply(base) if not defect.needs else base
            if broken.request.body != base.request.body and isinstance(broken.body, dict) and broken.id == base.id:
                yield f"{rule.id}/{defect.name}"
                break
