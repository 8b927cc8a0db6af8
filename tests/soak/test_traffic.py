"""Mixed traffic: no answer is a 5xx, none is missing, and the memory stays where it is."""

from __future__ import annotations

import os
import sys

import pytest

from tests.e2e.live import serving
from tests.soak.traffic import WARM, soak

FULL = os.environ.get("MOCKSANDBOX_FULL") == "1"
REQUESTS = 1_000_000 if FULL else 12_000


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a server is read from /proc")
def test_traffic_leaves_nothing_behind() -> None:
    with serving("--journal-entries", "2000") as server:
        told = soak(server, REQUESTS, every=REQUESTS // 20)
    assert told.requests >= REQUESTS - 50
    assert told.unanswered == 0
    assert [status for status in told.statuses if status >= 500] == []
    assert {200, 201, 204, 400, 404, 422} <= told.statuses.keys()
    assert told.growth(min(WARM, REQUESTS // 2)) < (0.10 if FULL else 0.25)
    print(f"{told.requests:,} requests, growth {100 * told.growth(min(WARM, REQUESTS // 2)):.1f} %")
