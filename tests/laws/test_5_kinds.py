"""Law 5: both arms of a kind, seeded and by Hypothesis, satisfy what it accepts; so do scenes, and values that are mended."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocksandbox.generators import kinds
from mocksandbox.generators.draw import seeded
from mocksandbox.generators.scene import scene
from mocksandbox.generators.strategies import HypothesisDraw, values

KINDS = sorted(kinds())
SEEDS = 300


@pytest.mark.parametrize("name", KINDS)
def test_the_seeded_arm_gives_what_the_kind_accepts(name: str) -> None:
    kind = kinds()[name]
    for seed in range(SEEDS):
        value = kind.sample(Random(seed))
        assert kind.accepts(value), (seed, value)
        assert kind.sample(Random(seed)) == value, "the same seed gives another value"


@pytest.mark.parametrize("name", KINDS)
def test_the_hypothesis_arm_gives_what_the_kind_accepts(name: str) -> None:
    kind = kinds()[name]

    @settings(max_examples=40, deadline=None, database=None)
    @given(values(name))
    def check(value: object) -> None:
        assert kind.accepts(value), value

    check()


@pytest.mark.parametrize("name", KINDS)
def test_what_looks_wrong_and_is_right_is_accepted(name: str) -> None:
    kind = kinds()[name]
    assert [value for value in kind.unusual if not kind.accepts(value)] == []


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_does_not_accept_anything(name: str) -> None:
    kind = kinds()[name]
    assert not any(_taken(name, value) for value in ("", None, [], "  ")), f"{kind.says}: accepts nothing at all"


def _taken(name: str, value: object) -> bool:
    try:
        return kinds()[name].accepts(value)
    except (TypeError, AttributeError, KeyError, IndexError):
        return False


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_scene_has_every_kind(seed: int) -> None:
    drawn = scene(seeded(seed), complete=True)
    assert set(KINDS) <= drawn.keys()
    assert _wrong(drawn) == {}


@settings(max_examples=100, deadline=None, database=None)
@given(st.data())
def test_a_scene_drawn_by_hypothesis_has_every_kind(data: st.DataObject) -> None:
    drawn = scene(HypothesisDraw(data.draw), complete=True)
    assert _wrong(drawn) == {}


def _wrong(drawn: dict[str, Any]) -> dict[str, object]:
    """What a kind does not accept. A dose that counts has no reason why not."""
    given = {name: drawn[name] for name in KINDS if name != "dose-status-reason-text" or drawn["dose-status"] == "notvalid"}
    return {name: value for name, value in given.items() if not kinds()[name].accepts(value)}


@pytest.mark.parametrize("name", KINDS)
def test_what_is_mended_is_accepted(name: str) -> None:
    kind = kinds()[name]
    for seed in range(50):
        for slip in _slips(kind.sample(Random(seed))):
            meant = kind.nearest(slip)
            assert meant is None or kind.accepts(meant) or not _comparable(name), (slip, meant)


def _comparable(name: str) -> bool:
    # A mended number is a valid one, and may be of a range that is never made up; a mended code need not be of the few listed.
    return name not in ("nhs-number", "vaccine")


def _slips(value: object) -> list[object]:
    """What people make of a value by mistake."""
    if not isinstance(value, str):
        return [str(value), None, [value], -1, 100]
    slips: list[object] = [value[:-1], f"{value} ", value.upper(), value.lower(), None, 5, [value], {}]
    if len(value) > 9 and value[4] == "-":
        slips += [f"{value[8:10]}/{value[5:7]}/{value[:4]}", value.replace("-", ""), value.replace("T", " ")]
    if value.isdigit():
        slips += [int(value), f"{value[:3]} {value[3:]}", f"{value[:-1]}{(int(value[-1]) + 1) % 10}"]
    return slips
