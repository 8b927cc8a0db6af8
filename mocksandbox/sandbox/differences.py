"""Where the published document would have refused what the service takes: told in the journal, never to the client."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import overload

from mocksandbox.provider import Provider
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.http import place_of
from mocksandbox.sandbox.failure import failure_place

_log = logging.getLogger("mocksandbox")
_MOST_WAITING = 1000


def differences_of(attempt: Attempt) -> Sequence[str]:
    """How a request differs from its document, in words."""
    found = attempt.violations
    return [f"{place_of(violation, attempt.body)} {violation.problem}" for violation in found] if found else ()


class Later(Sequence[str]):
    """The differences of a request that came while openapi-core was still being loaded: worked out when that is done, or when
    somebody looks at them.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._attempt: Attempt | None = attempt
        self._found: Sequence[str] = ()

    def work_out(self) -> Sequence[str]:
        """The differences."""
        attempt = self._attempt
        if attempt is not None:
            self._found, self._attempt = differences_of(attempt), None
        return self._found

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self.work_out()[index]

    def __len__(self) -> int:
        return len(self.work_out())


@dataclass
class Differences:
    """The differences of one provider's requests. While `loading`, nobody is kept waiting for openapi-core, which takes longer
    to import than everything else together: those of the first requests are worked out right after.
    """

    loading: bool = False
    _waiting: list[Later] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def of(self, attempt: Attempt) -> Sequence[str]:
        """The differences of a request."""
        if self.loading:
            with self._lock:
                if self.loading and len(self._waiting) < _MOST_WAITING:
                    later = Later(attempt)
                    self._waiting.append(later)
                    return later
        return differences_of(attempt)

    def load(self, provider: Provider) -> None:
        """Load openapi-core, make its plans, and work out what waits for them."""
        try:
            for operation in provider.contract.operations:
                if provider.valid is not None:
                    _ = provider.valid(operation.id).violations
            _ = provider.contract.check
        except Exception as error:  # whoever asks next meets it again, and is answered in the API's own shape
            _log.error("the document of %s cannot be checked against: %s", provider.name, failure_place(error))
        finally:
            with self._lock:
                self.loading, waiting = False, self._waiting
                self._waiting = []
            for later in waiting:
                with suppress(Exception):  # its reader meets it again
                    later.work_out()
