"""OpenAPI overlays: what an action changes, and what is wrong with one that cannot be applied."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from mocksandbox.contract.overlay import apply
from mocksandbox.errors import ContractError

DOCUMENT: dict[str, Any] = {
    "info": {"title": "T", "contact": {"name": "N"}},
    "paths": {"/a": {"get": {"tags": ["x"]}, "put": {"tags": []}}, "/b": {"get": {"tags": ["y"]}}},
    "tags": [{"name": "x"}, {"name": "y"}, {"name": "z"}],
}


def changed(*actions: dict[str, Any]) -> dict[str, Any]:
    return apply(DOCUMENT, {"actions": [{"description": "why", **action} for action in actions]})


def test_update_merges_into_objects_recursively() -> None:
    made = changed({"target": "$.info", "update": {"title": "New", "contact": {"url": "U"}, "version": "1"}})
    assert made["info"] == {"title": "New", "contact": {"name": "N", "url": "U"}, "version": "1"}


def test_update_concatenates_the_lists_inside_an_object() -> None:
    made = changed({"target": "$.paths['/a'].get", "update": {"tags": ["z"]}})
    assert made["paths"]["/a"]["get"]["tags"] == ["x", "z"]


def test_update_is_appended_to_an_array() -> None:
    made = changed({"target": "$.tags", "update": {"name": "new"}})
    assert [tag["name"] for tag in made["tags"]] == ["x", "y", "z", "new"]


def test_a_wildcard_reaches_every_match() -> None:
    made = changed({"target": "$.paths[*][*]", "update": {"deprecated": True}})
    assert [operation["deprecated"] for path in made["paths"].values() for operation in path.values()] == [True] * 3


def test_matches_do_not_share_what_is_put_in() -> None:
    made = changed({"target": "$.paths[*][*]", "update": {"new": {"list": []}}})
    made["paths"]["/a"]["get"]["new"]["list"].append(1)
    assert made["paths"]["/b"]["get"]["new"] == {"list": []}


def test_remove_takes_every_match_of_an_array_away() -> None:
    assert changed({"target": "$.tags[?@.name != 'y']", "remove": True})["tags"] == [{"name": "y"}]


def test_remove_takes_a_key_away() -> None:
    assert "contact" not in changed({"target": "$.info.contact", "remove": True})["info"]


def test_actions_apply_in_turn() -> None:
    made = changed({"target": "$.info", "update": {"x": {}}}, {"target": "$.info.x", "update": {"y": 1}})
    assert made["info"]["x"] == {"y": 1}


def test_the_document_itself_stays_as_it_is() -> None:
    before = deepcopy(DOCUMENT)
    changed({"target": "$.info", "remove": True})
    assert before == DOCUMENT


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ({"target": "$.nothing", "update": {}}, "matches nothing"),
        ({"target": "$.[", "update": {}}, "is not a JSONPath query"),
        ({"target": 5, "update": {}}, "needs a `target`"),
        ({"update": {}}, "needs a `target`"),
        ({"target": "$.info", "description": "", "update": {}}, "needs its reason"),
        ({"target": "$.info.title", "update": {}}, "needs an object or an array"),
        ({"target": "$.info", "update": "text"}, "needs an object or an array"),
        ({"target": "$.tags"}, "needs an `update` or `remove: true`"),
        ({"target": "$", "remove": True}, "cannot be removed"),
    ],
)
def test_an_action_that_cannot_be_applied_is_named(action: dict[str, Any], says: str) -> None:
    with pytest.raises(ContractError, match=says) as caught:
        changed({"target": "$.info", "update": {}}, action)
    assert caught.value.pointer == "/actions/1"


def test_an_action_that_is_no_object_is_named() -> None:
    with pytest.raises(ContractError, match="needs a `target`"):
        apply(DOCUMENT, {"actions": ["x"]})
