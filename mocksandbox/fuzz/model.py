"""What a campaign is made of: cases that are sent, verdicts on them, findings, and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mocksandbox.exchange import Request, Response
from mocksandbox.generators import Payload

ORACLES: Mapping[str, str] = {
    "accepted-invalid": "A request that breaks a rule was accepted.",
    "rejected-valid": "A request that breaks no rule was refused.",
    "wrong-status": "A request was refused with another status than the rule's.",
    "wrong-outcome": "A refusal is not in the API's form, has another code, or does not name the place.",
    "echoed-person": "A refusal repeats what may be a person's.",
    "server-error": "The server failed (5xx).",
    "no-answer": "No answer came: a timeout, a reset, a connection refused.",
    "nonconforming": "An answer is not what the document says.",
    "headers": "A header that the API promises is missing or wrong: Location leads nowhere, a version does not rise.",
    "duplicate-accepted": "A second record with the same identifier was accepted.",
    "stale-read": "A read gave back what was there before.",
    "lost-update": "An update on an old version was accepted, and overwrote another one.",
    "delete-not-effective": "A deleted record is still there.",
    "read-your-write": "A record that was read back differs from what was sent.",
    "search-missing": "A search does not find what it should.",
    "search-ghost": "A search finds what it should not.",
    "rejected-but-stored": "A request was refused, and its record is there all the same.",
    "authorisation": "A caller was let do what it may not do, or kept from what it may.",
    "metamorphic": "Two requests that mean the same got different answers.",
}
"""The classes of findings, each with what it means."""


@dataclass(frozen=True)
class Step:
    """One request of a case and what came: an answer, or why there is none. `seconds` is how long it took."""

    request: Request
    response: Response | None
    seconds: float = 0.0
    failure: str = ""


@dataclass(frozen=True)
class Case:
    """What is sent: one cell of the plan. `number` replays it alone (with the plan's seed); `source` says what sort of cell
    it is (smoke, rules, must-accept, edits, bytes, parameters, pairs, lifecycle, random, stock); `payload` is None for
    lifecycles.
    """

    number: int
    source: str
    name: str
    operation: str
    payload: Payload | None = None
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong with an exchange. `kind` is one of `ORACLES`; `expected` and `observed` are for people, short,
    and hold nothing that differs from run to run; `at` is the place, `detail` what a person needs to know besides.
    """

    kind: str
    operation: str
    rules: tuple[str, ...]
    expected: str
    observed: str
    at: str = ""
    detail: str = ""

    @property
    def identity(self) -> str:
        """What makes two flaws the same: operation, class, rules, what was observed."""
        return "|".join((self.operation, self.kind, ",".join(self.rules), self.observed))


@dataclass(frozen=True)
class Verdict:
    """The judgement of a case: `pass`; `fail`, with its flaws; `error` when our own label disagrees with the reference, which
    is our fault and never a finding.
    """

    outcome: Literal["pass", "fail", "error"]
    flaws: tuple[Flaw, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Finding:
    """A group of the same flaws, with one example: the smallest payload and the shortest sequence that show it.

    `steps` are the example's exchanges; `curl` a line, or a script when there are several; `pytest` a snippet that fails while
    the flaw is there; `changed` the differences of the body from the nearest valid one, as (place, valid value, sent value),
    `MISSING` for a value that is not there; `title`, `why` and `source` are the rule's; `times` is how many cases showed it.
    """

    flaw: Flaw
    case: Case
    steps: tuple[Step, ...]
    times: int = 1
    curl: str = ""
    pytest: str = ""
    changed: tuple[tuple[str, Any, Any], ...] = ()
    title: str = ""
    why: str = ""
    source: str = ""
    severity: Literal["high", "medium", "low"] = "medium"


BY_HAND = "by Ctrl-C"
"""Why a campaign was stopped that its user has stopped: what it has found by then is reported."""

RuleOutcome = Literal["enforced", "broken", "not reached"]


@dataclass(frozen=True)
class Report:
    """What a campaign found out. `rules` tells for each rule of the provider whether the target enforces it; `planned` and
    `reached` count cases; `errors` are our own; `matrix` counts the outcomes by rule: rule id -> {status or "no answer":
    times}; `engines` counts the requests by what sent them: our own runner, schemathesis; `doubt` asks whether the target is
    the API at all.
    """

    provider: str
    target: str
    seed: int
    requests: int
    seconds: float
    findings: tuple[Finding, ...]
    rules: Mapping[str, RuleOutcome]
    planned: Mapping[str, int]
    reached: Mapping[str, int]
    errors: tuple[str, ...] = ()
    matrix: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    stopped: str = ""
    accepted_valid: tuple[int, int] = (0, 0)
    engines: Mapping[str, int] = field(default_factory=dict)
    doubt: str = ""
