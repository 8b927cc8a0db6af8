"""Made-up requests for a test, from the project's seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from mocksandbox.errors import UsageError

if TYPE_CHECKING:
    from mocksandbox.generators import Payload

_VALID = frozenset({"style", "as_of", "seed"})
_BROKEN = frozenset({"rule", "sources", "as_of", "seed"})
"""What else can be asked of made-up requests, and of broken ones."""


class PayloadSource:
    """Valid requests, or broken ones, of a provider's operations. Each call goes on where the one before ended."""

    def __init__(self, provider: str, seed: int, *, broken: bool) -> None:
        self._provider, self._seed, self._broken = provider, seed, broken
        self._given: dict[tuple[str, str], Iterator[Payload]] = {}

    def __call__(self, reference: str = "", count: int = 1, **how: Any) -> list[Payload]:
        """The next requests of an operation (`nhs/createImmunization`; the main one when it is empty). `how` is what
        `mocksandbox.generators.payloads` and `broken_payloads` take: `style`, `rule`, `sources`, `as_of`, and `seed` in place
        of the project's. There are fewer broken ones when there are no more.

        Raises:
            UsageError: there is no such provider, operation, style, rule, source or argument.
        """
        known = _BROKEN if self._broken else _VALID
        for name in how.keys() - known:
            raise UsageError(f"{'broken_payloads' if self._broken else 'payloads'} has no argument {name!r}.", name, known)
        key = (reference or self._provider, repr(sorted(how.items())))
        if key not in self._given:
            self._given[key] = self._all(key[0], how)
        return list(islice(self._given[key], count))

    def body(self, reference: str = "", **how: Any) -> Any:
        """The JSON body of the next one, of plain numbers: every client can write it."""
        return json.loads(self(reference, 1, **how)[0].request.body)

    def _all(self, reference: str, how: dict[str, Any]) -> Iterator[Payload]:
        from mocksandbox.generators import broken_payloads, payloads

        make: Callable[..., Iterator[Payload]] = broken_payloads if self._broken else payloads
        return make(reference, None, **{"seed": self._seed, **how})
