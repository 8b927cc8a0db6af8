"""The keys that a file knows, and the knobs of the account behind them (contracts/clinikapi/keys.yaml)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.contract.document import pointer_to
from mocksandbox.errors import ContractError
from mocksandbox.providers.clinikapi.account import ORGANIZATION, SCOPES, Rate

KEY_FORM = re.compile(r"clk_(live|test)_[A-Za-z0-9_-]+")
"""The form of a key. `clk_live_*` and `clk_test_*` are documented; which characters `*` stands for is chosen."""


@dataclass(frozen=True)
class Key:
    """One key: whose it is, what it may do, and whether it still may."""

    organization: str
    scopes: frozenset[str]
    revoked: bool = False
    expires: datetime | None = None
    rate: Rate | None = None


@dataclass(frozen=True)
class KeyFile:
    """What a file of keys says: the keys by their text, and what counts for everybody else."""

    keys: Mapping[str, Key] = field(repr=False)
    organization: str = ORGANIZATION
    rate: Rate | None = None
    lag: float = 0.0


def read_keys(path: Path) -> KeyFile:
    """The keys of a file. It may be another API's file of `clients` too, which is none of this one's business.

    Raises:
        ContractError: the file is damaged, or an entry is not what the file's own comments say.
    """
    place = str(path)
    table = read_mapping(path)
    _known(table, {"organization", "rateLimit", "searchLag", "keys", "clients"}, place, "")
    lag = table.get("searchLag", 0)
    if isinstance(lag, bool) or not isinstance(lag, (int, float)) or not 0 <= lag <= 3600:
        raise ContractError("must be a number of seconds from 0 to 3600", place, "/searchLag")
    organization = _organization(table, ORGANIZATION, place, "")
    rate = _rate(table.get("rateLimit"), place, "/rateLimit")
    entries = {} if table.get("keys") is None else table["keys"]
    if not isinstance(entries, dict):
        raise ContractError("must be an object: key -> {organization, scopes}", place, "/keys")
    keys = {str(text): _key(str(text), entry, organization, rate, place) for text, entry in entries.items()}
    return KeyFile(keys, organization, rate, float(lag))


def _known(table: Mapping[str, Any], names: set[str], path: str, at: str) -> None:
    for name in table:
        if name not in names:
            raise ContractError(f"is not one of {', '.join(sorted(names))}", path, f"{at}{pointer_to(name)}")


def _organization(table: Mapping[str, Any], otherwise: str, path: str, at: str) -> str:
    name = table.get("organization", otherwise)
    if not isinstance(name, str) or not name:
        raise ContractError("must be the name of an organisation", path, f"{at}/organization")
    return name


def _key(text: str, entry: Any, organization: str, rate: Rate | None, path: str) -> Key:
    at = pointer_to("keys", text)
    if not KEY_FORM.fullmatch(text):
        raise ContractError("is not of the form clk_live_* or clk_test_*", path, at)
    if not isinstance(entry, dict):
        raise ContractError("must be an object with `scopes`", path, at)
    _known(entry, {"organization", "scopes", "revoked", "expires", "rateLimit"}, path, at)
    scopes = entry.get("scopes")
    if not isinstance(scopes, list) or not all(isinstance(scope, str) and scope in SCOPES for scope in scopes):
        raise ContractError(f"must be a list of {', '.join(sorted(SCOPES))}; [] for none", path, f"{at}/scopes")
    revoked = entry.get("revoked", False)
    if not isinstance(revoked, bool):
        raise ContractError("must be true or false", path, f"{at}/revoked")
    return Key(
        organization=_organization(entry, organization, path, at),
        scopes=frozenset(scopes),
        revoked=revoked,
        expires=_moment(entry.get("expires"), path, f"{at}/expires"),
        rate=_rate(entry["rateLimit"], path, f"{at}/rateLimit") if "rateLimit" in entry else rate,
    )


def _moment(value: Any, path: str, at: str) -> datetime | None:
    # Unquoted, YAML reads a time as one; in JSON and in quotes it is a text.
    read: Callable[[Any], Any] = datetime.fromisoformat if isinstance(value, str) else lambda moment: moment
    try:
        moment = read(value)
    except ValueError:
        moment = False
    if moment is not None and not isinstance(moment, datetime):
        raise ContractError("must be a time such as 2026-01-01T00:00:00Z", path, at)
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _rate(value: Any, path: str, at: str) -> Rate | None:
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"requests", "seconds"}:
        raise ContractError("must be {requests: N, seconds: N}, or null for no limit", path, at)
    for name, number in value.items():
        if type(number) is not int or not 1 <= number <= 10**9:
            raise ContractError("must be a whole number from 1", path, f"{at}/{name}")
    return Rate(value["requests"], value["seconds"])
