"""The sandbox's own time, which tests can move: recorded times, token expiry and date rules move together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class Clock:
    """The current time, shifted by an offset; or a fixed time, when it is frozen."""

    offset: timedelta = timedelta()
    frozen: datetime | None = None

    def now(self) -> datetime:
        """The sandbox's time, with UTC as its offset."""
        return (self.frozen or datetime.now(UTC)) + self.offset

    def follow(self, offset: timedelta, frozen: datetime | None) -> None:
        """Go as another clock does."""
        self.offset, self.frozen = offset, frozen

    def move(self, by: timedelta) -> None:
        """Shift the time."""
        self.follow(self.offset + by, self.frozen)

    def set(self, to: datetime, *, freeze: bool = False) -> None:
        """Go to a time (one without an offset is UTC), and stay there when it is to be frozen."""
        to = to if to.tzinfo else to.replace(tzinfo=UTC)
        self.follow(timedelta() if freeze else to - datetime.now(UTC), to if freeze else None)

    def reset(self) -> None:
        """Go back to the real time."""
        self.follow(timedelta(), None)
