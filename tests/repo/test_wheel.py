"""What is in the wheel, and what is not."""

from __future__ import annotations

import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from scripts.installed import ROOT, build_wheel

pytestmark = pytest.mark.wheel

MOST_BYTES = 2_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return message_from_bytes(archive.read(next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))))


def test_it_brings_the_contracts_the_types_and_every_module(names: list[str]) -> None:
    contracts = {f"mocksandbox/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "contracts").rglob("*") if p.is_file()}
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "mocksandbox").rglob("*.py")}
    assert "mocksandbox/contracts/nhs/openapi.json" in names
    assert contracts | modules | {"mocksandbox/py.typed"} <= set(names)


def test_the_generators_are_inside_the_package_when_there_are_any(names: list[str]) -> None:
    there = (ROOT / "generators" / "__init__.py").is_file()
    assert ("mocksandbox/generators/__init__.py" in names) == there


def test_nothing_stands_beside_the_package(names: list[str]) -> None:
    # Top-level `contracts` and `generators` would be imported in place of a user's own packages of those names.
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"mocksandbox"}


def test_what_only_developers_need_is_left_out(names: list[str]) -> None:
    unwanted = ("tests/", "scripts/", "hatch_build", "generators.pyi", "__pycache__", ".DS_Store")
    assert [name for name in names if any(part in name for part in unwanted)] == []


def test_it_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < MOST_BYTES


def test_the_licences_are_in_it_and_in_its_metadata(names: list[str], metadata: Message) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE", "contracts/nhs/LICENSE-NHS.txt"]
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    assert [name for name in names if name.endswith(".dist-info/licenses/contracts/nhs/LICENSE-NHS.txt")]


def test_the_page_of_the_package_is_the_readme(metadata: Message) -> None:
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).startswith("# mocksandbox")
