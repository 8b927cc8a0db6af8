"""Dates that are asked for, with their prefixes: whether a stored one is among them, however many they are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate

from mocksandbox.fhir.search.spans import FIRST, LAST, Span, around


class Dates:
    """Prefixed spans, any of which will do. What `COMPARE` says of each is worked out for all of them together: a stored span
    is put to their ends, and to a sorted list of those that must hold it or meet it.
    """

    def __init__(self, asked: Sequence[tuple[str, Span]], now: datetime) -> None:
        chosen: dict[str, list[Span]] = {}
        for prefix, span in asked:
            chosen.setdefault(prefix or "eq", []).append(around(span, now) if prefix == "ap" else span)

        def of(*prefixes: str) -> list[Span]:
            return [span for prefix in prefixes for span in chosen.get(prefix, ())]

        self._holding = _Ranges(of("eq", "ge", "le"))
        self._meeting = _Ranges(of("ap"))
        # An end that nothing can lie beyond stands for a prefix that nobody sent.
        self._ends_after = min((span.high for span in of("gt", "ge")), default=LAST)
        self._begins_before = max((span.low for span in of("lt", "le")), default=FIRST)
        self._begins_from = min((span.high for span in of("sa")), default=None)
        self._ends_by = max((span.low for span in of("eb")), default=None)
        # One of several is not held by all where it is not held by what they have in common.
        self._common = [max(span.low for span in of("ne")), min(span.high for span in of("ne"))] if of("ne") else []

    def match(self, have: Span) -> bool:
        """Whether a stored span is what is asked for."""
        low, high = have.low, have.high
        if high > self._ends_after or low < self._begins_before:
            return True
        if self._begins_from is not None and low >= self._begins_from:
            return True
        if self._ends_by is not None and high <= self._ends_by:
            return True
        if self._common and (low < self._common[0] or high > self._common[1]):
            return True
        return self._holding.hold(have) or self._meeting.meet(have)


class _Ranges:
    """Spans in the order in which they begin, each with how far those up to it reach."""

    def __init__(self, spans: Sequence[Span]) -> None:
        ordered = sorted(spans, key=lambda span: span.low)
        self._lows = [span.low for span in ordered]
        self._highs = list(accumulate((span.high for span in ordered), max))

    def hold(self, have: Span) -> bool:
        """Whether a span lies inside one of these."""
        before = bisect_right(self._lows, have.low)
        return before > 0 and self._highs[before - 1] >= have.high

    def meet(self, have: Span) -> bool:
        """Whether a span has a moment in common with one of these."""
        before = bisect_left(self._lows, have.high)
        return before > 0 and self._highs[before - 1] > have.low
