"""A PostgreSQL server for tests: the one that MOCKSANDBOX_POSTGRES names, or one of our own that is gone afterwards.

PostgreSQL does not run as root: then the user `postgres`, or else `nobody`, runs it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

NEEDED = (
    "needs a PostgreSQL server: install one (Debian: apt install postgresql), or name one in MOCKSANDBOX_POSTGRES "
    "(postgresql://USER@HOST/DATABASE, whose user may create databases)"
)
PATIENCE = 60.0


def programs() -> Path | None:
    """The folder of the newest server that is installed."""
    beside = [Path(found).parent for name in ("initdb", "pg_ctl") if (found := shutil.which(name))]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    others = sorted(Path("/usr").glob("pgsql-*/bin"), reverse=True)
    return next((path for path in [*beside, *debian, *others] if (path / "postgres").exists()), None)


@dataclass
class Cluster:
    """A server of our own, in a folder of its own, behind a socket that only its user and root reach."""

    folder: Path
    bin: Path

    @cached_property
    def _runner(self) -> dict[str, Any]:
        """Who runs the programs, as subprocess takes it."""
        if os.geteuid() != 0:
            return {}
        names = {entry.pw_name for entry in pwd.getpwall()}
        entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def make(self) -> None:
        """Make the files of the server."""
        command = [str(self.bin / "initdb"), "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "--no-sync"]
        locale = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "")}
        done = subprocess.run(
            [*command, "-E", "UTF8"], cwd=self.folder, env=locale, capture_output=True, text=True, check=False, **self._runner
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start it, and wait until it answers."""
        # Without fsync: a killed process does not need it, and nobody takes the power from a test.
        options = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "fsync": "off"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.folder / "data"), *settings],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **self._runner,
            )
        import psycopg

        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                said = (self.folder / "log").read_text()
                assert self._process.poll() is None, said
                assert time.monotonic() < deadline, said
                time.sleep(0.05)
            else:
                return

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop it: at once with SIGINT, as if it had crashed with SIGQUIT."""
        self._process.send_signal(how)
        self._process.wait(PATIENCE)

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder))}"


@contextmanager
def cluster() -> Iterator[Cluster | None]:
    """A server of our own; None where none is installed."""
    found = programs()
    if found is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="mocksandbox-", ignore_cleanup_errors=True) as name:
        made = Cluster(Path(name), found)
        made.make()
        made.start()
        try:
            yield made
        finally:
            made.stop()


def new_database(server: str) -> str:
    """The URL of a new database of the server whose URL is given."""
    import psycopg
    from sqlalchemy.engine import make_url

    name = f"mocksandbox_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def drop_database(server: str, url: str) -> None:
    """Take a database away, whoever is in it."""
    import psycopg
    from sqlalchemy.engine import make_url

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')
