"""What is kept between runs is believed only when it is whole, this user's own, and made from the same bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mocksandbox.contract import load, read
from mocksandbox.contract.cache import kept_json
from mocksandbox.provider import open_provider

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there is no cache without users")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("MOCKSANDBOX_CACHE", raising=False)
    return tmp_path / "mocksandbox" / "contracts"


class Maker:
    """Makes a value, and counts how often it had to."""

    def __init__(self, value: Any) -> None:
        self.value, self.times = value, 0

    def __call__(self) -> Any:
        self.times += 1
        return self.value


def entries(folder: Path) -> Iterator[Path]:
    return folder.glob("*.json")


def test_a_value_is_made_once_for_the_same_bytes_and_again_for_others(folder: Path) -> None:
    make = Maker({"b": [1, 0.5, None], "a": "é"})
    assert [kept_json([b"x", b"y"], make) for _ in range(3)] == [make.value] * 3
    assert list(kept_json([b"x", b"y"], make)) == ["b", "a"]
    assert make.times == 1
    kept_json([b"xy", b""], make)
    assert make.times == 2
    assert [path.stat().st_mode & 0o077 for path in [folder, *entries(folder)]] == [0, 0, 0]


@pytest.mark.parametrize("damage", ["truncated", "changed", "writable", "folder-writable", "link"])
def test_what_is_damaged_or_may_be_another_users_is_made_again(folder: Path, tmp_path: Path, damage: str) -> None:
    make = Maker({"answer": 42})
    kept_json([b"x"], make)
    (path,) = entries(folder)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-2])
    elif damage == "changed":
        path.write_bytes(path.read_bytes().replace(b"42", b"43"))
    elif damage == "writable":
        path.chmod(0o666)
    elif damage == "folder-writable":
        folder.chmod(0o777)
    else:
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    assert kept_json([b"x"], make) == {"answer": 42}
    assert make.times == 2


def test_what_is_no_json_is_not_kept(folder: Path) -> None:
    make = Maker({"day": date(2024, 3, 1)})
    assert kept_json([b"x"], make) == kept_json([b"x"], make) == make.value
    assert make.times == 2


def test_an_error_is_raised_and_not_kept(folder: Path) -> None:
    def fail() -> Any:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        kept_json([b"x"], fail)
    assert not list(entries(folder))


def test_it_can_be_switched_off_and_a_folder_that_cannot_be_written_is_done_without(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Maker(1)
    (tmp_path / "mocksandbox").write_text("a file where the folder would be")
    assert kept_json([b"x"], make) == 1
    (tmp_path / "mocksandbox").unlink()
    monkeypatch.setenv("MOCKSANDBOX_CACHE", "off")
    assert kept_json([b"x"], make) == 1
    assert make.times == 2
    assert not folder.exists()


def test_a_document_is_the_same_from_the_cache(folder: Path) -> None:
    home = open_provider("nhs").contract.folder
    first, second = load(home), load(home)
    assert len(list(entries(folder))) >= 1
    assert first.document == second.document == open_provider("nhs").contract.document
    assert list(first.document["paths"]) == list(second.document["paths"])
    assert first.operations == second.operations


def test_a_changed_overlay_is_seen(folder: Path, tmp_path: Path) -> None:
    def written(title: str) -> Any:
        (tmp_path / "openapi.json").write_text('{"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "paths": {}}')
        action = f"{{target: $.info, update: {{title: {title}}}, description: because}}"
        (tmp_path / "overlay.yaml").write_text(f"overlay: 1.0.0\nactions: [{action}]\n# {'x' * 3000}\n")
        return load(tmp_path).document["info"]["title"]

    assert [written("b"), written("c"), written("b")] == ["b", "c", "b"]
    assert read(tmp_path / "overlay.yaml")["actions"][0]["update"] == {"title": "b"}
