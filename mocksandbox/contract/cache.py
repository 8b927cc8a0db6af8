"""Documents as they are after their overlay, kept between runs: applying one takes longer than all else at the start.

An entry is JSON in the user's own cache folder, under the digest of what it was made from and of this package's version. One
that is damaged, or that another user could have written, is as if it were not there. `MOCKSANDBOX_CACHE=off` does without.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from mocksandbox import __version__

_FORM = b"1"
"""Counts up when what is kept changes its meaning."""


def kept_json(sources: Sequence[bytes], make: Callable[[], Any]) -> Any:
    """What `make` gives, a JSON value that depends on nothing but these bytes; read from the cache where it is there.

    Raises:
        Whatever `make` raises; nothing is kept then.
    """
    folder = _folder()
    if folder is None:
        return make()
    digests = b"".join(sha256(source).digest() for source in (_FORM, __version__.encode(), *sources))
    path = folder / f"{sha256(digests).hexdigest()}.json"
    found = _read(path)
    if found is None:
        found = make()
        _write(path, found)
    return found


def _folder() -> Path | None:
    if os.environ.get("MOCKSANDBOX_CACHE") == "off" or not hasattr(os, "geteuid"):
        return None
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mocksandbox" / "contracts"
    except RuntimeError:  # nobody's home
        return None


def _ours(path: Path) -> bool:
    """Whether nobody but this user can have written a file or folder."""
    found = path.lstat()
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _read(path: Path) -> Any:
    try:
        if not (_ours(path.parent) and _ours(path)):
            return None
        digest, _, text = path.read_bytes().partition(b"\n")
        return orjson.loads(text) if digest == sha256(text).hexdigest().encode() else None
    except (OSError, ValueError):
        return None


def _write(path: Path, value: Any) -> None:
    with suppress(OSError, orjson.JSONEncodeError):
        text = orjson.dumps(value)
        if orjson.loads(text) != value:
            return  # a date of YAML, for example, is no JSON
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _ours(path.parent):
            return
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.touch(mode=0o600)
        part.write_bytes(sha256(text).hexdigest().encode() + b"\n" + text)
        part.replace(path)
