"""Who calls: a key in the header x-api-key, and what is the matter with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mocksandbox.contract import read_mapping
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Request, Response
from mocksandbox.provider import AuthOptions, Authority
from mocksandbox.providers.clinikapi.account import Allowance, Holder, Rate, Windows, WindowsTogether
from mocksandbox.providers.clinikapi.keys import KEY_FORM, Key, KeyFile, read_keys
from mocksandbox.providers.clinikapi.promise import FOLDER
from mocksandbox.rules.attempt import Refusal

MODES = ("off", "token")
KEY_HEADER = "x-api-key"


@dataclass(frozen=True)
class KeyDoor(Authority):
    """Knows callers by their keys. Where no key is `needed`, a request without one is let in with all scopes, and so is a
    well-formed key that is in no file; a key that could never work is refused all the same.
    """

    file: KeyFile
    needed: bool
    windows: Windows = field(default_factory=Windows)

    def identify(self, request: Request, now: datetime, tenant: str = "") -> tuple[Holder, Refusal | None]:
        """Who asks, and what is wrong with the key. A request that is let in is counted."""
        text = request.headers.get(KEY_HEADER)
        anybody = Holder(organization=self.file.organization, lag=self.file.lag)
        if text is None:
            return (anybody, Refusal("no-key")) if self.needed else self._counted(tenant, anybody, self.file.rate, now)
        if not KEY_FORM.fullmatch(text):
            return anybody, None  # a rule refuses it
        key = self.file.keys.get(text)
        if key is None:
            return (anybody, Refusal("unknown-key")) if self.needed else self._counted(tenant, anybody, self.file.rate, now)
        if (refusal := _ended(key, now)) is not None:
            return anybody, refusal
        holder = Holder(text, key.scopes, key.organization, lag=self.file.lag)
        return self._counted(tenant, holder, key.rate, now)

    def _counted(self, tenant: str, holder: Holder, rate: Rate | None, now: datetime) -> tuple[Holder, Refusal | None]:
        """The caller with what is left of its requests for a tenant. Callers without a known key share one window."""
        if rate is None:
            return holder, None
        allowance, too_many = self.windows.count(tenant, holder.name or "", rate, now)
        values = {"requests": allowance.total, "reset": allowance.reset}
        return _with(holder, allowance), Refusal("too-many-requests", values) if too_many else None

    def routes(self) -> Mapping[tuple[str, str], Callable[[Request, datetime], Response]]:
        """No routes of its own: keys are made in a dashboard."""
        return {}

    def forget(self, tenant: str | None) -> None:
        """All windows of a tenant, or of all, begin again."""
        self.windows.forget(tenant)


def _with(holder: Holder, allowance: Allowance) -> Holder:
    return Holder(holder.name, holder.rights, holder.organization, allowance, holder.lag)


def _ended(key: Key, now: datetime) -> Refusal | None:
    if key.revoked:
        return Refusal("revoked-key")
    return Refusal("expired-key") if key.expires is not None and now >= key.expires else None


def authority(options: AuthOptions) -> Authority:
    """The authority for these options; of `files`, `clients` names a file of keys in place of the provider's own.

    Raises:
        UsageError: there is no such mode.
        ContractError: the file cannot be used.
    """
    if options.mode not in MODES:
        raise UsageError(f"No mode of authorisation {options.mode!r}.", options.mode, MODES)
    named, own = options.files.get("clients"), FOLDER / "keys.yaml"
    # When several APIs are served, the file may be of another one's clients alone.
    others = named is not None and "clients" in (table := read_mapping(named)) and "keys" not in table
    windows = WindowsTogether(options.shelf("rates")) if options.shelf else Windows()
    return KeyDoor(read_keys(own if named is None or others else named), options.mode == "token", windows)
