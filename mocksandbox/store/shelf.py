"""What the processes of a server keep together beside records: short values by name, for a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import time

from mocksandbox.store.database import Database, Section
from mocksandbox.store.rows import digest

FOREVER = 1e18
"""An end that no clock reaches, in seconds since 1970."""

_FOUND = "SELECT value FROM mocksandbox_shelves WHERE shelf = :shelf AND name = :name"
_COUNTED = "SELECT count(*) FROM mocksandbox_shelves WHERE shelf = :shelf"
_ENDED = "DELETE FROM mocksandbox_shelves WHERE shelf = :shelf AND ends <= :now"
_EMPTIED = "DELETE FROM mocksandbox_shelves WHERE shelf = :shelf"
_DROPPED = "DELETE FROM mocksandbox_shelves WHERE shelf = :shelf AND name = :name"
_FIRST_TO_END = """DELETE FROM mocksandbox_shelves WHERE shelf = :shelf AND name IN
    (SELECT name FROM mocksandbox_shelves WHERE shelf = :shelf ORDER BY ends LIMIT :many)"""
_ADDED = """INSERT INTO mocksandbox_shelves (shelf, name, value, ends) VALUES (:shelf, :name, :value, :ends)
    ON CONFLICT DO NOTHING"""
_CHANGED = """INSERT INTO mocksandbox_shelves (shelf, name, value, ends) VALUES (:shelf, :name, :value, :ends)
    ON CONFLICT (shelf, name) DO UPDATE SET value = excluded.value, ends = excluded.ends"""


@dataclass(frozen=True)
class Shelf:
    """Values by name, in a database."""

    database: Database
    name: str

    def __len__(self) -> int:
        with self.database.section(writes=False) as section:
            return int(section.rows(_COUNTED, {"shelf": self.name})[0][0])

    def get(self, key: str) -> bytes | None:
        """The value, None when there is none."""
        with self.database.section(writes=False) as section:
            found = section.rows(_FOUND, self._of(key))
        return bytes(found[0][0]) if found else None

    def add(self, key: str, value: bytes, seconds: float, most: int, over: Callable[[bytes], bool]) -> bool:
        """Keep a value for so many seconds, and forget what was kept for long enough; of more than so many, those that end
        first go. False when there is a value already, unless that one is `over`.
        """
        now = time()
        with self.database.section(writes=True) as section:
            section.run(_ENDED, {"shelf": self.name, "now": now})
            if section.run(_ADDED, {**self._of(key), "value": value, "ends": FOREVER}) == 1:
                self._limit(section, most)
            else:
                found = section.rows(_FOUND + self.database.locking, self._of(key))
                if found and not over(bytes(found[0][0])):
                    return False
            section.run(_CHANGED, {**self._of(key), "value": value, "ends": now + seconds})
            return True

    def _limit(self, section: Section, most: int) -> None:
        many = int(section.rows(_COUNTED, {"shelf": self.name})[0][0]) - most
        if many > 0:
            section.run(_FIRST_TO_END, {"shelf": self.name, "many": many})

    def change(self, key: str, change: Callable[[bytes], bytes], most: int) -> None:
        """Put another value in place of one (`b""` when there was none), while nobody else changes it; of more than so many,
        those that were changed longest ago go first.
        """
        with self.database.section(writes=True) as section:
            if section.run(_ADDED, {**self._of(key), "value": b"", "ends": FOREVER}) == 1:
                self._limit(section, most)
            before = section.rows(_FOUND + self.database.locking, self._of(key))
            after = change(bytes(before[0][0]) if before else b"")
            section.run(_CHANGED, {**self._of(key), "value": after, "ends": time()})

    def drop(self, key: str | None) -> None:
        """Take a value away, or all (None)."""
        with self.database.section(writes=True) as section:
            section.run(*(_EMPTIED, {"shelf": self.name}) if key is None else (_DROPPED, self._of(key)))

    def _of(self, key: str) -> dict[str, object]:
        return {"shelf": self.name, "name": digest(key)}
