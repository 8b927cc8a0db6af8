"""Who calls: suppliers by name, and what each may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mocksandbox.contract import read_mapping
from mocksandbox.errors import ContractError
from mocksandbox.exchange import Request, Response
from mocksandbox.provider import AuthOptions
from mocksandbox.providers.nhs.diseases import vaccine_types
from mocksandbox.providers.nhs.fields import FOLDER
from mocksandbox.rules.attempt import Caller, Refusal

SUPPLIER_HEADER = "SupplierSystem"
_SHORT = "supplier:"
_LETTERS = frozenset("CRUDS")
_ANYBODY = Caller()


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
    granted = set()
    for right in rights if isinstance(rights, list) else ():
        kind, _, letters = str(right).rpartition(".")
        kinds = sorted(vaccine_types().values()) if kind == "*" else [kind]
        if not letters or not set(letters) <= _LETTERS or not set(kinds) <= set(vaccine_types().values()):
            problem = f"{right!r} is not TYPE.LETTERS with a known vaccine type (or *) and letters of CRUDS"
            raise ContractError(problem, path, f"/suppliers/{supplier}")
        granted |= {f"{name}.{letter}" for name in kinds for letter in letters}
    return frozenset(granted)


@dataclass(frozen=True)
class OpenDoor:
    """Everybody is let in. Who names a supplier (header `SupplierSystem`, or `Authorization: Bearer supplier:NAME`) has that
    supplier's rights, and none when the name is unknown; who names nobody has all rights.
    """

    suppliers: Mapping[str, Caller]

    def identify(self, request: Request, now: datetime) -> tuple[Caller, Refusal | None]:
        """Who asks."""
        return self.supplier(named_supplier(request)), None

    def supplier(self, name: str | None) -> Caller:
        """The rights of a name."""
        if name is None:
            return _ANYBODY
        return self.suppliers.get(name) or Caller(name, frozenset())

    def routes(self) -> Mapping[tuple[str, str], Callable[[Request, datetime], Response]]:
        """No routes of its own."""
        return {}


def named_supplier(request: Request) -> str | None:
    """The supplier that a request names in short form; the token's name wins over the header's."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.startswith(_SHORT):
        return token.removeprefix(_SHORT)
    return request.headers.get(SUPPLIER_HEADER)


def authority(options: AuthOptions) -> OpenDoor:
    """The authority for these options."""
    return OpenDoor(read_suppliers(options.files.get("suppliers", FOLDER / "suppliers.yaml")))
