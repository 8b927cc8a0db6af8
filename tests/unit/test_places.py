"""Places in a body: reading, writing and naming them, without changing the body that they are in."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocksandbox.rules.places import MISSING, Path, change, drop, fhirpath, get, put, walk

BODY: dict[str, Any] = {"a": {"b": [1, {"c": None}]}, "d": ""}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("path", "root", "text"),
    [
        (("contained", 1, "name", 0, "family"), "Immunization", "Immunization.contained[1].name[0].family"),
        (("a", 0), "", "a[0]"),
        ((0, "a"), "", "[0].a"),
        ((), "Patient", "Patient"),
    ],
)
def test_a_path_is_written_as_fhirpath(path: Path, root: str, text: str) -> None:
    assert fhirpath(path, root) == text


@pytest.mark.parametrize(
    ("path", "value"),
    [(("a", "b", 0), 1), (("a", "b", 1, "c"), None), (("a", "b", -1, "c"), None), (("d",), ""), ((), BODY)],
)
def test_what_is_there_is_got(path: Path, value: Any) -> None:
    assert get(BODY, path) == value


@pytest.mark.parametrize("path", [("x",), ("a", "b", 2), ("a", "b", "0"), ("a", 0), ("d", 0), ("a", "b", 1, "c", "x")])
def test_what_is_not_there_is_missing(path: Path) -> None:
    assert get(BODY, path) is MISSING


def test_put_makes_the_objects_and_lists_on_the_way() -> None:
    assert put({}, ("a", 0, "b"), 5) == {"a": [{"b": 5}]}
    assert put({"a": [1]}, ("a", 1), 2) == {"a": [1, 2]}


def test_drop_takes_a_key_or_an_item_away_and_leaves_what_has_none() -> None:
    assert drop(BODY, ("a", "b", 0)) == {"a": {"b": [{"c": None}]}, "d": ""}
    assert drop(BODY, ("a", "x")) is BODY


@pytest.mark.parametrize("path", [("d", "x"), ("a", 0), ("a", "b", "x"), ("a", "b", 0, "x")])
def test_a_path_through_a_bare_value_is_a_lookup_error(path: Path) -> None:
    with pytest.raises(LookupError):
        put(BODY, path, 1)


def test_an_empty_path_is_the_body_itself() -> None:
    assert change(BODY, (), lambda body: [body]) == [BODY]


@given(JSON, JSON)
def test_what_is_put_at_a_place_is_got_there_and_the_rest_stays(body: Any, value: Any) -> None:
    before = deepcopy(body)
    for path, _ in walk(body):
        made = put(body, path, value)
        assert get(made, path) == value
        others = [other for other, _ in walk(body) if other[: len(path)] != path and path[: len(other)] != other]
        assert all(get(made, other) == get(body, other) for other in others)
    assert body == before


@given(JSON)
def test_every_place_that_is_walked_has_its_value(body: Any) -> None:
    places = list(walk(body))
    assert places[0] == ((), body)
    assert all(get(body, path) == value for path, value in places)
    assert len({path for path, _ in places}) == len(places)
