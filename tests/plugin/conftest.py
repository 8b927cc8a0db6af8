"""A folder with a consumer's tests in it, run by a pytest of its own, which finds the plugin by its entry point."""

from __future__ import annotations

from collections.abc import Callable

import httpx  # noqa: F401  # what a pytest in this process must not load again and again
import hypothesis.strategies  # noqa: F401
import pytest
import requests  # noqa: F401

import mocksandbox.checking.judge
import mocksandbox.consumer.httpx_transport
import mocksandbox.consumer.plugged
import mocksandbox.consumer.requests_adapter
import mocksandbox.consumer.serving
import mocksandbox.consumer.strategies
import mocksandbox.consumer.verification  # noqa: F401
from mocksandbox.provider import open_provider

collect_ignore = ["consumer"]  # a project of its own, with a configuration of its own

ALONE = ("-p", "no:schemathesis", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:pact")
"""What keeps a run quick, and the same whoever has installed what."""

CLIENT = '''
import requests

FHIR = {"Content-Type": "application/fhir+json"}


def create(url, body, **headers):
    """A client that swallows every refusal."""
    return requests.post(f"{url}/Immunization", json=body, headers={**FHIR, **headers}, timeout=30)


def read(url, id, **headers):
    return requests.get(f"{url}/Immunization/{id}", headers=headers, timeout=30)


def search(url, number="9449310475"):
    asked = {"patient.identifier": f"https://fhir.nhs.uk/Id/nhs-number|{number}", "-immunization.target": "FLU"}
    return requests.get(f"{url}/Immunization", params=asked, timeout=30)
'''

Run = Callable[..., pytest.RunResult]


@pytest.fixture(scope="session", autouse=True)
def _opened() -> None:
    for name in ("nhs", "redox", "clinikapi", "evaluation"):
        provider = open_provider(name)
        assert provider.contract.check is not None


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """Write a consumer's tests and run them: `run(source, *arguments)`; with `apart`, in a process of its own."""
    pytester: pytest.Pytester = request.getfixturevalue("pytester")

    def go(source: str = "", *arguments: str, apart: bool = False) -> pytest.RunResult:
        pytester.makepyfile(client=CLIENT)
        if source:
            pytester.makepyfile(test_it=source)
        chosen = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return chosen(*ALONE, *arguments)

    return go
