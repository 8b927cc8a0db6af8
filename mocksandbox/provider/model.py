"""What a provider is: one API, opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mocksandbox.contract import Contract
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Exchange, Request, Response
from mocksandbox.provider.scenario import Scenario
from mocksandbox.rules import Catalogue, Finding
from mocksandbox.rules.attempt import Attempt, Caller, Record, Refusal
from mocksandbox.rules.fields import Field
from mocksandbox.store import Partition, Shelf

MAX_BODY = Attempt.max_body
"""The most bytes of a body that are read where an API does not say: what the NHS service's platform takes."""

Effect = Callable[[Attempt, Partition], Response]
"""What an operation does when nothing is wrong: (attempt, the tenant's records) -> the answer."""

Refuse = Callable[[Attempt, Sequence[Finding], str, bool], Response]
"""How an API says no: (attempt, findings, profile, one issue for each finding?) -> the answer."""


@dataclass(frozen=True)
class Profile:
    """One way in which a provider behaves. `remembers` is false for a sandbox that forgets each request; `enforces_document`
    says whether requests that differ from the published document are refused (they are journalled otherwise).
    """

    name: str
    says: str
    remembers: bool = True
    enforces_document: bool = False


class Authority(Protocol):
    """Who knows the callers of an API."""

    def identify(self, request: Request, now: datetime, tenant: str = "") -> tuple[Caller, Refusal | None]:
        """Who asks, and why they are not let in, if they are not; the tenant is the one whose records it is about."""
        ...

    def routes(self) -> Mapping[tuple[str, str], Callable[[Request, datetime], Response]]:
        """The authority's own routes, by method and absolute path (a token endpoint, for example)."""
        ...

    def forget(self, tenant: str | None) -> None:
        """Start afresh with a tenant, or with all (None): what was counted. Tokens that were given out stay good."""
        return None  # most count nothing


@dataclass(frozen=True)
class AuthOptions:
    """How callers are told apart: `off` lets everybody in; `token` asks for a token. `files` name keys and suppliers that
    replace the provider's own, by the provider's names for them. `shelf` gives what all processes of a server keep together,
    by name; None when there is one process, which keeps it to itself.
    """

    mode: str = "off"
    files: Mapping[str, Path] = field(default_factory=dict)
    shelf: Callable[[str], Shelf] | None = None

    def of(self, provider: str) -> AuthOptions:
        """The options of one provider: of files that are named for a provider (`redox:clients`), only its own."""
        own = {name.rpartition(":")[2]: path for name, path in self.files.items() if name.startswith(f"{provider}:")}
        for_all = {name: path for name, path in self.files.items() if ":" not in name}
        shelf = self.shelf
        return AuthOptions(self.mode, {**for_all, **own}, (lambda name: shelf(f"{provider}/{name}")) if shelf else None)


@dataclass(frozen=True)
class People:
    """How an API's made-up people are told from real ones. `numbers` gives the numbers of people that a request names, each
    with its place, and never raises; `allows` says whether a number is a made-up person's; `says` names those for people.
    """

    numbers: Callable[[Attempt], Iterable[tuple[str, str]]]
    allows: Callable[[str], bool]
    says: str


@dataclass(frozen=True)
class Told:
    """What a refusal says: the code of its issue, the API's own error code, the places that it names, its words. Empty where
    it says nothing of the kind.
    """

    issue: str = ""
    error: str = ""
    places: frozenset[str] = frozenset()
    text: str = ""


@dataclass(frozen=True)
class Provider:
    """One API, opened: its contract, its rules, what its operations do and how it refuses.

    `valid` gives one request for each operation that breaks no rule in a new sandbox; `templates` several of different shape,
    the first of them `valid`'s own, for generators; `fields` says where values stand in them. `about` makes a request be about
    another record: (attempt, id, version). `max_body` is the most bytes of a body that the API reads. `main` is the id of the
    operation that the API is for, `""` for the first that sends JSON. `told` reads a refusal, and gives None for what is none
    of this API's.
    """

    name: str
    title: str
    base_path: str
    contract: Contract
    catalogue: Catalogue[Attempt]
    responses: Catalogue[Exchange]
    effects: Mapping[str, Effect]
    refuse: Refuse
    profiles: Mapping[str, Profile]
    default_profile: str
    scenarios: tuple[Scenario, ...] = ()
    seeds: Callable[[], Iterable[Record]] = tuple
    stateful: frozenset[str] = frozenset()
    authority: Callable[[AuthOptions], Authority] | None = None
    valid: Callable[[str], Attempt] | None = None
    specials: Mapping[tuple[str, str], Callable[[Request], Response]] = field(default_factory=dict)
    media_type: str = "application/json"
    max_body: int = MAX_BODY
    people: People | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    templates: Callable[[str], Sequence[Attempt]] | None = None
    about: Callable[[Attempt, str, int], Attempt] | None = None
    told: Callable[[Response], Told | None] | None = None
    main: str = ""

    def profile(self, name: str | None) -> Profile:
        """A profile by name, the default one when none is named.

        Raises:
            UsageError: there is none of that name.
        """
        chosen = name or self.default_profile
        if chosen not in self.profiles:
            raise UsageError(f"{self.name} has no profile {chosen!r}.", chosen, self.profiles)
        return self.profiles[chosen]
