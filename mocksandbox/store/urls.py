"""The URLs by which stores are named on the command line."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from mocksandbox.errors import UsageError
from mocksandbox.store.database import Database

MEMORY = "memory"
KNOWN = (MEMORY, "sqlite:///FILE", "postgresql://USER@HOST/DATABASE")
_SQLITE, _POSTGRES = "sqlite:///", "postgresql://"


def shown(url: str) -> str:
    """A store's URL without its password."""
    # Up to the last @: a password may have one itself, and a slash. Parameters may name one too.
    hidden = re.sub(r"^([a-z+]+://[^:@/]*):.*@", r"\1:…@", url)
    return re.sub(r"(?i)([?&](?:\w*password|\w*passfile)=)[^&]*", r"\1…", hidden)


def open_database(url: str) -> Database | None:
    """The database of a store's URL, None for the store in memory.

    Raises:
        UsageError: the URL names no known store, or the store cannot be used.
    """
    if url == MEMORY:
        return None
    if url.startswith(_SQLITE):
        file = url.removeprefix(_SQLITE)
        if not file or file == ":memory:":
            raise UsageError(f"The store {url} names no file: write sqlite:///FILE, or {MEMORY} for one that forgets.")
        from mocksandbox.store.sqlite_file import open_sqlite  # here, so that the store in memory loads no database

        return open_sqlite(Path(file), url)
    if url.startswith(_POSTGRES):
        try:
            import_module("psycopg")  # tried before SQLAlchemy asks for it, which says less of what is missing
            from mocksandbox.store.postgres import open_postgres
        except ImportError as error:
            raise UsageError(
                f'The store on PostgreSQL needs more packages ({error}): pip install "mocksandbox[postgres]"'
            ) from error
        return open_postgres(url, shown(url))
    scheme = url.partition(":")[0]
    raise UsageError(f"No store {scheme!r}.", scheme, KNOWN)


def tidy_up(url: str) -> None:
    """Leave a store, when its server has stopped, so that a file can be copied: all that it holds in the one file."""
    if url.startswith(_SQLITE):
        from mocksandbox.store.sqlite_file import merge_log

        merge_log(Path(url.removeprefix(_SQLITE)))
