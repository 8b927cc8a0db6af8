"""What a log may say of a failure inside the mock: where it was, and nothing that a request brought."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

_DEPTH = 8


def failure_place(error: BaseException) -> str:
    """The error's type and the innermost calls. Its message is left out: it may quote a record."""
    frames = extract_tb(error.__traceback__)[-_DEPTH:]
    return f"{type(error).__name__} in {' > '.join(f'{Path(f.filename).name}:{f.lineno} {f.name}' for f in frames)}"
