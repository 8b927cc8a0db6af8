"""Mistakes that a test makes on purpose."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase

from mocksandbox.consumer.telling import told
from mocksandbox.consumer.verdict import Breach
from mocksandbox.errors import UsageError
from mocksandbox.provider import Provider
from mocksandbox.rules.http import RULES as HTTP


def must_be_known(rule: str, provider: Provider) -> None:
    """Make sure that a provider has a rule of this name, or of this end of a name; none is named by nothing.

    Raises:
        UsageError: it has none; the message names the nearest.
    """
    known = {*HTTP, *(each.id for each in provider.catalogue)}
    if "/" not in rule:
        known = {id.rpartition("/")[2] for id in known}
    if rule and rule not in known:
        near = get_close_matches(rule, known, 1)
        raise UsageError(f"{provider.name} has no rule {rule!r}.{f' Did you mean {near[0]!r}?' if near else ''}")


@dataclass
class Expectation:
    """That some request breaks the contract at a place (`Immunization.status`; `*` stands for anything), by a rule when one is
    named (`nhs/bad-status`, or its end). `met` are the breaches that it was right about.
    """

    at: str
    rule: str = ""
    provider: str = ""
    since: int = 0
    until: int | None = None
    met: list[Breach] = field(default_factory=list)

    def covers(self, breach: Breach) -> bool:
        """Whether a breach is the expected one."""
        return (
            self.provider == breach.provider
            and self.since < breach.number
            and (self.until is None or breach.number <= self.until)
            and (breach.at == self.at or fnmatchcase(breach.at, self.at.replace("[", "[[]")))
            and (not self.rule or breach.rule == self.rule or breach.rule.rpartition("/")[2] == self.rule)
        )

    def problem(self, found: list[Breach]) -> str:
        """What is wrong with it, once its requests have been sent: empty when it was met."""
        self.met = [breach for breach in found if self.covers(breach)]
        if self.met:
            return ""
        wanted = " ".join([*([f"at {self.at}"] if self.at != "*" else []), *([f"by {self.rule}"] if self.rule else [])])
        others = [breach for breach in found if breach.number > self.since]
        if not others:
            return f"No request broke the contract {wanted}."
        return f"No request broke the contract {wanted}, but:\n{told(others)}"
