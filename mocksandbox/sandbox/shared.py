"""What the processes of one server share: clocks and faults on the board of their store, and all the rest in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from mocksandbox.contract import Operation
from mocksandbox.provider import Provider
from mocksandbox.sandbox.clock import Clock
from mocksandbox.sandbox.faults import Asked, read_fault
from mocksandbox.sandbox.planned import Faults, Planned, look_for_room, preferred_fault
from mocksandbox.shared_journal import SharedJournal
from mocksandbox.store import Board, Database, Note, Shelf, SqlStore, open_database

_MICROSECOND = timedelta(microseconds=1)


class SharedClock(Clock):
    """Everybody's time, as one of the processes has set it."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board
        board.listen("clock", self._load)

    def _load(self, note: Note) -> None:
        read = _clock(note)
        self.offset, self.frozen = read.offset, read.frozen

    def follow(self, offset: timedelta, frozen: datetime | None) -> None:
        """Go as another clock does, in all processes."""
        self._board.change("clock", lambda _: _told(Clock(offset, frozen)))


class SharedClocks(dict[str, Clock]):
    """The times of tenants who have moved theirs, as one of the processes has moved them."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board
        board.listen("clocks", self._load)

    def _load(self, note: Note) -> None:
        super().clear()
        super().update({tenant: _clock(told) for tenant, told in note.items()})

    def __setitem__(self, tenant: str, clock: Clock) -> None:
        self._board.change("clocks", lambda note: {**note, tenant: _told(clock)})

    def pop(self, tenant: str, *default: Any) -> Any:
        """Take a tenant's time away."""
        self._board.change("clocks", lambda note: {name: told for name, told in note.items() if name != tenant})

    def clear(self) -> None:
        """Take away the times of all tenants."""
        self._board.change("clocks", lambda _: {})


def _told(clock: Clock) -> Note:
    return {"offset": clock.offset // _MICROSECOND, "frozen": clock.frozen.isoformat() if clock.frozen else None}


def _clock(note: Note) -> Clock:
    frozen = note.get("frozen")
    return Clock(note.get("offset", 0) * _MICROSECOND, datetime.fromisoformat(frozen) if frozen else None)


class SharedFaults(Faults):
    """The faults of one provider, as one of the processes has set them, counted down together. With a seed, the n-th request
    that may meet one draws from the seed and n, whichever process it comes to.
    """

    def __init__(self, board: Board, provider: str, seed: int | None, wire: bool) -> None:
        super().__init__(seed, wire=wire)
        self._board, self._name, self._first_seed = board, f"faults/{provider}", seed
        board.listen(self._name, self._load)

    def _load(self, note: Note) -> None:
        self.seed = note.get("seed", self._first_seed)
        self._planned = [_planned(each) for each in note.get("planned", ())]

    def reseed(self, seed: int | None) -> None:
        """Begin the draws again."""
        self._board.change(self._name, lambda note: {**note, "seed": seed, "draws": 0})

    def plan(self, planned: Planned) -> None:
        """Set a fault that was read."""

        def added(note: Note) -> Note:
            before = note.get("planned", ())
            look_for_room(before, 1)
            return {**note, "planned": [*before, planned.summary()]}

        self._board.change(self._name, added)

    def plan_instead(self, planned: Sequence[Planned], tenant: str | None = None) -> None:
        """Set these faults in place of what is set: of everything, or of what is set for this tenant alone."""
        new = [each.summary() for each in planned]

        def changed(note: Note) -> Note:
            kept = [each for each in note.get("planned", ()) if tenant is not None and each["tenant"] != tenant]
            look_for_room(kept, len(new))
            return {**note, "planned": [*kept, *new]}

        self._board.change(self._name, changed)

    def clear(self, tenant: str | None = None) -> None:
        """Take back what is set: everything, or what is set for this tenant alone."""
        if self._planned:
            self.plan_instead((), tenant)

    def meet(self, operation: Operation | None, tenant: str, preferred: str = "") -> list[Asked]:
        """The faults that a request meets: the one that it prefers, then those that are set. Each of these is counted down."""
        met = preferred_fault(operation, preferred)
        concerned = [planned for planned in self._planned if planned.concerns(operation, tenant)]
        draws = self.seed is not None and (met or concerned)
        if not draws and all(planned.count is None for planned in concerned):
            return met + [each.asked for each in concerned if each.share == 1 or self.random.random() < each.share]
        found: list[Asked] = []

        def counted(note: Note) -> Note:
            seed, draw = note.get("seed", self._first_seed), note.get("draws", 0) + 1
            self.random = Random(f"{seed}/{draw}") if seed is not None else self.random
            kept, found[:] = [], []
            for each in map(_planned, note.get("planned", ())):
                if each.concerns(operation, tenant) and (each.share == 1 or self.random.random() < each.share):
                    each.count = each.count and each.count - 1
                    found.append(each.asked)
                if each.count != 0:
                    kept.append(each.summary())
            return {**note, "draws": draw, "planned": kept}

        self._board.change(self._name, counted)
        return met + found


def _planned(told: Note) -> Planned:
    return Planned(read_fault(told["fault"]), told["operation"], told["tenant"], told["count"], told["share"])


@dataclass(frozen=True)
class Shared:
    """A store that several processes share, and what is made on it."""

    database: Database
    board: Board
    clock: SharedClock
    clocks: SharedClocks

    def journal(self, most_entries: int, most_bytes: int) -> SharedJournal:
        """The journal of all processes."""
        return SharedJournal(self.database, most_entries, most_bytes)

    def faults(self, provider: str, seed: int | None, wire: bool) -> SharedFaults:
        """The faults of one provider."""
        return SharedFaults(self.board, provider, seed, wire)

    def store(self, provider: Provider) -> SqlStore:
        """The records of one provider."""
        return SqlStore(self.database, provider.name, provider.seeds())

    def shelf(self, name: str) -> Shelf:
        """What is kept together under a name."""
        return Shelf(self.database, name)


def open_shared(url: str) -> Shared | None:
    """What is shared in the store of a URL; None for the store in memory, which nobody can share.

    Raises:
        UsageError: the URL names no known store, or the store cannot be used.
    """
    database = open_database(url)
    if database is None:
        return None
    board = Board(database)
    return Shared(database, board, SharedClock(board), SharedClocks(board))
