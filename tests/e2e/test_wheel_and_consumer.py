"""The package as its users have it: the wheel with its dependencies, in a clean environment outside the checkout."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from scripts.installed import ROOT, build_wheel, install, outside

pytestmark = pytest.mark.wheel

FHIR_JSON = "application/fhir+json"
DOCUMENTED_ID = "12a33650-6f94-4e8f-a971-1c5c41da5b22"
PATIENCE = 60.0


@dataclass(frozen=True)
class Installed:
    """A clean environment with the wheel in it, and an empty folder to work in."""

    python: Path
    folder: Path

    @property
    def command(self) -> str:
        return str(self.python.parent / "mocksandbox")

    def run(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run `mocksandbox`."""
        return self.start([self.command, *arguments], cwd)

    def start(self, command: Sequence[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run any command, outside the checkout."""
        where = cwd or self.folder
        return subprocess.run(command, cwd=where, env=outside(), capture_output=True, text=True, timeout=PATIENCE, check=False)

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[Server]:
        """`mocksandbox serve` on a free port, once it answers; told to stop in the end."""
        ready = self.folder / "ready.json"
        command = [self.command, "serve", *arguments, "--port", "0", "--ready-file", str(ready)]
        process = subprocess.Popen(
            command, cwd=self.folder, env=outside(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        try:
            yield Server(process, ready, _told(process, ready))
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


@dataclass(frozen=True)
class Server:
    """A running server: its process, and what its ready file says."""

    process: subprocess.Popen[str]
    ready: Path
    told: dict[str, Any]

    def url(self, provider: str = "nhs") -> str:
        found: str = self.told["providers"][provider]
        return found


def _told(process: subprocess.Popen[str], ready: Path) -> dict[str, Any]:
    """What the ready file says, once it is there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if ready.is_file():
            told: dict[str, Any] = json.loads(ready.read_text("utf-8"))
            return told
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}: {process.communicate()[1]}")
        time.sleep(0.02)
    raise AssertionError("the server did not answer in time")


@dataclass(frozen=True)
class Got:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, method: str = "GET", body: bytes = b"", **headers: str) -> Got:
    """Send a request, with the standard library."""
    parts = urlsplit(url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body or None, named)
        answer = connection.getresponse()
        return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment into which pip has put the wheel and all that it needs."""
    return install(wheel, tmp_path_factory.mktemp("clean") / "environment", dependencies=True)


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Installed:
    return Installed(environment, tmp_path)


def test_the_package_in_use_is_the_installed_one(installed: Installed) -> None:
    done = installed.start([str(installed.python), "-c", "import mocksandbox; print(mocksandbox.__file__)"])
    assert Path(done.stdout.strip()).is_relative_to(installed.python.parents[1])


BESIDE_OTHERS = (
    "mocksandbox.consumer.httpx_transport",
    "mocksandbox.consumer.requests_adapter",
    "mocksandbox.schemathesis_bridge",
    "mocksandbox.store.postgres",
)
"""The beginnings of the modules for what somebody has installed besides: a client, or the extras `fuzz` and `postgres`."""


def test_everything_that_it_needs_is_named_in_its_metadata(installed: Installed) -> None:
    done = installed.start([str(installed.python), "-m", "pip", "--version"])
    assert done.returncode != 0, "the environment is to hold nothing but what the wheel asks for"
    everything = (
        "import pkgutil, importlib, mocksandbox\n"
        "for m in pkgutil.walk_packages(mocksandbox.__path__, 'mocksandbox.', onerror=lambda name: None): "
        f"m.name.startswith({BESIDE_OTHERS!r}) or "
    )
    done = installed.start(
        [str(installed.python), "-W", "error::ImportWarning", "-c", everything + "importlib.import_module(m.name)"]
    )
    assert done.stderr == ""


@pytest.mark.parametrize("profile", ["integration", "documented", "sandbox"])
def test_the_documented_scenarios_pass_twice_with_equal_results(installed: Installed, profile: str) -> None:
    with installed.serving("nhs", "--profile", profile) as server:
        results = []
        for _ in range(2):
            done = installed.run("scenarios", "nhs", "--run", server.url(), "--format", "json")
            assert (done.returncode, done.stderr) == (0, "")
            results.append([(row["id"], row["got"]["status"], row["verdict"]) for row in json.loads(done.stdout)])
    assert results[0] == results[1]
    assert len(results[0]) == 52
    differing = {id for id, _, verdict in results[0] if verdict == "as observed"}
    no_id = {"read-without-id", "update-without-id", "delete-without-id", "delete-no-id"}
    assert differing == (no_id if profile == "integration" else set())


def test_the_table_names_what_is_documented_what_came_and_the_verdict(installed: Installed) -> None:
    with installed.serving("nhs") as server:
        done = installed.run("scenarios", "nhs", "--run", server.url())
    assert "14 of 14 checks right, 0 failed" in done.stdout
    assert "38 of 38 checks right, 0 failed" in done.stdout
    row = next(line for line in done.stdout.splitlines() if line.startswith("delete-without-id"))
    assert " 400 " in row
    assert row.endswith("404  as observed  the real service answers 404")


@pytest.mark.skipif(not hasattr(signal, "SIGTERM"), reason="needs SIGTERM")
@pytest.mark.parametrize("sign", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_in_peace(installed: Installed, sign: str) -> None:
    with installed.serving("nhs") as server:
        assert ask(f"{server.url()}/Immunization/{DOCUMENTED_ID}").status == 200
        server.process.send_signal(getattr(signal, sign))
        _, said = server.process.communicate(timeout=PATIENCE)
        assert (server.process.returncode, said, server.ready.exists()) == (0, "", False)
    with pytest.raises(OSError, match="refused"):
        ask(f"{server.url()}/Immunization/{DOCUMENTED_ID}")


def test_a_port_in_use_is_one_clear_line(installed: Installed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = installed.run("serve", "nhs", "--port", str(taken.getsockname()[1]))
    assert _complaint(done, 2).endswith("Choose another with --port (0 picks a free one).")


def test_a_port_of_a_mock_that_runs_is_in_use_too(installed: Installed) -> None:
    # The server's workers share a port with SO_REUSEPORT; a second server must not.
    with installed.serving("nhs") as server:
        done = installed.run("serve", "nhs", "--port", str(urlsplit(server.url()).port))
    assert "in use" in _complaint(done, 2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["serve", "nsh"], "Did you mean 'nhs'?"),
        (["serve", "nhs", "--profile", "sandbocks"], "Did you mean 'sandbox'?"),
        (["serve", "nhs", "--no-such-option"], "--no-such-option"),
        (["serve", "nhs", "--port", "eighty"], "--port"),
        (["serve", "nhs", "--port", "65536"], "--port"),
        (["serve", "nhs", "--ready-file", "no-such-folder/ready.json"], "no-such-folder"),
        (["serve", "nhs", "--suppliers", "no-such-file"], "no-such-file"),
        (["serve", "nhs", "--ready-file", "/"], "is a directory"),
        (["serve", "nhs", "--ready-file", "/proc/ready.json"], "no file can be made in /proc"),
        (["serve", "nhs", "--host", "host.invalid"], "--host takes an address of this machine"),
        (["serve", "nhs", "--host", "192.0.2.1"], "--host takes an address of this machine"),
        (["serve", "nhs", "--clients", "pyproject.toml"], "--clients is for --auth token"),
        (["scenarios"], "PROVIDER"),
        (["scenarios", "nhs", "--run", "not-a-url"], "not-a-url"),
        (["scenarios", "nhs", "--run", "http://127.0.0.1:1", "--auth", "env:NO_SUCH_VARIABLE"], "env:"),
        (["rules", "nhs", "--format", "xml"], "xml"),
        (["no-such-command"], "no-such-command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_on_the_command_line_is_one_clear_line(installed: Installed, arguments: list[str], says: str) -> None:
    assert says in _complaint(installed.run(*arguments), 2)


def _complaint(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line that a command complains in."""
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in lines[0]
    return lines[0]


DAMAGES: dict[str, dict[str, str | None]] = {
    "an empty folder": {"openapi.json": None, "overlay.yaml": None, "scenarios.yaml": None},
    "a document that is no JSON": {"openapi.json": '{"openapi": '},
    "a document that is no OpenAPI": {"openapi.json": "[1, 2]"},
    "an overlay that is no YAML": {"overlay.yaml": "actions: [\n"},
    "an overlay that matches nothing": {"overlay.yaml": "actions: [{target: $.nowhere, description: why, remove: true}]"},
    "an overlay without a reason": {"overlay.yaml": "actions: [{target: $.info, update: {x-y: 1}}]"},
    "a scenario of an unknown operation": {
        "scenarios.yaml": "operations: [{id: a, operation: flyToTheMoon, row: r, documented: {status: 200}}]"
    },
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_contract_is_one_clear_line(installed: Installed, damage: str) -> None:
    copy = _copy_of_nhs(installed.folder)
    for name, text in DAMAGES[damage].items():
        (copy / name).unlink()
        if text is not None:
            (copy / name).write_text(text, "utf-8")
    assert copy.name in _complaint(installed.run("serve", f"./{copy.name}", "--port", "0"), 3)


def test_a_target_that_does_not_answer_has_its_own_exit_code(installed: Installed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/nowhere"
    assert url in _complaint(installed.run("scenarios", "nhs", "--run", url), 4)


def _copy_of_nhs(folder: Path) -> Path:
    return Path(shutil.copytree(ROOT / "contracts" / "nhs", folder / "my-nhs"))


def test_a_changed_copy_of_the_contract_answers_as_changed(installed: Installed) -> None:
    copy = _copy_of_nhs(installed.folder)
    document = json.loads((copy / "openapi.json").read_text("utf-8"))
    read = document["paths"]["/Immunization/{id}"]["get"]["responses"]["200"]
    read["content"][FHIR_JSON]["example"]["lotNumber"] = "CHANGED-1"
    document["components"]["headers"]["E-Tag"]["schema"]["example"] = 7
    document["paths"]["/Appointment/{id}"] = {
        "get": {
            "operationId": "readAppointment",
            "parameters": [{"in": "path", "name": "id", "required": True, "schema": {"type": "string", "maxLength": 8}}],
            "responses": {
                "200": {
                    "description": "An appointment.",
                    "headers": {"X-Slot": {"required": True, "schema": {"type": "string", "example": "morning"}}},
                    "content": {FHIR_JSON: {"example": {"resourceType": "Appointment", "id": "7", "status": "booked"}}},
                }
            },
        }
    }
    (copy / "openapi.json").write_text(json.dumps(document), "utf-8")
    with installed.serving(f"./{copy.name}") as server:
        url = server.url(copy.name)
        added = ask(f"{url}/Appointment/7")
        assert (added.status, added.json()["status"], added.headers["x-slot"]) == (200, "booked", "morning")
        assert added.headers["content-type"] == FHIR_JSON
        changed = ask(f"{url}/Immunization/{DOCUMENTED_ID}")
        assert (changed.status, changed.json()["lotNumber"], changed.headers["e-tag"]) == (200, "CHANGED-1", "7")
        refused = ask(f"{url}/Appointment/123456789")
        assert (refused.status, refused.json()["resourceType"]) == (400, "OperationOutcome")
        unknown = ask(f"{url}/Appointments/7")
        assert (unknown.status, "readAppointment" in unknown.json()["issue"][0]["diagnostics"]) == (404, True)


def test_create_read_and_refuse_over_the_wire(installed: Installed) -> None:
    document = json.loads((ROOT / "contracts" / "nhs" / "openapi.json").read_text("utf-8"))
    record = document["paths"]["/Immunization"]["post"]["requestBody"]["content"][FHIR_JSON]["example"]
    body = json.dumps(record).encode()
    with installed.serving("nhs") as server:
        url = f"{server.url()}/Immunization"
        made = ask(url, "POST", body, Content_Type=FHIR_JSON)
        assert (made.status, made.headers["location"].startswith(f"{url}/")) == (201, True)
        read = ask(made.headers["location"])
        assert {key: read.json()[key] for key in ("identifier", "lotNumber", "contained")} == {
            key: record[key] for key in ("identifier", "lotNumber", "contained")
        }
        again = ask(url, "POST", body, Content_Type=FHIR_JSON)
        assert (again.status, again.json()["issue"][0]["details"]["coding"][0]["code"]) == (422, "DUPLICATE")
        assert ask(made.headers["location"], "DELETE").status == 204
        assert ask(made.headers["location"]).status == 404


CONSUMER = {
    "pyproject.toml": '[project]\nname = "consumer"\nversion = "1"\n[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n',
    "contracts/__init__.py": 'OWN = "the consumer\'s contracts"\n',
    "generators/__init__.py": 'OWN = "the consumer\'s generators"\n',
    "tests/test_client.py": '''
"""A consumer's tests: its own packages, and the mock as an application in the same process."""
from pathlib import Path

import mocksandbox
from mocksandbox import Request, Sandbox, create_app, open_provider
from mocksandbox.resources import contracts_root


def test_the_consumers_own_packages_are_its_own():
    import contracts
    import generators

    for module in (contracts, generators):
        assert Path(module.__file__).is_relative_to(Path(__file__).parents[1])
        assert "consumer" in module.OWN


def test_the_mock_brings_its_own_contract():
    assert contracts_root().is_relative_to(Path(mocksandbox.__file__).parent)


def test_a_record_that_is_not_there():
    client = create_app().test_client()
    answer = client.get("/immunisation-fhir-api/FHIR/R4/Immunization/nowhere")
    assert (answer.status_code, answer.get_json()["resourceType"]) == (404, "OperationOutcome")


def test_without_a_server():
    answer = Sandbox(open_provider("nhs")).handle(Request("GET", "/Immunization/nowhere"))
    assert answer.status == 404
''',
}


def _consumer(folder: Path, *, own_path: bool) -> Path:
    project = folder / "consumer"
    for name, text in CONSUMER.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    if own_path:  # the bare command does not look in the current folder by itself
        with (project / "pyproject.toml").open("a", encoding="utf-8") as settings:
            settings.write('pythonpath = ["."]\n')
    return project


@pytest.mark.parametrize("own_path", [True, False], ids=["pythonpath", "no pythonpath"])
@pytest.mark.parametrize("how", ["pytest", "python -m pytest"])
def test_a_consumer_with_its_own_contracts_and_generators_runs_its_tests(
    installed: Installed, how: str, own_path: bool
) -> None:
    project = _consumer(installed.folder, own_path=own_path)
    if how == "pytest" and not own_path:
        (project / "conftest.py").write_text("", "utf-8")  # puts the project's folder on the path (rootdir/conftest.py)
    bare = [str(installed.python.parent / "pytest")]
    command = bare if how == "pytest" else [str(installed.python), "-m", "pytest"]
    done = installed.start([*command, "-q"], cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
