"""Where the bundled contracts are: inside the package when installed, beside it in a source checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def contracts_root() -> Path:
    """The folder that holds one contract folder for each provider.

    Raises:
        FileNotFoundError: neither place has it, which means that the installation is damaged.
    """
    package = Path(__file__).resolve().parent
    for candidate in (package / "contracts", package.parent / "contracts"):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"no contracts folder in or beside {package}: reinstall mocksandbox")
