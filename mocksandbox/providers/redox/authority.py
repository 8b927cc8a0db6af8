"""Who calls: clients by their id, the destinations that each may send to, and their public keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mocksandbox.contract import read_mapping
from mocksandbox.contract.document import pointer_to
from mocksandbox.errors import ContractError, UsageError
from mocksandbox.exchange import Request, Response
from mocksandbox.provider import AuthOptions, Authority
from mocksandbox.provider.keys import SOURCES, client_keys
from mocksandbox.providers.redox.destinations import destinations
from mocksandbox.rules.attempt import Caller, Refusal

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

MODES = ("off", "token")
ALGORITHM = "RS384"
"""The algorithm of a client's signature: what every public client of Redox signs with."""

_ANYBODY = Caller()


@dataclass(frozen=True)
class Client:
    """One OAuth API key: who it is, with the destinations that it may send to, and its public keys by `kid`."""

    caller: Caller
    keys: Mapping[str, RSAKey] = field(repr=False)


def read_clients(path: Path) -> Mapping[str, Client]:
    """The clients of a YAML or JSON file, by client id: `clients: {CLIENT_ID: {destinations?: [SLUG], keys: JWKS}}`. In place
    of `keys`, `jwks` names a JWKS file, or `pem` a PEM file with one key whose `kid` stands beside it. Without `destinations`
    a client may send to all.

    Raises:
        ContractError: an entry is not of that form, a destination is unknown, or a key cannot be used.
    """
    table = read_mapping(path).get("clients")
    if not isinstance(table, dict):
        raise ContractError("needs an object `clients`", str(path), "/clients")
    return {str(id): _client(str(id), entry, path, pointer_to("clients", id)) for id, entry in table.items()}


def _client(id: str, entry: Any, path: Path, at: str) -> Client:
    if not isinstance(entry, dict) or set(entry) - SOURCES - {"destinations", "kid"}:
        raise ContractError("must have one of `keys`, `jwks`, `pem` (with `kid`), and may have `destinations`", str(path), at)
    return Client(Caller(id, _rights(entry.get("destinations"), str(path), at)), client_keys(entry, path, at, ALGORITHM))


def _rights(named: Any, path: str, at: str) -> frozenset[str] | None:
    if named is None:
        return None
    if not isinstance(named, list):
        raise ContractError("must be a list of destinations, [] for none", path, f"{at}/destinations")
    for name in named:
        if name not in destinations():
            known = ", ".join(sorted({each.slug for each in destinations().values()}))
            raise ContractError(f"{name!r} is not a destination; known: {known}", path, f"{at}/destinations")
    return frozenset(destinations()[name].slug for name in named)


@dataclass(frozen=True)
class OpenDoor(Authority):
    """Everybody is let in and may send to every destination, with any token or none."""

    def identify(self, request: Request, now: datetime, tenant: str = "") -> tuple[Caller, Refusal | None]:
        """Anybody."""
        return _ANYBODY, None

    def routes(self) -> Mapping[tuple[str, str], Callable[[Request, datetime], Response]]:
        """No routes of its own."""
        return {}


def authority(options: AuthOptions) -> Authority:
    """The authority for these options; of `files`, `clients` names the clients.

    Raises:
        UsageError: there is no such mode.
        ContractError: a file cannot be used.
    """
    if options.mode not in MODES:
        raise UsageError(f"No mode of authorisation {options.mode!r}.", options.mode, MODES)
    if options.mode == "off":
        return OpenDoor()
    from mocksandbox.provider.tokens import kept_access, kept_ids
    from mocksandbox.providers.redox.tokens import TokenDoor  # here, so that mode off does not load the cryptography

    path = options.files.get("clients")
    return TokenDoor(read_clients(path) if path else {}, kept_access(options), kept_ids(options))
