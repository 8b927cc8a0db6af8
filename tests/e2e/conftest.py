from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.live import Server, serving

PROFILES = ("integration", "documented", "sandbox")


@pytest.fixture(scope="session", params=PROFILES)
def each_profile(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server in each profile, one after the other."""
    with serving("--profile", request.param, "--strict") as server:
        yield server


@pytest.fixture(scope="session")
def integration() -> Iterator[Server]:
    """A server that behaves as the real service."""
    with serving("--strict") as server:
        yield server
