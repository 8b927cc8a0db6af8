"""The client of the clinic's desk, written with requests. It never raises: the desk must go on."""

from __future__ import annotations

import time
from typing import Any

import requests

from vaccinations.record import FHIR, Vaccination


class Desk:
    """Records vaccinations, and tries again when the service has no time."""

    def __init__(self, base_url: str, session: requests.Session | None = None, tries: int = 3) -> None:
        self._base_url, self._tries = base_url, tries
        self._session = session or requests.Session()

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def record(self, vaccination: Vaccination, **changes: Any) -> str | None:
        """The id of the record; None when it could not be recorded."""
        for _ in range(self._tries):
            try:
                answer = self._session.post(
                    f"{self._base_url}/Immunization", json={**vaccination.resource(), **changes}, headers=FHIR, timeout=10
                )
            except requests.ConnectionError:
                continue
            if answer.status_code == 201:
                return answer.headers["Location"].rpartition("/")[2]
            if answer.status_code == 422 and "duplicate" in answer.text:
                return self.find(vaccination)
            if answer.status_code not in (429, 500, 502, 503, 504):
                return None
            time.sleep(float(answer.headers.get("Retry-After", 0)))
        return None

    def find(self, vaccination: Vaccination) -> str | None:
        """The id of a record that is there already."""
        asked = {"identifier": f"https://clinic.example/vaccinations|{vaccination.id}"}
        answer = self._session.get(f"{self._base_url}/Immunization", params=asked, headers=FHIR, timeout=10)
        entries = answer.json().get("entry", []) if answer.status_code == 200 else []
        return next((entry["resource"]["id"] for entry in entries if "id" in entry.get("resource", {})), None)
