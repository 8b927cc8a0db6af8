"""Paths with selectors: which places they name."""

from __future__ import annotations

from typing import Any

import pytest

from mocksandbox.errors import ContractError
from mocksandbox.rules.places import MISSING
from mocksandbox.rules.selectors import compile_path

BODY: dict[str, Any] = {
    "contained": [
        {"resourceType": "Practitioner", "id": "p"},
        {"resourceType": "Patient", "name": [{"family": "A"}, {"family": "B", "given": ["C"]}]},
        {"resourceType": "Patient", "name": []},
    ],
    "performer": [{"actor": {"reference": "#p"}}, {"actor": {"type": "Organization", "identifier": {"value": None}}}],
    "text": "x",
}


def places(path: str, body: Any = BODY, **named: Any) -> list[tuple[tuple[str | int, ...], Any, tuple[int, ...]]]:
    return [(found.path, found.value, found.indices) for found in compile_path(path, named)(body)]


def test_a_key_that_is_absent_is_found_as_missing_in_its_parent() -> None:
    assert places("status") == [(("status",), MISSING, ())]
    assert places("contained[0].name") == [(("contained", 0, "name"), MISSING, ())]


def test_nothing_is_found_below_what_is_absent_or_of_another_type() -> None:
    assert places("status.code") == []
    assert places("text.code") == []
    assert places("text[0]") == []
    assert places("contained[7].id") == []
    assert places("status", body=[]) == []


def test_a_condition_selects_the_first_that_meets_it() -> None:
    assert places("contained[?resourceType=Patient].name[0].family") == [(("contained", 1, "name", 0, "family"), "A", ())]
    assert places("contained[?resourceType=Group].id") == []


def test_a_condition_may_look_deeper_and_may_ask_for_presence() -> None:
    assert places("performer[?actor.type=Organization].actor.identifier.value")[0][0][1] == 1
    assert places("performer[?actor.reference].actor.reference")[0][1] == "#p"


def test_a_star_selects_all_and_gives_their_indices() -> None:
    assert [(value, indices) for _, value, indices in places("contained[*].id")] == [
        ("p", (0,)),
        (MISSING, (1,)),
        (MISSING, (2,)),
    ]


def test_a_named_selector_chooses_with_the_whole_body() -> None:
    found = places("contained[1].name[last].family", last=lambda names, body: len(names) - 1 if body is BODY else None)
    assert found == [(("contained", 1, "name", 1, "family"), "B", (1,))]
    assert places("contained[2].name[none].family", none=lambda names, body: None) == []
    assert places("contained[2].name[beyond].family", beyond=lambda names, body: 9) == []


@pytest.mark.parametrize("path", ["a..b", "a[", "a[]", "a b", "[?]x]", "a[unknown]"])
def test_a_malformed_path_is_refused(path: str) -> None:
    with pytest.raises(ContractError, match=r"path|selector"):
        compile_path(path)
