"""The client of the clinic's night run, written with httpx."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import httpx

from vaccinations.record import FHIR, Vaccination


async def record_all(client: httpx.AsyncClient, vaccinations: Iterable[Vaccination], **changes: object) -> list[int]:
    """Record many; the statuses of the answers."""

    async def one(vaccination: Vaccination) -> int:
        answer = await client.post("/Immunization", json={**vaccination.resource(), **changes}, headers=FHIR)
        return answer.status_code

    return list(await asyncio.gather(*map(one, vaccinations)))


async def lots(client: httpx.AsyncClient, nhs_number: str) -> list[str]:
    """The numbers of the lots that a patient was vaccinated from."""
    asked = {"patient.identifier": f"https://fhir.nhs.uk/Id/nhs-number|{nhs_number}", "-immunization.target": "FLU"}
    answer = await client.get("/Immunization", params=asked, headers=FHIR)
    if answer.status_code != 200:
        return []
    resources = [entry.get("resource", {}) for entry in answer.json().get("entry", [])]
    return [each.get("lotNumber", "") for each in resources if each.get("resourceType") == "Immunization"]
