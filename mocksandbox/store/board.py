"""The board on which the processes of a server tell one another how it is set: its clocks, its faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mocksandbox.errors import StoreError
from mocksandbox.store.database import Database

Note = dict[str, Any]
"""What is written on the board under one name: JSON values."""

_TURN = "SELECT turn FROM mocksandbox_board_turn"
_TURNED = "UPDATE mocksandbox_board_turn SET turn = turn + 1"
_NOTES = "SELECT name, note FROM mocksandbox_board"
_NOTE = "SELECT note FROM mocksandbox_board WHERE name = :name"
_WRITTEN = """INSERT INTO mocksandbox_board (name, note) VALUES (:name, :note)
    ON CONFLICT (name) DO UPDATE SET note = excluded.note"""
_WIPED = "DELETE FROM mocksandbox_board WHERE name = :name"


class Board:
    """Notes by name, each the state of one thing that all processes have to know. Who `listen`s is told when one of them was
    changed, by whomever, at the next `look`, which costs one short question.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = 0
        self._listeners: list[tuple[str, Callable[[Note], None]]] = []

    def listen(self, name: str, load: Callable[[Note], None]) -> None:
        """Call this with the note of this name when the board was changed; `{}` when there is none."""
        self._listeners.append((name, load))

    def look(self) -> None:
        """Look whether anything was changed."""
        if int(self._database.at_once(_TURN, {})[0][0]) == self._turn:
            return
        with self._database.section(writes=False) as section:
            turn = int(section.rows(_TURN, {})[0][0])
            notes = {name: _read(note) for name, note in section.rows(_NOTES, {})}
        for name, load in self._listeners:
            load(notes.get(name, {}))
        self._turn = turn

    def change(self, name: str, change: Callable[[Note], Note]) -> None:
        """Put another note in place of one, while nobody else changes it; `{}` takes it away."""
        with self._database.section(writes=True) as section:
            section.run(_TURNED, {})  # the row that everybody who writes here has to change first
            found = section.rows(_NOTE, {"name": name})
            after = change(_read(found[0][0]) if found else {})
            if after:
                section.run(_WRITTEN, {"name": name, "note": json.dumps(after)})
            else:
                section.run(_WIPED, {"name": name})
        self.look()


def _read(note: str) -> Note:
    try:
        read: Note = json.loads(note)
    except ValueError as error:
        raise StoreError("the store: a note on its board is damaged") from error
    return read
