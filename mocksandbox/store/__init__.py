"""Where records are kept: versions of resources, by tenant; and what else the processes of a server share."""

from mocksandbox.store.board import Board, Note
from mocksandbox.store.database import Database
from mocksandbox.store.memory import MemoryPartition, MemoryStore
from mocksandbox.store.partition import Partition, Store
from mocksandbox.store.room import Room
from mocksandbox.store.shelf import Shelf
from mocksandbox.store.sql import SqlPartition, SqlStore
from mocksandbox.store.urls import MEMORY, open_database, shown, tidy_up
from mocksandbox.store.views import Scratch, Stale

__all__ = [
    "MEMORY",
    "Board",
    "Database",
    "MemoryPartition",
    "MemoryStore",
    "Note",
    "Partition",
    "Room",
    "Scratch",
    "Shelf",
    "SqlPartition",
    "SqlStore",
    "Stale",
    "Store",
    "open_database",
    "shown",
    "tidy_up",
]
