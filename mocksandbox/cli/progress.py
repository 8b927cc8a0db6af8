"""How far one is. Of a campaign: a bar on a terminal, elsewhere a line now and then. Of records: their number."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from mocksandbox.fuzz.execute import Result

T = TypeVar("T")
Progress = Callable[[int, int, "Result"], None]

EVERY = 10.0
"""Seconds between two lines in a log."""


PATIENCE, STEPS = 1.0, 100
"""After how many seconds a person wonders, and every how many records the number is told."""


def counted(items: Iterable[T], patience: float = PATIENCE) -> Iterator[T]:
    """The items, with how many there have been on a terminal's last line once it takes a while."""
    began, number = time.monotonic(), 0
    for number, item in enumerate(items):
        if number and number % STEPS == 0 and time.monotonic() - began >= patience:
            click.echo(f"\rChecking: {number:,} records", nl=False, err=True)
        yield item
    if number >= STEPS:
        click.echo("\r\x1b[K", nl=False, err=True)


def progress(stack: ExitStack, target: str) -> Progress:
    """What is told of each cell. The stack ends it."""
    if sys.stderr.isatty():
        return _Bar(stack).tell
    beat = _Beat(target, EVERY)
    stack.callback(beat.stop)
    beat.start()
    return beat.tell


@dataclass
class _Seen:
    """The findings by class, each once."""

    identities: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        for flaw in result.verdict.flaws:
            if flaw.identity not in self.identities:
                self.identities.add(flaw.identity)
                self.kinds[flaw.kind] += 1


@dataclass
class _Bar:
    """A bar with the number of findings of each class."""

    stack: ExitStack
    seen: _Seen = field(default_factory=_Seen)
    at: int = 0
    bar: Any = None

    def tell(self, done: int, of: int, result: Result) -> None:
        if self.bar is None:
            bar = click.progressbar(length=of, label="Firing", file=sys.stderr, show_pos=True, update_min_steps=20)
            self.bar = self.stack.enter_context(bar)
        self.seen.add(result)
        told = ", ".join(f"{number} {kind}" for kind, number in self.seen.kinds.most_common(3))
        self.bar.label = f"Firing: {told}" if told else "Firing: nothing found"
        self.bar.update(done - self.at)
        self.at = done


@dataclass
class _Beat:
    """A line at the first cell and one every so many seconds, whatever the campaign is at."""

    target: str
    every: float
    seen: _Seen = field(default_factory=_Seen)
    done: int = 0
    of: int = 0
    told: int = -1
    over: Event = field(default_factory=Event)

    def start(self) -> None:
        self.began = time.monotonic()
        Thread(target=self._go_on, daemon=True).start()

    def stop(self) -> None:
        self.over.set()

    def tell(self, done: int, of: int, result: Result) -> None:
        if not self.of:
            click.echo(f"Firing {of} cells at {self.target} …", err=True)
        self.done, self.of = done, of
        self.seen.add(result)

    def line(self) -> str:
        found = f"{len(self.seen.identities)} finding{'' if len(self.seen.identities) == 1 else 's'}"
        # After the cells come the examples, which are made small, and the phases of another engine.
        closer = "; looking closer" if self.done == self.told else ""
        self.told = self.done
        at = f"{self.done} of {self.of} cells" if self.of else "getting ready"
        return f"{time.monotonic() - self.began:5.0f} s: {at}, {found}{closer}"

    def _go_on(self) -> None:
        while not self.over.wait(self.every):
            click.echo(self.line(), err=True)
