"""What a project and a test ask of the plugin: command line, ini keys and markers, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mocksandbox.errors import UsageError

STRICT = ("off", "warn", "error")
"""What becomes of a request that breaks the contract: nothing, a warning, or the test fails."""

MARKER_KEYS = ("provider", "profile", "scenario", "fault", "auth", "strict")
"""What the marker takes; `provider` may also be its one positional argument."""


@dataclass(frozen=True)
class Options:
    """The project's options. Empty texts mean that nothing was asked for.

    `late` is how many seconds the end of a test waits for what other threads still send; `operations` are patterns of the
    operations that the consumer uses (`nhs/read*`), none for all; `min_coverage` is a percentage; `url`, `allow_host`
    and `authorization` say where and as whom a provider is verified.
    """

    provider: str = "nhs"
    profile: str = ""
    scenario: str = ""
    fault: str = ""
    auth: str = "off"
    strict: str = "error"
    seed: int = 0
    late: float = 0.25
    operations: tuple[str, ...] = ()
    min_coverage: float = 0.0
    report: tuple[str, ...] = ()
    pact: str = ""
    har: str = ""
    consumer: str = "consumer"
    url: str = ""
    allow_host: tuple[str, ...] = ()
    authorization: str = ""
    xfail: tuple[str, ...] = ()


def read_options(asked: Callable[[str], Any]) -> Options:
    """The options, each asked for by its name; None, `""` and `[]` mean that it was not given.

    Raises:
        UsageError: a value cannot be what it should be.
    """
    made: dict[str, Any] = {}
    for name, default in Options.__dataclass_fields__.items():
        value = asked(name)
        if value not in (None, "", []):
            made[name] = _read(name, value, type(default.default))
    if made.get("strict", "error") not in STRICT:
        raise UsageError(f"mocksandbox-strict is {made['strict']!r}.", made["strict"], STRICT)
    return Options(**made)


def _read(name: str, value: Any, kind: type) -> Any:
    if kind is tuple:
        return tuple(value)
    try:
        return kind(value)
    except ValueError:
        shown = name.replace("_", "-")
        raise UsageError(f"mocksandbox-{shown} must be a number, and is {value!r}.") from None


@dataclass(frozen=True)
class Wish:
    """What one test asks for by its markers, nearest first: on the test, its class, its module."""

    options: Options
    marks: tuple[Mapping[str, Any], ...] = ()

    @property
    def provider(self) -> str:
        """The provider of the fixture `mocksandbox`."""
        named = (mark["provider"] for mark in self.marks if mark.get("provider"))
        return str(next(named, self.options.provider))

    def of(self, provider: str, key: str) -> Any:
        """What is asked of a provider. A marker that names no provider is for all that the test uses."""
        for mark in self.marks:
            if key in mark and mark.get("provider", provider) == provider:
                return mark[key]
        return getattr(self.options, key)


Mark = tuple[Sequence[Any], Mapping[str, Any]]
"""A marker's arguments, by place and by name."""


def read_wish(options: Options, marks: Iterable[Mark]) -> Wish:
    """What markers ask for, from their arguments, nearest first.

    Raises:
        UsageError: a marker has an argument that there is not.
    """
    return Wish(options, tuple(_mark(args, named) for args, named in marks))


def _mark(args: Sequence[Any], named: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = [name for name in named if name not in MARKER_KEYS]
    if unknown:
        raise UsageError(f"@pytest.mark.mocksandbox has no argument {unknown[0]!r}.", unknown[0], MARKER_KEYS)
    if len(args) > 1 or (args and "provider" in named):
        raise UsageError("@pytest.mark.mocksandbox takes one provider and named arguments; use one marker for each provider.")
    mark = {**({"provider": args[0]} if args else {}), **named}
    if mark.get("strict", "error") not in STRICT:
        raise UsageError(f"@pytest.mark.mocksandbox(strict={mark['strict']!r}).", str(mark["strict"]), STRICT)
    return mark
