"""Records as rows of a table, there and back, without a change in any character or byte."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from mocksandbox.errors import StoreError
from mocksandbox.rules.attempt import Record

COLUMNS = "number, place, kind, id, version, state, recorded, author, keys, body"
"""The columns of a row that is read, in order; `place` is empty in the first version of a record."""

# What a column of text cannot hold everywhere (PostgreSQL: NUL; UTF-8: half a surrogate pair), and the mark itself.
_ODD = re.compile("[\x00\x1a\ud800-\udfff]")
_MARKED = re.compile("\x1a([0-9a-f]{4})")


def written(text: str) -> str:
    """A text that every database can hold: what it cannot hold is spelled out behind a mark (U+001A)."""
    return _ODD.sub(lambda odd: f"\x1a{ord(odd[0]):04x}", text) if _ODD.search(text) else text


def read(text: str) -> str:
    """The text that was written."""
    return _MARKED.sub(lambda marked: chr(int(marked[1], 16)), text) if "\x1a" in text else text


def digest(*parts: str) -> bytes:
    """What stands for texts in an index: of one length, for databases limit how long an entry may be."""
    whole = "".join(f"{len(part)}:{part}" for part in parts)
    return blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def row_of(record: Record) -> dict[str, Any]:
    """A version as the values of its columns."""
    return {
        "kind": written(record.kind),
        "id": written(record.id),
        "version": record.version,
        "state": record.state,
        "recorded": record.recorded.isoformat() if record.recorded else None,
        "author": None if record.author is None else written(record.author),
        "keys": json.dumps({written(key): written(value) for key, value in record.keys.items()}),
        "body": record.body,
    }


def record_of(row: Sequence[Any]) -> Record:
    """The version in a row of `COLUMNS`.

    Raises:
        StoreError: the row is damaged.
    """
    _, _, kind, id, version, state, recorded, author, _, body = row
    try:
        return Record(
            read(kind),
            read(id),
            version,
            bytes(body),
            keys_of(row),
            state,
            datetime.fromisoformat(recorded) if recorded else None,
            None if author is None else read(author),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreError(f"the store: row {row[0]} of the records is damaged") from error


def keys_of(row: Sequence[Any]) -> dict[str, str]:
    """The keys of the version in a row."""
    found: dict[str, str] = json.loads(row[8])
    return {read(key): read(value) for key, value in found.items()} if "\\u001a" in row[8] else found
