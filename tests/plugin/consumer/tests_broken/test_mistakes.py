"""Each of these clients makes one mistake, and swallows the refusal: each test fails, and names the field."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urljoin

import pytest
from vaccinations.async_client import record_all
from vaccinations.record import Vaccination
from vaccinations.sync_client import Desk


def test_status(nhs_sandbox, flu_jab: Vaccination) -> None:
    with Desk(nhs_sandbox.url) as desk:
        desk.record(flu_jab, status="complete")


def test_number(nhs_sandbox, flu_jab: Vaccination) -> None:
    with Desk(nhs_sandbox.url) as desk:
        desk.record(replace(flu_jab, nhs_number="999 000 0019"))


def test_british_day(nhs_sandbox, flu_jab: Vaccination) -> None:
    async def night() -> None:
        async with nhs_sandbox.async_client() as client:
            await record_all(client, [flu_jab], occurrenceDateTime="01/10/2024")

    asyncio.run(night())


def test_lost_base_path(nhs_sandbox, flu_jab: Vaccination) -> None:
    with Desk(urljoin(nhs_sandbox.url, "/")) as desk:
        desk.record(flu_jab)


def test_own_failure(nhs_sandbox, flu_jab: Vaccination) -> None:
    with Desk(nhs_sandbox.url) as desk:
        assert desk.record(flu_jab, status="complete"), "the desk could not record it"


@pytest.mark.mocksandbox(profile="documented")
def test_what_only_the_document_forbids(nhs_sandbox, flu_jab: Vaccination) -> None:
    with Desk(nhs_sandbox.url) as desk:
        desk.record(flu_jab, primarySource="true")
