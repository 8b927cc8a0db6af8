"""Stores that cannot be used: each gives one line that says why and what to do, no traceback, and never a password."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mocksandbox.errors import StoreError, UsageError
from mocksandbox.rules.attempt import Record
from mocksandbox.server.settings import Settings
from mocksandbox.store import SqlStore, open_database, shown
from mocksandbox.store.sqlite import SqliteDatabase
from tests.e2e.live import cli
from tests.stores.conftest import Opener

SECRET = "s3cret/with@signs"


def said(url: str) -> str:
    """What is said of a store that cannot be used."""
    with pytest.raises(UsageError) as caught:
        open_database(url)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root@localhost/x", "No store 'mysql'. Known: memory, postgresql://USER@HOST/DATABASE, sqlite:///FILE."),
        ("", "No store ''. Known"),
        ("memory2", "Did you mean 'memory'?"),
        ("sqlite", "Known"),
        ("sqlite://records.db", "sqlite:///FILE"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_what_is_no_store(url: str, words: str) -> None:
    assert words in said(url)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert f"the folder {tmp_path / 'nowhere'} does not exist" in said(f"sqlite:///{tmp_path}/nowhere/records.db")
    assert "is a folder; name a file in it" in said(f"sqlite:///{tmp_path}")


def test_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "does not exist" in said(f"sqlite:///{tmp_path}/file/records.db")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_nobody_may_write_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "must be writable" in said(f"sqlite:///{tmp_path}/records.db")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_that_nobody_may_write_to(tmp_path: Path, opened: Opener) -> None:
    file = tmp_path / "records.db"
    opened(f"sqlite:///{file}").partition().put(Record("A", "1", 1, b""))
    file.chmod(0o400)
    assert "must be writable" in said(f"sqlite:///{file}")


def text(path: Path) -> None:
    path.write_text("a text that somebody keeps here, and that is no database at all\n" * 50)


def one_byte(path: Path) -> None:
    path.write_bytes(b"x")


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()


def _made(path: Path) -> None:
    """A store with a few thousand rows, all in its one file."""
    database = open_database(f"sqlite:///{path}")
    assert database is not None
    records = SqlStore(database, "nhs").partition()
    with records.exclusive():
        for number in range(300):
            records.put(Record("A", str(number), 1, b"x" * 500, {"k": str(number)}))
    database.close()


def newer(path: Path) -> None:
    _made(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE mocksandbox_schema SET version = 99")
    connection.close()


def no_version(path: Path) -> None:
    _made(path)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM mocksandbox_schema")
    connection.close()


def cut(path: Path) -> None:
    _made(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def overwritten(path: Path) -> None:
    _made(path)
    whole = bytearray(path.read_bytes())
    for page in range(2, len(whole) // 4096, 3):
        whole[page * 4096 : page * 4096 + 200] = os.urandom(200)
    path.write_bytes(whole)


def header_gone(path: Path) -> None:
    _made(path)
    whole = path.read_bytes()
    path.write_bytes(b"\x00" * 100 + whole[100:])


DAMAGE = {
    text: "is no SQLite database. Name another file",
    one_byte: "is no SQLite database",
    foreign: "is a SQLite database of another program",
    newer: "a newer mocksandbox has made it (schema 99; this one knows 1). Upgrade mocksandbox",
    no_version: "its schema None is not known here",
    cut: "is damaged",
    overwritten: "is damaged",
    header_gone: "is no SQLite database",
}


@pytest.mark.parametrize(("spoil", "words"), DAMAGE.items(), ids=[spoil.__name__ for spoil in DAMAGE])
def test_a_file_that_cannot_be_used(tmp_path: Path, spoil: Callable[[Path], None], words: str) -> None:
    file = tmp_path / "records.db"
    spoil(file)
    before = file.read_bytes()
    assert words in said(f"sqlite:///{file}")
    assert file.read_bytes() == before  # what is not ours is left as it is


@pytest.mark.parametrize("spoil", [text, cut, newer])
def test_the_command_says_so_in_one_line(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    file = tmp_path / "records.db"
    spoil(file)
    done = cli("serve", "nhs", "--port", "0", "--store", f"sqlite:///{file}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mocksandbox: Cannot use the store sqlite:///")
    assert done.stderr.count("\n") == 1


def test_several_workers_need_a_shared_store() -> None:
    done = cli("serve", "nhs", "--port", "0", "--workers", "2")
    assert done.returncode == 2
    assert "--workers 2 needs a store that they share" in done.stderr
    assert "--store sqlite:///FILE" in done.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"postgresql://u:{SECRET}@127.0.0.1:1/d", "postgresql://u:…@127.0.0.1:1/d"),
        (f"postgresql://:{SECRET}@127.0.0.1:1/d", "postgresql://:…@127.0.0.1:1/d"),
        ("postgresql://127.0.0.1:1/d?user=u&password=s3cret", "postgresql://127.0.0.1:1/d?user=u&password=…"),
        ("postgresql://u@h/d?sslpassword=s3cret&a=b", "postgresql://u@h/d?sslpassword=…&a=b"),
        ("postgresql://u@h:5432/d", "postgresql://u@h:5432/d"),
        ("sqlite:////x/records.db", "sqlite:////x/records.db"),
    ],
)
def test_a_password_is_not_shown(url: str, told: str) -> None:
    assert shown(url) == told
    assert "s3cret" not in repr(Settings(store=url))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3cret@127.0.0.1:1/d",
        "postgresql://u:s3cret@127.0.0.1:notaport/d",
        "postgresql://127.0.0.1:1/d?user=u&password=s3cret",
        "postgresql://u:s3cret@127.0.0.1:1/d?nonsense=1",
        "postgresql://u:s3cret@[::1/d",
    ],
)
def test_a_server_that_does_not_answer(url: str) -> None:
    pytest.importorskip("psycopg")
    told = said(url)
    assert told.startswith("Cannot use the store postgresql://")
    assert "s3cret" not in told
    done = cli("serve", "nhs", "--port", "0", "--store", url)
    assert done.returncode == 2
    assert "s3cret" not in done.stderr + done.stdout
    assert done.stderr.count("\n") == 1


def test_tables_of_a_newer_version_on_a_server(url: str) -> None:
    database = open_database(url)
    assert database is not None
    with database.section(writes=True) as section:
        section.run("UPDATE mocksandbox_schema SET version = 99", {})
    database.close()
    assert "a newer mocksandbox has made it" in said(url)


def test_without_the_extra_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    blocked = "import sys; sys.modules['psycopg'] = None\nfrom mocksandbox.cli import main\nmain()"
    command = [sys.executable, "-c", blocked, "serve", "nhs", "--port", "0", "--store", "postgresql://u:s3cret@h/d"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'pip install "mocksandbox[postgres]"' in done.stderr
    assert "s3cret" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_store_in_memory_loads_no_database() -> None:
    program = (
        "import sys; from mocksandbox.server.app import create_app; create_app(); "
        "print(sorted({'sqlite3', 'sqlalchemy', 'psycopg'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_many_processes_may_make_the_store_at_once(url: str) -> None:
    program = (
        "import sys; from mocksandbox.store import SqlStore, open_database\n"
        "sys.stdin.readline()\n"
        "database = open_database(sys.argv[1])\n"
        "from mocksandbox.rules.attempt import Record\n"
        "SqlStore(database, 'nhs', [Record('A', 'seed', 1, b'')]).partition().put(Record('A', sys.argv[2], 1, b''))\n"
        "database.close()\n"
    )
    commands = [[sys.executable, "-W", "error", "-c", program, url, str(number)] for number in range(6)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for command in commands]
    time.sleep(1)
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[1] for process in started] == [""] * len(started)
    database = open_database(url)
    assert database is not None
    records = SqlStore(database, "nhs").partition().snapshot()
    assert sorted(record.id for record in records) == [*map(str, range(6)), "seed"]
    database.close()


def test_a_full_disk_takes_back_what_it_cannot_keep(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    assert isinstance(database, SqliteDatabase)
    records = SqlStore(database, "nhs").partition()
    records.put(Record("A", "1", 1, b"x"))
    with database.section(writes=True) as section:
        section.rows("PRAGMA max_page_count = 60", {})  # of this connection, which is the one that writes

    def fill() -> None:
        with records.exclusive():
            for version in range(2, 100):
                records.put(Record("A", "1", version, b"x" * 10_000))

    with pytest.raises(StoreError, match="full"):
        fill()
    assert [record.version for record in records.versions("A", "1")] == [1]
    records.put(Record("A", "1", 2, b"y"))
    assert [record.version for record in records.versions("A", "1")] == [1, 2]
    database.close()
