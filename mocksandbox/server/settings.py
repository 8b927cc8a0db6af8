"""How a server is set up. Plain values, so that a worker process can be given them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mocksandbox.store import MEMORY
from mocksandbox.store.room import MOST_RECORDS, MOST_TENANTS


@dataclass(frozen=True)
class Settings:
    """What is served, and how.

    `providers` are names or contract folders; `profile` None means each provider's default. `auth_files` name files for the
    provider's authority (`suppliers`, `clients`). `strict` checks every answer against the document. `trust_proxy` believes
    `X-Forwarded-*` headers. `max_body` is in bytes, None for what each API reads; the journal keeps so many entries and bytes
    of bodies. `seed` makes what faults draw by chance repeatable; `wire` says that the server holds its clients' connections,
    so that faults can cut them; `only_synthetic` refuses requests that may name a real person. `store` is `memory` or the URL
    of a store that several processes share; it may hold a password. `loopback` says that only this machine is to reach the
    server; `body_timeout` is how many seconds a body may take to come.

    `max_records` and `max_tenants` are the most that the store in memory holds, all providers together.
    """

    providers: tuple[str, ...] = ("nhs",)
    profile: str | None = None
    auth: str = "off"
    auth_files: Mapping[str, Path] = field(default_factory=dict)
    strict: bool = False
    trust_proxy: bool = False
    max_body: int | None = None
    journal_entries: int = 10_000
    journal_bytes: int = 64 * 1024 * 1024
    seed: int | None = None
    wire: bool = False
    only_synthetic: bool = False
    store: str = field(default=MEMORY, repr=False)
    loopback: bool = True
    body_timeout: float = 15.0
    max_records: int = MOST_RECORDS
    max_tenants: int = MOST_TENANTS
