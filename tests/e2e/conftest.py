from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.live import PATIENCE, ROOT, Server, serving, wait_for

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


@pytest.fixture
def prism() -> Iterator[str]:
    """The URL of Prism as the official sandbox runs it, on the published document."""
    program = os.environ.get("MOCKSANDBOX_PRISM")
    if not program:
        pytest.skip("needs Prism: npm install @stoplight/prism-cli@5.14.2, and its path in MOCKSANDBOX_PRISM")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, "mock", str(ROOT / "contracts" / "nhs" / "openapi.json"), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)
