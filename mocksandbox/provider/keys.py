"""The public keys that a file of clients gives to a client: as a JWKS, or as a PEM file with one key."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mocksandbox.contract import read
from mocksandbox.errors import ContractError

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

LEAST_BITS = 2048
SOURCES = frozenset({"keys", "jwks", "pem"})
"""The members of a client's entry that give keys: a JWKS, a JWKS file, a PEM file."""


def client_keys(entry: Mapping[str, Any], path: Path, at: str, algorithm: str) -> Mapping[str, RSAKey]:
    """The public keys of one client of a file, by their `kid`. `keys` is a JWKS; `jwks` names a JWKS file, `pem` a PEM file
    with one key whose `kid` stands beside it; both are sought beside the file. Of a private key only the public half is kept.

    Raises:
        ContractError: there is not exactly one of the three, or a key cannot be used with the algorithm.
    """
    if len(SOURCES & set(entry)) != 1:
        raise ContractError("must have one of `keys`, `jwks`, `pem` (with `kid`)", str(path), at)
    (source,) = SOURCES & set(entry)
    given, kid = entry[source], entry.get("kid")
    if source == "keys":
        return _key_set(given, str(path), f"{at}/keys", algorithm)
    if not isinstance(given, str):
        raise ContractError("must be the name of a file", str(path), f"{at}/{source}")
    named = path.parent / given
    if source == "jwks":
        return _key_set(read(named), str(named), "", algorithm)
    if not isinstance(kid, str) or not kid:
        raise ContractError("a PEM file does not say which `kid` its key has: add one", str(path), f"{at}/kid")
    try:
        return {kid: _usable(named.read_bytes(), str(named), "")}
    except OSError as error:
        raise ContractError(f"cannot be read: {error.strerror}", str(named)) from error


def _key_set(value: Any, path: str, at: str, algorithm: str) -> Mapping[str, RSAKey]:
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
        for name, only in (("kty", "RSA"), ("alg", algorithm)):
            if entry.get(name, algorithm) != only:
                problem = f"is {entry.get(name)!r}; only RSA keys for {algorithm} sign here"
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
