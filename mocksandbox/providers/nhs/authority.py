"""Who calls: suppliers by name and what each may do, clients by API key with their public keys."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mocksandbox.contract import read, read_mapping
from mocksandbox.contract.document import pointer_to
from mocksandbox.errors import ContractError, UsageError
from mocksandbox.exchange import Request, Response
from mocksandbox.provider import AuthOptions, Authority
from mocksandbox.providers.nhs.diseases import vaccine_types
from mocksandbox.providers.nhs.fields import FOLDER
from mocksandbox.rules.attempt import Caller, Refusal

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

MODES = ("off", "token")
SUPPLIER_HEADER = "SupplierSystem"
ALGORITHM = "RS512"
"""The one algorithm that the NHS takes for a client's signature."""

LEAST_BITS = 2048
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
    sources = {"keys", "jwks", "pem"}
    if not isinstance(entry, dict) or set(entry) - sources - {"supplier", "kid"} or len(sources & set(entry)) != 1:
        raise ContractError("must have `supplier` and one of `keys`, `jwks`, `pem` (with `kid`)", str(path), at)
    (source,) = sources & set(entry)
    given, supplier, kid = entry[source], str(entry.get("supplier")), entry.get("kid")
    if supplier not in suppliers:
        problem = f"{supplier} is not a supplier; known: {', '.join(sorted(suppliers))}"
        raise ContractError(problem, str(path), f"{at}/supplier")
    if source == "keys":
        return Client(supplier, _key_set(given, str(path), f"{at}/keys"))
    if not isinstance(given, str):
        raise ContractError("must be the name of a file", str(path), f"{at}/{source}")
    named = path.parent / given
    if source == "jwks":
        return Client(supplier, _key_set(read(named), str(named), ""))
    if not isinstance(kid, str) or not kid:
        raise ContractError("a PEM file does not say which `kid` its key has: add one", str(path), f"{at}/kid")
    try:
        return Client(supplier, {kid: _usable(named.read_bytes(), str(named), "")})
    except OSError as error:
        raise ContractError(f"cannot be read: {error.strerror}", str(named)) from error


def _key_set(value: Any, path: str, at: str) -> Mapping[str, RSAKey]:
    entries = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise ContractError("is not a JWKS: it needs an array `keys`", path, f"{at}/keys")
    keys: dict[str, RSAKey] = {}
    for number, entry in enumerate(entries):
        place = f"{at}/keys/{number}"
        if not isinstance(entry, dict):
            raise ContractError("is not a JWK: it must be an object", path, place)
        if entry.get("use") == "enc":
            continue
        kid = entry.get("kid")
        if not isinstance(kid, str) or not kid or kid in keys:
            raise ContractError("must be a name that no other key has", path, f"{place}/kid")
        for name, only in (("kty", "RSA"), ("alg", ALGORITHM)):
            if entry.get(name, ALGORITHM) != only:
                problem = f"is {entry.get(name)!r}; only RSA keys for {ALGORITHM} sign here"
                raise ContractError(problem, path, f"{place}/{name}")
        # Without the rest: a private half is not needed, and key_ops may not name what is done with the key here.
        keys[kid] = _usable({name: entry.get(name) for name in ("kty", "n", "e")}, path, place)
    if not keys:
        raise ContractError("has no key that signs", path, f"{at}/keys")
    return keys


def _usable(key: Any, path: str, at: str) -> RSAKey:
    """The public RSA key in a JWK or in the bytes of a PEM file."""
    from joserfc.jwk import RSAKey  # here, so that whoever needs no tokens does not load the cryptography

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library warns of short keys; below they are refused
            public = RSAKey.import_key(RSAKey.import_key(key).as_dict(private=False))
            bits = public.raw_value.key_size
    except Exception as error:  # the libraries below have errors of many kinds for what is not a key
        raise ContractError(f"is not an RSA key that can be read: {error or type(error).__name__}", path, at) from error
    if bits < LEAST_BITS:
        raise ContractError(f"is an RSA key of {bits} bits; make one of {LEAST_BITS} or more", path, at)
    return public


@dataclass(frozen=True)
class OpenDoor:
    """Everybody is let in. Who names a supplier (header `SupplierSystem`, or `Authorization: Bearer supplier:NAME`) has that
    supplier's rights, and none when the name is unknown; who names nobody has all rights.
    """

    suppliers: Mapping[str, Caller]

    def identify(self, request: Request, now: datetime) -> tuple[Caller, Refusal | None]:
        """Who asks."""
        name = named_supplier(request)
        if name is None:
            name = request.headers.get(SUPPLIER_HEADER)
        return self.supplier(name), None

    def supplier(self, name: str | None) -> Caller:
        """The rights of a name."""
        if name is None:
            return _ANYBODY
        return self.suppliers.get(name) or Caller(name, frozenset())

    def routes(self) -> Mapping[tuple[str, str], Callable[[Request, datetime], Response]]:
        """No routes of its own."""
        return {}


def named_supplier(request: Request) -> str | None:
    """The supplier that a request names in the short form of a token, `supplier:NAME` or `supplier:NAME@TENANT`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
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
    from mocksandbox.providers.nhs.tokens import TokenDoor  # here, so that mode off does not load the cryptography

    path = options.files.get("clients")
    return TokenDoor(suppliers, read_clients(path, suppliers) if path else {})
