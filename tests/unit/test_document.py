"""Reading contracts: both forms of the NHS document are valid OpenAPI, and every error names its file and its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from mocksandbox.contract import at, load, read, read_mapping
from mocksandbox.contract.document import pointer_to, resolve
from mocksandbox.errors import ContractError
from mocksandbox.provider import open_provider


@pytest.mark.parametrize("form", ["raw", "document"])
def test_the_nhs_document_is_valid_openapi(form: str) -> None:
    validate(getattr(open_provider("nhs").contract, form))


def test_broken_json_names_the_file_and_the_line(tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    path.write_text('{\n  "a": ,\n}')
    with pytest.raises(ContractError, match=r"openapi\.json: is not JSON: .*line 2"):
        read(path)


def test_broken_yaml_names_the_file_and_the_line(tmp_path: Path) -> None:
    path = tmp_path / "overlay.yaml"
    path.write_text("a: 1\nb: [1, 2\nc: 3\n")
    with pytest.raises(ContractError, match=r"(?s)overlay\.yaml: is not YAML: .*line 3"):
        read(path)


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("!!python/object/apply:os.getcwd []")
    with pytest.raises(ContractError, match="is not YAML"):
        read(path)


def test_bytes_that_are_not_utf_8_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a: \xff\xfe")
    with pytest.raises(ContractError, match=r"x\.yaml"):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"absent\.json: cannot be read"):
        read(tmp_path / "absent.json")


def test_a_file_that_holds_a_list_is_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("- 1")
    with pytest.raises(ContractError, match="must hold an object"):
        read_mapping(path)


def test_a_folder_without_a_document_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"has no openapi\.json"):
        load(tmp_path)


def contract_of(folder: Path, **parts: Any) -> None:
    document = {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {}, **parts}
    (folder / "openapi.json").write_text(json.dumps(document))


def test_another_kind_of_document_is_refused(tmp_path: Path) -> None:
    contract_of(tmp_path, openapi="2.0")
    with pytest.raises(ContractError, match="is not an OpenAPI 3 document") as caught:
        load(tmp_path)
    assert caught.value.pointer == "/openapi"


def test_an_operation_id_that_is_used_twice_is_refused(tmp_path: Path) -> None:
    item = {"get": {"operationId": "x", "responses": {}}}
    contract_of(tmp_path, paths={"/a": item, "/b": item})
    with pytest.raises(ContractError, match="'x' is used twice") as caught:
        load(tmp_path)
    assert caught.value.pointer == "/paths/~1b/get"


def test_an_operation_without_an_id_is_named_by_its_method_and_path(tmp_path: Path) -> None:
    contract_of(tmp_path, paths={"/a": {"get": {"responses": {}}}})
    assert [operation.id for operation in load(tmp_path).operations] == ["get/a"]


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("#/components/parameters/Absent", "leads nowhere"),
        ("#/components/parameters/Circel", "leads nowhere; did you mean '#/components/parameters/Circle'?"),
        ("#/nothing/here", "leads nowhere"),
        ("other.json#/x", "leaves the document"),
        ("#/components/parameters/Circle", "is circular"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_named(tmp_path: Path, reference: str, says: str) -> None:
    circle = {"Circle": {"$ref": "#/components/parameters/Round"}, "Round": {"$ref": "#/components/parameters/Circle"}}
    operation = {"parameters": [{"$ref": reference}], "responses": {}}
    contract_of(tmp_path, paths={"/a": {"get": operation}}, components={"parameters": circle})
    with pytest.raises(ContractError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'openapi.json'}: the reference {reference!r} {says}"


def test_a_reference_within_a_schema_is_told_with_its_file(tmp_path: Path) -> None:
    contract_of(tmp_path, components={"schemas": {"Note": {"type": "object"}}})
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/components/schemas/Not"}}}
    with pytest.raises(ContractError, match=r"openapi\.json: the reference .* did you mean '#/components/schemas/Note'"):
        load(tmp_path).sample(schema)


def test_pointers_escape_and_are_read_back() -> None:
    document = {"a/b": {"c~d": [{"": 5}]}}
    pointer = pointer_to("a/b", "c~d", 0, "")
    assert pointer == "/a~1b/c~0d/0/"
    assert at(document, pointer) == 5
    assert at(document, "#" + pointer) == 5


@pytest.mark.parametrize("pointer", ["/x", "/a/1", "/a/b", "/a/0/b"])
def test_a_pointer_to_nothing_is_a_key_error(pointer: str) -> None:
    with pytest.raises(KeyError, match=pointer):
        at({"a": [1]}, pointer)


def test_a_node_without_a_reference_is_itself() -> None:
    assert resolve({}, {"x": 1}) == {"x": 1}
    assert resolve({"x": {"$ref": "#/y"}, "y": 7}, {"$ref": "#/x"}) == 7
