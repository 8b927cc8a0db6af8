"""An answer that a service may give, and what is surprising about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mocksandbox.exchange import Response


@dataclass(frozen=True)
class Surprise:
    """A legal answer to requests of an operation. `how` says in which ways it is not what a client sees every day, empty for
    the plain one.
    """

    provider: str
    operation: str
    response: Response
    how: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """Its status."""
        return self.response.status

    @property
    def json(self) -> Any:
        """Its JSON body, freshly parsed; None when it has none."""
        return self.response.json() if self.response.body else None

    def __repr__(self) -> str:
        ways = f": {', '.join(self.how)}" if self.how else ""
        body = self.response.body.decode("utf-8", "replace")
        shown = body if len(body) <= 1000 else f"{body[:1000]}… ({len(self.response.body)} bytes)"
        return f"<{self.provider}/{self.operation} {self.status}{ways} {shown}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # Hypothesis would write out the bytes of the body.
        printer.text(repr(self))
