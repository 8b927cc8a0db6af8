"""Who calls: suppliers by name and what each may do, clients by API key with their public keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mocksandbox.contract import read_mapping
from mocksandbox.contract.document import pointer_to
from mocksandbox.errors import ContractError, UsageError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import AuthOptions, Authority
from mocksandbox.provider.keys import SOURCES, client_keys
from mocksandbox.providers.nhs.diseases import vaccine_types
from mocksandbox.providers.nhs.fields import FOLDER
from mocksandbox.rules.attempt import Caller, Refusal

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

MODES = ("off", "token")
SUPPLIER_HEADER = "SupplierSystem"
ALGORITHM = "RS512"
"""The one algorithm that the NHS takes for a client's signature."""

_SHORT = "supplier:"
_LETTERS = frozenset("CRUDS")
_ANYBODY = Caller()


@dataclass(frozen=True)
class Client:
    """One application: its supplier's name and its public keys by `kid`."""

    supplier: str
    keys: Mapping[str, RSAKey] = field(repr=False)


def read_suppliers(path: Path) -> Mapping[str, Caller]:
    """The suppliers of a file in the notation of contracts/nhs/suppliers.yaml.

    Raises:
        ContractError: an entry is not TYPE.LETTERS, or names a vaccine type that does not exist.
    """
    table = read_mapping(path).get("suppliers")
    if not isinstance(table, Mapping):
        raise ContractError("needs an object `suppliers`", str(path), "/suppliers")
    return {str(name): Caller(str(name), _rights(rights, str(path), str(name))) for name, rights in table.items()}


def _rights(rights: object, path: str, supplier: str) -> frozenset[str]:
    if not isinstance(rights, list):
        problem = "must be a list of TYPE.LETTERS, [] for no rights"
        raise ContractError(problem, path, pointer_to("suppliers", supplier))
    granted = set()
    for right in rights:
        kind, _, letters = str(right).rpartition(".")
        kinds = sorted(vaccine_types().values()) if kind == "*" else [kind]
        if not letters or not set(letters) <= _LETTERS or not set(kinds) <= set(vaccine_types().values()):
            problem = f"{right!r} is not TYPE.LETTERS with a known vaccine type (or *) and letters of CRUDS"
            raise ContractError(problem, path, pointer_to("suppliers", supplier))
        granted |= {f"{name}.{letter}" for name in kinds for letter in letters}
    return frozenset(granted)


def read_clients(path: Path, suppliers: Mapping[str, Caller]) -> Mapping[str, Client]:
    """The clients of a YAML or JSON file, by API key: `clients: {API_KEY: {supplier: NAME, keys: JWKS}}`. In place of `keys`,
    `jwks` names a JWKS file, or `pem` a PEM file with one key whose `kid` stands beside it; both are sought beside the file.
    Of a private key only the public half is kept.

    Raises:
        ContractError: an entry is not of that form, its supplier is unknown, or a key cannot be used.
    """
    table = read_mapping(path).get("clients")
    if not isinstance(table, dict):
        raise ContractError("needs an object `clients`", str(path), "/clients")
    return {str(key): _client(entry, path, pointer_to("clients", key), suppliers) for key, entry in table.items()}


def _client(entry: Any, path: Path, at: str, suppliers: Mapping[str, Caller]) -> Client:
    if not isinstance(entry, dict) or set(entry) - SOURCES - {"supplier", "kid"} or len(SOURCES & set(entry)) != 1:
        raise ContractError("must have `supplier` and one of `keys`, `jwks`, `pem` (with `kid`)", str(path), at)
    supplier = str(entry.get("supplier"))
    if supplier not in suppliers:
        problem = f"{supplier} is not a supplier; known: {', '.join(sorted(suppliers))}"
        raise ContractError(problem, str(path), f"{at}/supplier")
    return Client(supplier, client_keys(entry, path, at, ALGORITHM))


@dataclass(frozen=True)
class OpenDoor(Authority):
    """Everybody is let in. Who names a supplier (header `SupplierSystem`, or `Authorization: Bearer supplier:NAME`) has that
    supplier's rights, and none when the name is unknown; who names nobody has all rights.
    """

    suppliers: Mapping[str, Caller]

    def identify(self, request: Request, now: datetime, tenant: str = "") -> tuple[Caller, Refusal | None]:
        """Who asks."""
        return self.supplier(request.headers.tell(_supplier_in)), None

    def supplier(self, name: str | None) -> Caller:
        """The rights of a name."""
        if name is None:
            return _ANYBODY
        return self.suppliers.get(name) or Caller(name, frozenset())

    def routes(self) -> Mapping[tuple[str, str], Callable[[Request, datetime], Response]]:
        """No routes of its own."""
        return {}


def _supplier_in(headers: Headers) -> str | None:
    name = named_supplier(headers)
    return headers.get(SUPPLIER_HEADER) if name is None else name


def named_supplier(headers: Headers) -> str | None:
    """The supplier that a request's headers name in the short form of a token, `supplier:NAME` or `supplier:NAME@TENANT`."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.startswith(_SHORT):
        return token.removeprefix(_SHORT).partition("@")[0]
    return None


def authority(options: AuthOptions) -> Authority:
    """The authority for these options; of `files`, `suppliers` replaces the provider's own and `clients` names the clients.

    Raises:
        UsageError: there is no such mode.
        ContractError: a file cannot be used.
    """
    if options.mode not in MODES:
        raise UsageError(f"No mode of authorisation {options.mode!r}.", options.mode, MODES)
    suppliers = read_suppliers(options.files.get("suppliers", FOLDER / "suppliers.yaml"))
    if options.mode == "off":
        return OpenDoor(suppliers)
    from mocksandbox.provider.tokens import kept_access, kept_ids
    from mocksandbox.providers.nhs.tokens import TokenDoor  # here, so that mode off does not load the cryptography

    path = options.files.get("clients")
    clients = read_clients(path, suppliers) if path else {}
    return TokenDoor(suppliers, clients, kept_access(options), kept_ids(options))
