"""The reference: the provider's own mock in process, which says how each request has to be answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from mocksandbox.exchange import Request, Response
from mocksandbox.journal import Journal
from mocksandbox.provider import Provider
from mocksandbox.rules import Finding
from mocksandbox.sandbox import Clock, Sandbox

AHEAD = timedelta(hours=7, minutes=11, seconds=13, microseconds=171_717)
"""How much a second reference's clock is ahead, so that no moment in its answers is one in the first's."""


@dataclass(frozen=True)
class Right:
    """The right answer to a request, and why a request is refused."""

    response: Response
    findings: Sequence[Finding] = ()


class Reference:
    """A mock of one profile of a provider that gets the same requests as the target."""

    def __init__(self, provider: Provider, ahead: timedelta = timedelta()) -> None:
        """A new one, with nothing in it but the documented records, whose clock is ahead by so much. The provider's default
        profile is what is asked.
        """
        self.provider = provider
        # A profile that does not enforce the document journals where a request differs from it: nobody reads that here.
        name = provider.default_profile
        quick = {name: replace(provider.profiles[name], enforces_document=True)}
        provider = replace(provider, profiles={**provider.profiles, **quick})
        self.base_url = str(provider.contract.document["servers"][0]["url"])
        self._sandbox = Sandbox(provider, name, journal=Journal(most_entries=1), clock=Clock(ahead))

    def answer(self, request: Request) -> Right:
        """The right answer."""
        response = self._sandbox.handle(replace(request, base_url=self.base_url))
        entry = self._sandbox.journal.last()
        return Right(response, tuple(entry.findings) if entry is not None else ())

    def version(self, id: str) -> int:
        """The newest version of the record under an id, 0 when there is none."""
        assert self._sandbox.store is not None
        return max((record.version for record in self._sandbox.store.partition().named(id)), default=0)


def as_profile(provider: Provider, profile: str) -> Provider:
    """The provider whose default profile is the named one: what the generators label by.

    Raises:
        UsageError: there is no such profile.
    """
    return replace(provider, default_profile=provider.profile(profile or None).name)
