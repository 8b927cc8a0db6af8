"""Whether what the options name is there: a provider, and what its contract has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches

from mocksandbox.consumer.options import Options
from mocksandbox.consumer.patterns import every_provider, misfit
from mocksandbox.consumer.verification import may_be_known
from mocksandbox.errors import UsageError
from mocksandbox.provider import known_providers, open_provider
from mocksandbox.sandbox.faults import read_fault


def _provider(options: Options) -> None:
    open_provider(options.provider)


def _profile(options: Options) -> None:
    first = open_provider(options.provider)
    # A marker may name another provider, which knows it.
    if not any(options.profile in each.profiles for each in every_provider(first)):
        first.profile(options.profile)


def _scenario(options: Options) -> None:
    first = open_provider(options.provider)
    if not any(options.scenario == each.id for provider in every_provider(first) for each in provider.scenarios):
        known = [each.id for each in first.scenarios]
        raise UsageError(f"{first.name} has no scenario {options.scenario!r}.{_near(options.scenario, known)}")


def _fault(options: Options) -> None:
    read_fault(options.fault)


def _operations(options: Options) -> None:
    # Those of a contract folder that a marker names are known at the end only: see `coverage.misspelt`.
    for pattern in options.operations:
        named = pattern.partition("/")[0]
        if named in known_providers() and (problem := misfit(pattern, [open_provider(named)])):
            raise UsageError(f"{problem}{'' if problem.endswith('?') else '.'}")


def _xfail(options: Options) -> None:
    for pattern in options.xfail:
        if not any(may_be_known(pattern, each) for each in every_provider(open_provider(options.provider))):
            rules = {rule.id for provider in every_provider() for rule in provider.catalogue}
            raise UsageError(f"{pattern!r} fits no rule and no check.{_near(pattern, sorted(rules))}")


def _near(given: str, known: Iterable[str]) -> str:
    """The nearest known name. There are too many of these to list them."""
    near = get_close_matches(given, list(known), 1)
    return f" Did you mean {near[0]!r}?" if near else ""


NAMES: Mapping[str, Callable[[Options], None]] = {
    "provider": _provider,
    "profile": _profile,
    "scenario": _scenario,
    "fault": _fault,
    "operations": _operations,
    "xfail": _xfail,
}
"""What looks at each option that names something, by the option's name."""
