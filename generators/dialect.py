"""One vaccination in several dialects: the same patient and the same dose, as each API wants to be told of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from mocksandbox.generators.build import split_reference, templates
from mocksandbox.generators.days import AS_OF
from mocksandbox.generators.draw import seeded
from mocksandbox.generators.payload import Payload
from mocksandbox.generators.samples import Made
from mocksandbox.generators.scene import scene


def dialects(
    references: Sequence[str], count: int | None = 1, seed: int = 0, *, vaccine: str | None = None, as_of: date = AS_OF
) -> Iterator[Payload]:
    """For each seed one valid request to each of several operations (`nhs`, `redox`, `clinikapi`, `evaluation`), all about the
    same patient and vaccination; without end when the count is None. With `vaccine`, of that type.

    Raises:
        UsageError: there is no such provider or operation.
    """
    chosen = [templates(provider.name, operation)[0] for provider, operation in map(split_reference, references)]
    last = None if count is None else seed + count
    while last is None or seed < last:
        values = scene(seeded(seed), as_of, vaccine=vaccine)
        for template in chosen:
            yield Made(template, values, ()).payload(seed)
        seed += 1
