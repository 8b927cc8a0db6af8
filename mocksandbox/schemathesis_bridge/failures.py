"""Failures as schemathesis has them: ours, and which of its own are the document's doing and not the target's."""

from __future__ import annotations

from schemathesis.core.failures import Failure

from mocksandbox.fuzz.model import ORACLES, Flaw
from mocksandbox.fuzz.reference import Right
from mocksandbox.provider import Provider

_BY_STATUS = frozenset({"ST103", "ST201", "ST202", "ST203", "ST204", "ST205", "ST301", "ST302"})
"""The codes of failures that are about the status alone."""

_BY_DOCUMENT = frozenset({"ST104", "ST105", "ST106", "ST107", "ST108", "ST109", "ST110", "ST111"})
"""The codes of failures that are about an answer's headers and body beside the document's."""

ANSWERS = frozenset({"nonconforming", "headers"})
"""The classes of flaws that the checks of response rules tell of."""


class Broken(Failure):
    """A flaw as schemathesis' own failure: one for each identity, where schemathesis has one for each operation and class."""

    kind_title = "A promise of the API is broken"
    __slots__ = ("flaw",)

    def __init__(self, flaw: Flaw, provider: Provider, label: str) -> None:
        self.flaw = flaw
        known = {rule.id: rule for rule in (*provider.catalogue, *provider.responses)}
        rules = [known[id] for id in flaw.rules if id in known]
        lines = [ORACLES[flaw.kind], f"Expected: {flaw.expected}", f"Got: {flaw.observed}"]
        lines += [f"At: {flaw.at}"] if flaw.at else []
        lines += [flaw.detail] if flaw.detail else []
        lines += [f"{rule.id}: {rule.title}. {rule.why} Source: {rule.source}" for rule in rules]
        title = f"{flaw.kind}: {', '.join(flaw.rules) or flaw.operation}"
        super().__init__(operation=label, title=title, message="\n".join(lines))

    @property
    def _unique_key(self) -> str:
        return self.flaw.identity

    def __eq__(self, other: object, /) -> bool:
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash((type(self), self.flaw.identity))


def excused(failure: Failure, status: int, judged: tuple[tuple[Flaw, ...], Right | None]) -> bool:
    """Whether a failure of schemathesis' own checks is the document's doing: the right answer has the same sort of status, or
    our rules, which know where the document is wrong, find nothing against the answer.
    """
    flaws, right = judged
    if isinstance(failure, Broken) or right is None or status >= 500:
        return False
    if failure.code in _BY_STATUS:
        return (right.response.status >= 400) is (status >= 400)
    return failure.code in _BY_DOCUMENT and not any(flaw.kind in ANSWERS for flaw in flaws)


_KINDS = {
    "ST101": "server-error",
    "ST102": "server-error",
    "ST107": "headers",
    "ST201": "accepted-invalid",
    "ST202": "rejected-valid",
    "ST301": "delete-not-effective",
    "ST401": "authorisation",
    "ST402": "authorisation",
}
"""The classes of schemathesis' failures by their codes; the others are about answers that do not conform."""


def flaw_of(failure: Failure, operation: str, status: int, sample: str) -> Flaw:
    """A failure of one of schemathesis' own checks as a flaw; `sample` is the line that repeats it."""
    observed = f"{status} {failure.code}" if status else failure.code
    words = failure.message.strip().partition("\n")[0]
    detail = "\n".join(part for part in (words, sample) if part)
    kind = _KINDS.get(failure.code, "nonconforming")
    return Flaw(kind, operation, (), f"no {failure.title.lower()}", observed, detail=detail)
