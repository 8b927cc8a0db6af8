"""A request leaves no circle of references behind: the collector looks at what is kept for long only rarely."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest

from mocksandbox.errors import without_frames
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import open_provider
from mocksandbox.provider.discovery import BUILT_IN
from mocksandbox.rules.attempt import Attempt
from mocksandbox.sandbox import Sandbox
from tests.soak.traffic import mixture


@pytest.mark.parametrize("name", BUILT_IN)
def test_no_request_leaves_a_circle_behind(name: str) -> None:
    box = Sandbox(open_provider(name))
    requests = mixture(name, 1)[:1500]

    def send() -> None:
        for request in requests:
            box.handle(replace(request, headers=Headers(request.headers.pairs)))

    send()  # what is worked out once, and what is kept
    gc.collect()
    gc.disable()
    try:
        send()
        box.journal.clear()
        # What other threads of the test run leave behind meanwhile is little, and none of it is of a request.
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found = gc.garbage[:]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not [each for each in found if type(each) in (Request, Response, Headers, Attempt)]
    assert len(found) < len(requests) / 10


def test_an_error_that_is_kept_holds_no_frame_of_those_within_it_either() -> None:
    def failing() -> None:
        try:
            raise KeyError("a")
        except KeyError as cause:
            raise ValueError("b") from cause

    try:
        failing()
    except ValueError as error:
        kept = without_frames(error)
    assert kept.__traceback__ is None
    assert kept.__cause__ is not None
    assert kept.__cause__.__traceback__ is None
