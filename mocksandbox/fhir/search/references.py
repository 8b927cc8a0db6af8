"""References, as searches compare them (FHIR R4, Search: reference)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mocksandbox.fhir.search.parameters import Reach

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_LOCAL = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?", re.ASCII)
_ABSOLUTE = re.compile(r"(https?://|urn:)[^\s|]+", re.ASCII)


@dataclass(frozen=True)
class Target:
    """What a reference leads to: a type and an id on this server, or a URL elsewhere. `type` is empty for an id alone."""

    type: str = ""
    id: str = ""
    url: str = ""


def parse_reference(text: str, base_url: str = "") -> Target | None:
    """The target of `id`, `Type/id` or a URL; None for anything else. A version at the end does not count."""
    if _ID.fullmatch(text):
        return Target(id=text)
    return target_of(text, base_url)


def target_of(reference: str, base_url: str) -> Target | None:
    """The target of a stored reference: None for one to a contained resource, and for what is no reference."""
    if base_url and reference.startswith(f"{base_url}/"):
        reference = reference[len(base_url) + 1 :]
    local = _LOCAL.fullmatch(reference)
    if local:
        return Target(local[1], local[2])
    return Target(url=reference) if _ABSOLUTE.fullmatch(reference) else None


@dataclass(frozen=True)
class Leading:
    """Where references are to lead, any of which will do. An id alone, in `ids`, may be of any of the `types`."""

    local: frozenset[tuple[str, str]]
    ids: frozenset[str]
    urls: frozenset[str]
    types: tuple[str, ...]

    @classmethod
    def to(cls, targets: Sequence[Target], types: tuple[str, ...]) -> Leading:
        """Those that lead to one of the targets."""
        return cls(
            frozenset((each.type, each.id) for each in targets if each.type),
            frozenset(each.id for each in targets if not each.type and not each.url),
            frozenset(each.url for each in targets if each.url),
            types,
        )

    def has(self, value: Any, reach: Reach) -> bool:
        """Whether a Reference leads there."""
        reference = value.get("reference") if isinstance(value, dict) else None
        have = target_of(reference, reach.base_url) if isinstance(reference, str) else None
        if have is None:
            return False
        if have.url:
            return have.url in self.urls
        return (have.type, have.id) in self.local or (have.id in self.ids and have.type in self.types)


def resolve(value: Any, holder: Any, reach: Reach) -> Iterator[tuple[str, Any]]:
    """The resources that a Reference leads to, with their types: one that is held here, or one that the holder contains."""
    reference = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(reference, str):
        return
    if reference.startswith("#"):
        contained = holder.get("contained") if isinstance(holder, dict) else None
        for resource in contained if isinstance(contained, list) else ():
            if isinstance(resource, dict) and resource.get("id") == reference[1:]:
                yield str(resource.get("resourceType")), resource
        return
    target = target_of(reference, reach.base_url)
    found = reach.find(target.type, target.id) if target and target.type else None
    if found is not None and target is not None:
        yield target.type, found
