"""Which operation a request is for, and what a request for none came near to."""

from __future__ import annotations

from time import process_time

import pytest

from mocksandbox.contract import Match, Miss
from mocksandbox.provider import open_provider


def found(method: str, path: str) -> Match | Miss:
    return open_provider("nhs").contract.router.find(method, path)


@pytest.mark.parametrize(
    ("method", "path", "operation", "id"),
    [
        ("POST", "/Immunization", "createImmunization", ""),
        ("GET", "/Immunization", "searchImmunizationGet", ""),
        ("POST", "/Immunization/_search", "searchImmunizationPost", ""),
        ("GET", "/Immunization/a-1", "readImmunization", "a-1"),
        ("PUT", "/Immunization/a-1", "updateImmunization", "a-1"),
        ("DELETE", "/Immunization/a-1", "deleteImmunization", "a-1"),
        ("GET", "/Immunization/a%2Fb", "readImmunization", "a/b"),
        ("GET", "/Immunization/%C3%A9", "readImmunization", "é"),
    ],
)
def test_a_request_finds_its_operation(method: str, path: str, operation: str, id: str) -> None:
    match = found(method, path)
    assert isinstance(match, Match)
    assert match.operation.id == operation
    assert match.parameters.get("id", "") == id


def test_an_empty_id_is_a_read_without_an_id() -> None:
    match = found("GET", "/Immunization/")
    assert isinstance(match, Match)
    assert (match.operation.id, match.parameters) == ("readImmunization", {"id": ""})


def test_a_get_of_the_search_path_is_a_read_that_knows_of_the_search() -> None:
    match = found("GET", "/Immunization/_search")
    assert isinstance(match, Match)
    assert (match.operation.id, match.parameters["id"], match.literal) == ("readImmunization", "_search", ("POST",))


@pytest.mark.parametrize("path", ["", "/", "/Immunization/a/b", "/immunization", "/Immunizations/1", "Immunization"])
def test_an_unknown_path_is_a_miss_without_methods(path: str) -> None:
    miss = found("GET", path)
    assert isinstance(miss, Miss)
    assert miss.allowed == ()


def test_a_known_path_with_another_method_says_which_it_has() -> None:
    miss = found("PATCH", "/Immunization/1")
    assert isinstance(miss, Miss)
    assert sorted(miss.allowed) == ["DELETE", "GET", "PUT"]
    miss = found("DELETE", "/Immunization")
    assert isinstance(miss, Miss)
    assert sorted(miss.allowed) == ["GET", "POST"]


def test_a_miss_names_the_nearest_operations_with_the_reason() -> None:
    miss = found("POST", "/Imunization")
    assert isinstance(miss, Miss)
    assert miss.near[0] == "createImmunization (POST /Immunization): the path is /Imunization"
    miss = found("DELETE", "/Immunization")
    assert isinstance(miss, Miss)
    assert any(near.endswith(": the method is DELETE") for near in miss.near)
    assert len(miss.near) <= 3


def test_nothing_like_an_operation_comes_near_to_none() -> None:
    miss = found("GET", "/metadata/of/something/else/entirely")
    assert isinstance(miss, Miss)
    assert miss.near == ()


@pytest.mark.parametrize("path", ["/Immunization/$write", "/my-slug/Immunization/$write"])
def test_a_path_that_lacks_what_placeholders_stand_for_is_nearest_to_its_template(path: str) -> None:
    miss = open_provider("redox").contract.router.find("POST", path)
    assert isinstance(miss, Miss)
    assert miss.near[0].startswith("immunizationWrite (POST /{destinationSlug}/{environmentFlag}/Immunization/$write)")


def test_a_path_without_end_is_like_nothing_at_once() -> None:
    router = open_provider("evaluation").contract.router
    start = process_time()
    miss = router.find("GET", "/" + "a/" * 100_000)
    assert process_time() - start < 1
    assert isinstance(miss, Miss)
    assert miss.near == ()
