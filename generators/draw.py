"""A way to draw: the few decisions that every made-up value is built from, so that one recipe serves bulk and shrinking."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar

T = TypeVar("T")


class Draw(Protocol):
    """Where a recipe gets its decisions from. Earlier options and smaller numbers are the simpler ones."""

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        ...

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        ...

    def flag(self, chance: float = 0.5) -> bool:
        """True with about this chance; False is the simpler."""
        ...


class RandomDraw:
    """Decisions from a `random.Random`.

    Only `random()` and `getrandbits()` are used: their numbers are the same on every machine and in every Python version.
    """

    __slots__ = ("_bits", "_random")

    def __init__(self, source: Random) -> None:
        self._random = source.random
        self._bits = source.getrandbits

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        span = high - low + 1
        if span <= _EXACT:
            return low + int(self._random() * span)
        return low + self._bits(span.bit_length() + 64) % span

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self._random() * len(options))]

    def flag(self, chance: float = 0.5) -> bool:
        """True with this chance."""
        return self._random() < chance


_EXACT = 2**48
"""Spans up to here are drawn from the 53 bits of one float, without noticeable unevenness."""


def seeded(seed: int) -> RandomDraw:
    """Decisions that depend on a seed and on nothing else."""
    return RandomDraw(Random(seed))  # a test-data generator has no secrets to keep
