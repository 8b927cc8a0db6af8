"""The diary of a campaign: one line of NDJSON for each cell, written when it is done, from which a killed one goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from mocksandbox import codec
from mocksandbox.errors import UsageError
from mocksandbox.fuzz.model import Flaw


@dataclass(frozen=True)
class Line:
    """What became of one cell."""

    number: int
    outcome: str
    requests: int
    flaws: tuple[Flaw, ...] = ()
    status: str = ""
    rules: tuple[str, ...] = ()
    source: str = ""
    valid: bool = False
    conclusive: bool = True
    problem: str = ""


class Diary:
    """The lines of a campaign, in memory and, with a path, in a file. `head` says which campaign it is."""

    def __init__(self, head: Mapping[str, Any], path: Path | None = None, *, resume: bool = False) -> None:
        """Begin one, or go on with the one in the file.

        Raises:
            UsageError: the file cannot be written, is of another campaign, or is not there to go on with.
        """
        self.lines: list[Line] = []
        self._file: IO[bytes] | None = None
        if path is None:
            return
        if resume and not path.is_file():
            raise UsageError(f"{path} does not exist: there is no run to go on with. Leave --resume out to begin one.")
        kept = self._read(path, head) if resume else 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Of a killed campaign the last line may be half there: it is written over.
            self._file = path.open("r+b" if kept else "wb")
            self._file.truncate(kept)
            self._file.seek(kept)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
        if not kept:
            self._write(head)

    def _read(self, path: Path, head: Mapping[str, Any]) -> int:
        """Take the whole lines of a file over; how many bytes they are."""
        kept = 0
        for number, text in enumerate(path.read_bytes().splitlines(keepends=True)):
            try:
                told = codec.loads(text) if text.endswith(b"\n") else None
            except ValueError:
                told = None
            if not isinstance(told, dict):
                break
            if number == 0 and told != dict(head):
                raise UsageError(
                    f"{path} is of another campaign (provider, target, seed, shard or plan differ): leave --resume out."
                )
            if number:
                self.lines.append(_line(told))
            kept += len(text)
        return kept

    def add(self, line: Line) -> None:
        """Write a line."""
        self.lines.append(line)
        told = {**asdict(line), "flaws": [asdict(flaw) for flaw in line.flaws]}
        self._write(told)

    def _write(self, told: Mapping[str, Any]) -> None:
        if self._file is not None:
            self._file.write(codec.dumps(dict(told)) + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _line(told: Mapping[str, Any]) -> Line:
    flaws: Sequence[Mapping[str, Any]] = told.get("flaws", ())
    whole: dict[str, Any] = {**told, "flaws": tuple(map(_flaw, flaws)), "rules": tuple(told.get("rules", ()))}
    return Line(**whole)


def _flaw(told: Mapping[str, Any]) -> Flaw:
    whole: dict[str, Any] = {**told, "rules": tuple(told["rules"])}
    return Flaw(**whole)
