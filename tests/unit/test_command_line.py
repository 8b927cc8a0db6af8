"""The command line in process: what it refuses, what it says, and its exit codes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from mocksandbox.cli import main


@dataclass(frozen=True)
class Done:
    """A command that has ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mocksandbox ARGUMENTS`."""

    def mocksandbox(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["mocksandbox", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Done(int(ended.value.code or 0), out, err)

    return mocksandbox


@contextmanager
def answering(status: int, kind: str, body: bytes) -> Iterator[str]:
    """The URL of a server that answers everything alike."""

    class Alike(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Alike)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/base"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--run", "https://api.service.nhs.uk/immunisation-fhir-api/FHIR/R4"], "in production"),
        (
            ["--run", "https://api.service.nhs.uk/x", "--allow-host", "api.service.nhs.uk", "--yes"],
            "is a service in production",
        ),
        (["--run", "https://int.api.service.nhs.uk/x"], "--allow-host int.api.service.nhs.uk --yes"),
        (["--run", "https://int.api.service.nhs.uk/x", "--allow-host", "int.api.service.nhs.uk"], "add --yes"),
        (["--run", "http://127.0.0.1:99999/x"], "is not a URL"),
        (["--run", "http://[::1/x"], "is not a URL"),
    ],
)
def test_scenarios_are_replayed_where_the_fuzzer_would_fire(run: Run, arguments: list[str], says: str) -> None:
    done = run("scenarios", "nhs", *arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err


def test_an_allowed_host_is_sent_to(run: Run) -> None:
    host = "int.api.service.nhs.uk.invalid"
    done = run("scenarios", "nhs", "--run", f"http://{host}/x", "--allow-host", host, "--yes")
    assert (done.code, done.out) == (4, "")
    assert "does not answer" in done.err


@pytest.mark.parametrize("command", [["scenarios", "nhs", "--run"], ["fuzz", "nhs", "--url"]])
def test_a_target_that_speaks_http_alone_is_told_so(run: Run, command: list[str]) -> None:
    with answering(200, "text/plain", b"") as url:
        done = run(*command, url.replace("http:", "https:"))
    assert done.code == 4
    assert f"it may speak http and not https: try {url}" in done.err


def test_the_same_answer_to_every_scenario_asks_for_the_base_path(run: Run) -> None:
    with answering(404, "text/html", b"<h1>no</h1>") as url:
        done = run("scenarios", "nhs", "--run", url)
    assert done.code == 1
    assert done.err == "mocksandbox: every request got 404 (text/html): is --run the API's base path?\n"


def test_what_is_no_url_to_fire_at_is_told_at_once(run: Run) -> None:
    done = run("fuzz", "nhs", "--url", "ftp://x/y")
    assert done.code == 2
    assert "'ftp://x/y' is not a URL" in done.err


def test_a_misspelt_command_is_told_with_the_nearest(run: Run) -> None:
    done = run("serv", "nhs")
    assert done.code == 2
    assert "No command 'serv'. Did you mean 'serve'?" in done.err


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2021-06-30"])
@pytest.mark.parametrize("command", [["generate", "nhs"], ["check", "nhs", __file__]])
def test_a_day_on_which_no_record_can_be_made_up_is_told(run: Run, command: list[str], day: str) -> None:
    done = run(*command, "--as-of", day)
    assert (done.code, done.out) == (2, "")
    assert f"--as-of '{day}' is out of range: name a day from 2021-07-01 to 2999-12-31." in done.err


@pytest.mark.parametrize("day", ["2021-07-01", "2999-12-31"])
def test_what_is_made_up_on_a_day_is_right_on_that_day(run: Run, tmp_path: Path, day: str) -> None:
    made = str(tmp_path / "made.ndjson")
    assert run("generate", "nhs", "--as-of", day, "--count", "200", "--style", "unusual", "-o", made).code == 0
    assert run("check", "nhs", "--as-of", day, made).out == "200 records: 0 errors, 0 warnings\n"


def test_check_counts_the_entries_that_it_leaves_out(run: Run, tmp_path: Path) -> None:
    included = {"resource": {"resourceType": "Patient"}, "search": {"mode": "include"}}
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [included, {"response": {"status": "204"}}]}
    path = tmp_path / "found.json"
    path.write_text(json.dumps(bundle), "utf-8")
    done = run("check", "nhs", str(path))
    told = ["0 records: 0 errors, 0 warnings", "1 entry of another type (Patient) left out"]
    assert (done.code, done.out.splitlines()) == (5, [*told, "1 entry without a resource left out"])
    machine = run("check", "nhs", str(path), "--format", "json")
    assert (json.loads(machine.out), machine.err.splitlines()[0]) == ([], told[1])


def test_one_of_a_sort_is_told_in_the_singular(run: Run, tmp_path: Path) -> None:
    assert run("generate", "nhs", "--style", "minimal", "--format", "bodies", "-o", str(tmp_path / "a.json")).code == 0
    record = json.loads((tmp_path / "a.json").read_bytes())
    record["identifier"][0]["use"] = "bogus"
    (tmp_path / "a.json").write_text(json.dumps(record), "utf-8")
    assert run("check", "nhs", str(tmp_path / "a.json")).out.endswith("1 record: 0 errors, 1 warning\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["clinikapi", "--format", "bundle"], "sends no FHIR resource"),
        (["nhs/deleteImmunization", "--format", "transaction"], "sends no FHIR resource"),
        (["nhs", "--broken", "--format", "bundle"], "With "),
        (["nhs", "--broken", "--format", "bodies"], "is no JSON"),
    ],
)
def test_what_cannot_be_written_leaves_nothing_half_written(run: Run, tmp_path: Path, arguments: list[str], says: str) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("as it was", "utf-8")
    done = run("generate", *arguments, "-o", str(kept))
    assert done.code == 2
    assert says in done.err
    assert (kept.read_text("utf-8"), list(tmp_path.iterdir())) == ("as it was", [kept])
    printed = run("generate", *arguments)
    assert (printed.code, printed.out) == (2, "")


def test_a_file_that_is_written_anew_keeps_its_rights_and_a_link_its_end(run: Run, tmp_path: Path) -> None:
    path, link = tmp_path / "a.ndjson", tmp_path / "link"
    path.touch(0o640)
    link.symlink_to(path)
    assert run("generate", "nhs", "-o", str(link)).code == 0
    assert (path.stat().st_mode & 0o777, link.is_symlink()) == (0o640, True)
    assert path.stat().st_size > 1_000
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.ndjson", "link"]


def test_a_device_that_is_full_is_named(run: Run) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no device that is always full")
    done = run("generate", "nhs", "-o", "/dev/full")
    assert (done.code, done.err) == (2, "mocksandbox: /dev/full cannot be written: No space left on device.\n")
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("http/body-too-large", "it is broken by who sends a request, or by how much the server reads"),
        ("http/unsupported-media-type", "it is a rule of the profile documented and sandbox, not of integration."),
        ("nhs/bad-gendr", "No rule 'nhs/bad-gendr'. Did you mean 'nhs/bad-gender' or "),
        ("zzz", "like http/body-too-large"),
    ],
)
def test_a_rule_that_cannot_be_broken_is_told_in_a_line_that_is_read(run: Run, rule: str, says: str) -> None:
    done = run("generate", "nhs", "--broken", "--rule", rule)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert len(done.err) < 200


def test_broken_requests_have_no_style(run: Run) -> None:
    done = run("generate", "nhs", "--broken", "--style", "full")
    assert done.code == 2
    assert "--style goes with valid requests" in done.err


@pytest.mark.parametrize(
    "arguments",
    [["fuzz", "nhs", "--url", "http://127.0.0.1:1/x"], ["report", "merge", "here"]],
    ids=lambda arguments: str(arguments[0]),
)
def test_several_reports_need_a_folder(run: Run, arguments: list[str]) -> None:
    done = run(*arguments, "--report", "json", "--report", "html", "--report", "json")
    assert (done.code, done.out) == (2, "")
    assert "2 reports cannot share standard output: add --report-dir DIR" in done.err


def test_a_folder_of_reports_that_cannot_be_written_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with answering(404, "text/html", b"") as url:
        done = run(
            "fuzz", "nhs", "--url", url, "--cell", "0", "--report", "json", "--report-dir", str(tmp_path / "file" / "x")
        )
    assert done.code == 2
    assert "cannot be written" in done.err


def test_a_campaign_says_in_a_log_how_far_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mocksandbox.cli.progress.EVERY", 0.05)
    with answering(404, "text/html", b"") as url:
        done = run("fuzz", "nhs", "--url", url, "--budget", "20", "--no-stock")
    started = re.search(rf"(?m)^Firing \d+ cells at {re.escape(url)} …\n", done.err)
    assert started
    beats = done.err[started.end() :].splitlines()
    assert beats
    assert all(re.fullmatch(r" +\d+ s: \d+ of \d+ cells, \d+ findings?(; looking closer)?", line) for line in beats)
    assert done.out.startswith("every valid request got 404 (text/html): is --url the API's base path?")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("scenarios: []", "has `scenarios`, which nothing reads: known are `operations`, `errors`"),
        ("operation: []", "has `operation`, which nothing reads: did you mean `operations`?"),
        ("errors: [{id: x, operation: a, row: r, documented: {status: 200}, observd: {}}]", "did you mean `observed`?"),
        ("errors: [{id: x, operation: a, row: r, documented: {status: 200, code: 5}}]", "#/errors/0/documented: has `code`"),
        ("errors: [{id: x, operation: a, row: r, documented: {status: 200}, request: {header: {}}}]", "`headers`?"),
    ],
)
def test_a_slip_in_the_scenarios_is_told(run: Run, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "openapi.json").write_text(PLAIN, "utf-8")
    (tmp_path / "scenarios.yaml").write_text(text, "utf-8")
    done = run("scenarios", str(tmp_path))
    assert (done.code, done.out) == (3, "")
    assert f"{tmp_path / 'scenarios.yaml'}" in done.err
    assert says in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["serve", "./no-such-folder"], "There is no folder ./no-such-folder."),
        (["serve", __file__], f"is a file: name the folder that has the OpenAPI document, as {Path(__file__).parent}."),
        (
            ["rules", "nhs/bad-nhs-number"],
            "is neither a provider nor a folder: name the provider alone, as nhs.",
        ),
    ],
)
def test_what_is_no_folder_of_a_contract_is_told_for_what_it_is(run: Run, arguments: list[str], says: str) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err


PLAIN = """{"openapi": "3.0.3", "info": {"title": "t", "version": "1"},
"paths": {"/a": {"get": {"operationId": "a", "responses": {"200": {"description": "d"}}}}}}"""


def test_an_api_without_scenarios_says_where_they_belong(run: Run, tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(PLAIN, "utf-8")
    done = run("scenarios", str(tmp_path))
    assert (done.code, done.out) == (5, "")
    assert f"has no scenarios: write them into {tmp_path / 'scenarios.yaml'}" in done.err
