"""Targets that are not the API at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mocksandbox.contract import Contract, load
from mocksandbox.exchange import Headers, Response
from mocksandbox.sandbox.elsewhere import LEAST, sort_of, suspicion


@pytest.fixture
def plain(tmp_path: Path) -> Contract:
    """An API that answers in plain text, or with nothing."""
    answers = {"200": {"description": "d", "content": {"text/plain": {}}}, "204": {"description": "d"}}
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": {"responses": answers}}}}
    (tmp_path / "openapi.json").write_text(json.dumps(document), "utf-8")
    return load(tmp_path)


def test_answers_are_compared_by_status_and_media_type() -> None:
    assert sort_of(Response(404, Headers([("content-type", "Text/HTML; charset=utf-8")]))) == (404, "text/html")
    assert sort_of(Response(302)) == (302, "")


@pytest.mark.parametrize(
    ("sorts", "doubted"),
    [
        ([(404, "text/html")] * LEAST, True),
        ([(404, "text/html")] * (LEAST - 1), False),
        ([(404, "text/html")] * LEAST + [(200, "text/html")], False),
        ([(404, "application/problem+json")] * LEAST, True),
        ([(200, "text/html")] * LEAST, True),
        ([(302, "")] * LEAST, True),
        ([(200, "text/plain")] * LEAST, False),
        ([(204, "")] * LEAST, False),
        ([(400, "application/fhir+json")] * LEAST, False),
    ],
)
def test_one_answer_to_everything_that_is_none_of_the_api_is_doubted(
    plain: Contract, sorts: list[tuple[int, str]], doubted: bool
) -> None:
    assert bool(suspicion(plain, sorts, "request", "--run")) is doubted
