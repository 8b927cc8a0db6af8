"""docs/security.md tells the limits that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mocksandbox.fhir.search import limits
from mocksandbox.fhir.server import transaction
from mocksandbox.fhir.stored import MOST_PAGE
from mocksandbox.provider.model import MAX_BODY as API_BODY
from mocksandbox.provider.tokens import MOST_KEPT
from mocksandbox.providers.clinikapi.account import MOST_TENANTS
from mocksandbox.providers.redox.searching import MOST_PARAMETERS, MOST_VALUES
from mocksandbox.rules.catalogue import MOST_FINDINGS
from mocksandbox.sandbox.planned import MOST_MET, MOST_PLANNED
from mocksandbox.server.connection import HEAD_TIMEOUT, IDLE_TIMEOUT, TAKE_TIMEOUT
from mocksandbox.server.control.times import MOST_CLOCKS
from mocksandbox.server.front import MAX_BODY, MOST_TENANT
from mocksandbox.server.listener import CONNECTIONS
from mocksandbox.server.message import MOST_HEAD, MOST_HEADERS
from mocksandbox.server.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
ROWS = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", PAGE.read_text("utf-8"), re.M))
MIB, KIB = 1024 * 1024, 1024
SETTINGS = Settings()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("versions of records in memory (one of 16 KiB or more counts as several)", f"{SETTINGS.max_records:,}"),
        ("tenants with records of their own in memory", f"{SETTINGS.max_tenants:,}"),
        ("entries of the journal", f"{SETTINGS.journal_entries:,}"),
        ("characters of a tenant's name", f"{MOST_TENANT}"),
        ("faults that are set, for each API", f"{MOST_PLANNED:,}"),
        ("faults that one request meets", f"{MOST_MET}"),
        ("tenants with a clock of their own", f"{MOST_CLOCKS:,}"),
        ("things that are wrong with one request and are told", f"{MOST_FINDINGS:,}"),
        (
            "bytes that the journal's entries take: bodies, findings, and heads of over 4 KiB",
            f"{SETTINGS.journal_bytes // MIB} MiB",
        ),
        ("access tokens, and used `jti`s, for each API", f"{MOST_KEPT:,}, for a day"),
        ("tenants whose requests are counted (ClinikAPI)", f"{MOST_TENANTS:,}"),
        ("parameters and values of a search (Redox)", f"{MOST_PARAMETERS}; {MOST_VALUES:,}"),
        ("connections of one process", f"{CONNECTIONS:,}"),
        ("seconds for a request's head", f"{HEAD_TIMEOUT:g}"),
        ("seconds for a body", f"{SETTINGS.body_timeout:g}"),
        ("seconds between two requests of a connection", f"{IDLE_TIMEOUT:g}"),
        ("seconds that a client leaves an answer lying", f"{TAKE_TIMEOUT:g}"),
        ("bytes of a head; headers of a request", f"{MOST_HEAD // KIB} KiB; {MOST_HEADERS}"),
        ("bytes of a body", f"{API_BODY // MIB} MiB, or what the API reads; {MAX_BODY // MIB} MiB in the control API"),
        ("FHIR server: parameters of a query", f"{limits.MOST_PARAMETERS}"),
        ("FHIR server: values of all parameters of a query", f"{limits.MOST_VALUES:,}"),
        ("FHIR server: characters of a query or form", f"{limits.MOST_CHARACTERS:,}"),
        ("FHIR server: references that a chain follows", f"{limits.MOST_STEPS}"),
        ("FHIR server: bytes of the records of a page", f"{MOST_PAGE // MIB} MiB"),
        ("FHIR server: bytes of what is included with a page", f"{MOST_PAGE // MIB} MiB"),
        ("FHIR server: entries of a Bundle", f"{transaction.MOST_ENTRIES:,}"),
        ("FHIR server: bytes of the answers in a Bundle", f"{transaction.MOST_ANSWERED // MIB} MiB"),
        (
            "FHIR server: records that the searches of a Bundle look at, but for those by identifier",
            f"{transaction.MOST_LOOKED:,}",
        ),
    ],
)
def test_a_limit_is_as_it_is_told(row: str, told: str) -> None:
    assert ROWS[row] == told
