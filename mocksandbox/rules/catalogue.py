"""A catalogue: the rules of an API by stage, and the one way to ask which of them a subject breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from mocksandbox.errors import UsageError
from mocksandbox.rules.rule import Finding, Message, Rule

S = TypeVar("S")

MOST_FINDINGS = 1000
"""How many things that are wrong with one request are told: a list of a million wrong items has a million."""


@dataclass(frozen=True)
class Catalogue(Generic[S]):
    """Rules in order, the table of messages that they use, and the order of stages for each operation.

    The first stage with findings decides the answer: what stands in later stages is not looked at, as in the services
    themselves. `order[""]` is for requests that are for no operation. `quick` has, for stages of very many rules, what makes
    of a stage's rules one function, which gives those of them that a subject breaks, in their order.
    """

    rules: tuple[Rule[S], ...]
    messages: Mapping[str, Message]
    order: Mapping[str, Sequence[str]]
    quick: Mapping[str, Callable[[Sequence[Rule[S]]], Callable[[S], Sequence[Rule[S]]]]] = field(default_factory=dict)

    def __getitem__(self, id: str) -> Rule[S]:
        if id not in self._by_id:
            raise UsageError(f"No rule {id!r}.", id, self._by_id)
        return self._by_id[id]

    def __iter__(self) -> Iterator[Rule[S]]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    @cached_property
    def _by_id(self) -> dict[str, Rule[S]]:
        return {rule.id: rule for rule in self.rules}

    @cached_property
    def _plans(self) -> dict[tuple[str, str], tuple[tuple[str, tuple[Rule[S], ...]], ...]]:
        return {}

    @cached_property
    def _quick(self) -> dict[int, tuple[Callable[[S], Sequence[Rule[S]]], Sequence[Rule[S]]]]:
        """The quick functions by the identity of their rules, kept beside them: no other rules get it."""
        return {}

    def stages(self, operation: str, profile: str) -> tuple[tuple[str, tuple[Rule[S], ...]], ...]:
        """The stages of an operation in order, each with its rules in order; empty stages are left out."""
        plan = self._plans.get((operation, profile))
        if plan is None:
            names = self.order.get(operation, ())
            staged = (
                (stage, tuple(rule for rule in self.rules if rule.stage == stage and _refuses(rule, operation, profile)))
                for stage in names
            )
            plan = tuple((stage, rules) for stage, rules in staged if rules)
            self._quick.update((id(rules), (self.quick[stage](rules), rules)) for stage, rules in plan if stage in self.quick)
            self._plans[operation, profile] = plan
        return plan

    def findings(self, subject: S, rules: Iterable[Rule[S]]) -> list[Finding]:
        """Every place where the subject breaks one of these rules, in their order."""
        found: list[Finding] = []
        for rule in rules:
            for hit in rule.find(subject):
                found.append(self._finding(rule, *hit))  # noqa: PERF401  # most often there is nothing to append
        return found

    def first(self, subject: S, operation: str, profile: str) -> Sequence[Finding]:
        """The findings of the first stage that has any; empty when the subject breaks nothing."""
        return self.first_of(subject, self.stages(operation, profile))

    def first_of(self, subject: S, stages: Iterable[tuple[str, Sequence[Rule[S]]]]) -> Sequence[Finding]:
        """The findings of the first of these stages that has any; `MOST_FINDINGS` at the most."""
        quick = self._quick
        for _, rules in stages:
            found: list[Finding] | None = None
            for rule in rules if id(rules) not in quick else quick[id(rules)][0](subject):
                for hit in rule.find(subject):
                    found = found or []
                    found.append(self._finding(rule, *hit))
                    if len(found) == MOST_FINDINGS:
                        return found
            if found:
                return found
        return ()

    def all(self, subject: S, operation: str, profile: str) -> list[Finding]:
        """The findings of all stages."""
        return [found for _, rules in self.stages(operation, profile) for found in self.findings(subject, rules)]

    def warnings(self, subject: S, operation: str, profile: str) -> list[Finding]:
        """What refuses nothing and should be otherwise."""
        advice = (rule for rule in self.rules if rule.severity != "error" and _applies(rule, operation, profile))
        return self.findings(subject, advice)

    def _finding(self, rule: Rule[S], at: str, key: str, values: Mapping[str, Any]) -> Finding:
        message = self.messages[key]
        text = message.text.format_map(values)
        return Finding(rule, at, text, message.prefix)


def _refuses(rule: Rule[Any], operation: str, profile: str) -> bool:
    return rule.severity == "error" and _applies(rule, operation, profile)


def _applies(rule: Rule[Any], operation: str, profile: str) -> bool:
    return profile in rule.profiles and (not rule.operations or operation in rule.operations)


def messages_from(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Message]:
    """The messages of a `messages.yaml`: key -> `{text, prefix?, seen?}`."""
    return {
        key: Message(key, str(entry["text"]), str(entry.get("prefix", "")), int(entry.get("seen", 0)))
        for key, entry in table.items()
    }
