"""What a request costs grows with its size and no faster: eight times as much takes about eight times as long, not sixty-four.

Times are compared with one another in one run, the shortest of several tries, and the bound lies far from both.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from mocksandbox.exchange import Headers, Request
from mocksandbox.provider import open_provider
from mocksandbox.rules.places import change
from mocksandbox.sandbox import Sandbox

SMALL, LARGE = 16_000, 128_000
MOST = 24
"""How many times as long the large one may take."""

NHS = open_provider("nhs")
PATHS: tuple[tuple[str | int, ...], ...] = (
    ("reasonCode",),
    ("performer",),
    ("vaccineCode", "coding"),
    ("contained", 1, "name"),
    ("extension", 0, "valueCodeableConcept", "coding"),
)


def shortest(box: Sandbox, request: Request) -> float:
    """The processor time of a request, in seconds."""
    times = []
    gc.disable()  # it looks at all that the test process has, again and again
    try:
        for _ in range(2):
            began = time.process_time()
            answer = box.handle(request)
            times.append(time.process_time() - began)
            assert answer.status < 500, answer.body[:200]
    finally:
        gc.enable()
    return min(times)


def growth(box: Sandbox, made: Callable[[int], Request]) -> float:
    return shortest(box, made(LARGE)) / max(shortest(box, made(SMALL)), 0.02)  # less than that is noise


@pytest.mark.parametrize("item", ["x", None, {"coding": [{}]}], ids=["text", "null", "object"])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("profile", ["integration", "documented"])
def test_long_lists(profile: str, path: tuple[str | int, ...], item: Any) -> None:
    assert NHS.valid is not None
    body = NHS.valid("createImmunization").body
    headers = Headers([("Content-Type", "application/fhir+json")])

    def made(items: int) -> Request:
        return Request("POST", "/Immunization", (), headers, json.dumps(change(body, path, lambda _: [item] * items)).encode())

    assert growth(Sandbox(NHS, profile), made) < MOST


@pytest.mark.parametrize("name", ["nhs", "evaluation", "clinikapi", "redox"])
@pytest.mark.parametrize("path", ["/" + "I" * LARGE, "/x" * LARGE], ids=["one", "many"])
def test_long_paths(name: str, path: str) -> None:
    box = Sandbox(open_provider(name))
    assert growth(box, lambda size: Request("GET", path[: size * len(path) // LARGE])) < MOST


def test_no_more_than_a_thousand_mistakes_are_told() -> None:
    assert NHS.valid is not None
    body = {**NHS.valid("createImmunization").body, **{f"unknown{number}": 1 for number in range(5_000)}}
    box = Sandbox(NHS)
    headers = Headers([("Content-Type", "application/fhir+json")])
    assert box.handle(Request("POST", "/Immunization", (), headers, json.dumps(body).encode())).status == 400
    entry = box.journal.last()
    assert entry is not None
    assert len(entry.findings) == 1_000


@pytest.mark.parametrize("wrong", [0, 50, 9_999])
def test_of_a_large_body_the_document_names_what_is_wrong_near_the_beginning_of_lists(wrong: int) -> None:
    assert NHS.valid is not None
    reasons: list[Any] = [{"coding": [{"code": "1"}]} for _ in range(10_000)]
    reasons[wrong] = "x"
    body = {**NHS.valid("createImmunization").body, "reasonCode": reasons}
    headers = Headers([("Content-Type", "application/fhir+json")])
    answer = Sandbox(NHS, "sandbox").handle(Request("POST", "/Immunization", (), headers, json.dumps(body).encode()))
    assert answer.status == 400
    places = [place for issue in answer.json()["issue"] for place in issue.get("expression", ())]
    assert places == ([f"Immunization.reasonCode[{wrong}]"] if wrong < 100 else ["Immunization"]), answer.body[:500]


@pytest.mark.parametrize("depth", [40, 300, 900])
@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")], ids=["lists", "objects", "both"])
def test_what_is_large_and_deep_is_refused(depth: int, opens: str, closes: str) -> None:
    assert NHS.valid is not None
    body = NHS.valid("createImmunization").request.body
    deep = opens * depth + ",".join(["1"] * 10_000 if opens != '{"a":' else ["1"]) + closes * depth
    sent = body[:-1] + f',"reasonCode":{deep},"note":[{",".join(["5"] * 10_000)}]}}'.encode()
    headers = Headers([("Content-Type", "application/fhir+json")])
    for profile in NHS.profiles:
        assert Sandbox(NHS, profile).handle(Request("POST", "/Immunization", (), headers, sent)).status == 400
