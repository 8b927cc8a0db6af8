"""Patterns of operations: `nhs/read*`, or `read*` for every API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from mocksandbox.errors import MocksandboxError
from mocksandbox.provider import Provider, known_providers, open_provider


def is_wanted(provider: str, operation: str, patterns: Sequence[str]) -> bool:
    """Whether an operation is one of those that the patterns name; where there are none, every one is."""
    return not patterns or any(fnmatchcase(name, each) for name in (operation, f"{provider}/{operation}") for each in patterns)


def misfit(pattern: str, providers: Iterable[Provider]) -> str:
    """What is to be said of a pattern that fits no operation of these providers; empty when it fits one."""
    names: dict[str, list[str]] = {}
    for provider in providers:
        names[provider.name] = [operation.id for operation in provider.contract.operations]
        if any(is_wanted(provider.name, operation, [pattern]) for operation in names[provider.name]):
            return ""
    named, slash, rest = pattern.partition("/")
    written = [f"{name}/{each}" if slash else each for name, own in names.items() for each in own]
    if slash and named not in names:
        near = [f"{name}/{rest}" for name in get_close_matches(named, names, 1)]
    elif any(each.startswith(pattern) for each in written):
        near = [f"{pattern}*"]
    else:
        near = get_close_matches(pattern, written, 1)
    hint = f". Did you mean {near[0]!r}?" if near else ""
    return f"mocksandbox-operations: {pattern!r} fits no operation{hint}"


def misfits(patterns: Iterable[str], *used: Provider) -> list[str]:
    """What is to be said of the patterns that fit no operation of the providers used, nor of any other."""
    return [problem for pattern in patterns if (problem := misfit(pattern, every_provider(*used)))]


def every_provider(*first: Provider) -> Iterator[Provider]:
    """The providers given, then all others that there are, each opened when it is its turn."""
    yield from first
    for name in sorted(known_providers().keys() - {each.name for each in first}):
        try:
            yield open_provider(name)
        except (MocksandboxError, ImportError, AttributeError):
            continue  # somebody else's, which cannot be used in this place: a test that asks for it is told why
