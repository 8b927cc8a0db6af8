"""What is made quickly is what is made slowly."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass

import pytest

from mocksandbox.exchange import Exchange, Headers, Request, Response
from mocksandbox.frozen import made, once
from mocksandbox.rules.values import new_uuid


@dataclass(frozen=True)
class Square:
    """A square that counts how often its area is worked out."""

    side: int
    name: str = "square"

    @once
    def area(self) -> int:
        """Its area."""
        asked.append(self.side)
        return self.side**2


asked: list[int] = []


def test_an_instance_is_equal_to_one_that_its_class_made_and_as_frozen() -> None:
    quick = made(Square, side=3)
    assert quick == Square(3)
    assert (hash(quick), repr(quick), quick.name) == (hash(Square(3)), repr(Square(3)), "square")
    with pytest.raises(FrozenInstanceError):
        quick.side = 4  # type: ignore[misc]  # that is the point
    request, response = Request("GET", "/"), Response(200)
    assert made(Exchange, request=request, response=response, elapsed=0.0) == Exchange(request, response)


def test_a_property_is_worked_out_once_for_each_instance() -> None:
    asked.clear()
    square = Square(5)
    assert [square.area, square.area, Square(6).area] == [25, 25, 36]
    assert asked == [5, 6]
    assert Square.area.__doc__ == "Its area."


def test_headers_are_found_without_regard_to_case_and_repeats_are_joined() -> None:
    headers = Headers([("Accept", "a"), ("accept", "b"), ("X", "")])
    assert (headers["ACCEPT"], headers.get("x"), headers.get("y"), headers.get("y", 5)) == ("a, b", "", None, 5)
    assert ("accept" in headers, "y" in headers, 5 in headers, len(headers), list(headers)) == (
        True,
        False,
        False,
        2,
        ["accept", "X"],
    )
    assert headers.and_([("Y", "1")]).pairs == (*headers.pairs, ("Y", "1"))
    with pytest.raises(KeyError):
        headers["y"]
    assert Headers().get("accept", "") == ""


def test_ids_are_random_uuids_of_version_4() -> None:
    from uuid import RFC_4122, UUID

    ids = [new_uuid() for _ in range(500)]
    assert len(set(ids)) == 500
    assert all(str(UUID(id)) == id and UUID(id).version == 4 and UUID(id).variant == RFC_4122 for id in ids)
    assert {id[19] for id in ids} == set("89ab")
