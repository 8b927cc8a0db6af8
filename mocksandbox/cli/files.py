"""Where reports go: into a folder, or a single one to standard output."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from mocksandbox.errors import UsageError


def check_place(forms: Collection[str], folder: Path | None) -> None:
    """Refuse what could not be taken apart again.

    Raises:
        UsageError: several reports, and no folder for them.
    """
    if folder is None and len(set(forms)) > 1:
        raise UsageError(f"{len(set(forms))} reports cannot share standard output: add --report-dir DIR.")


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, by their names, into a folder, which is made where it is missing.

    Raises:
        UsageError: it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_bytes(text)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}.") from error
