"""A contract test for each surface of schemathesis that the bridge uses: what changes there shows here."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from mocksandbox.errors import UsageError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz.model import Flaw, Step
from mocksandbox.fuzz.reference import Right
from mocksandbox.fuzz.transport import SandboxTarget
from mocksandbox.provider import open_provider
from mocksandbox.sandbox import Sandbox

schemathesis = pytest.importorskip("schemathesis", reason="needs the extra `fuzz`: pip install 'mocksandbox[fuzz]'")

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.0",
    "info": {"title": "A", "version": "1"},
    "paths": {
        "/thing/{id}": {
            "put": {
                "operationId": "putThing",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"type": "object"}, "example": {"from": "the document"}}},
                },
                "responses": {"200": {"description": "done"}},
            }
        }
    },
}


class App:
    """A WSGI application that remembers what it was sent, and answers 200."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.got: list[tuple[str, str, dict[str, str], bytes]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/openapi.json":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self.document).encode()]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {name: value for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT_"))}
        self.got.append((environ["REQUEST_METHOD"], f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}", headers, body))
        start_response("200 OK", [])
        return [b""]


def load(app: App) -> Any:
    from schemathesis.config import CacheConfig, SchemathesisConfig

    config = SchemathesisConfig(seed=1, cache=CacheConfig(enabled=False))
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app, config=config)
    schema.config.update(continue_on_failure=True, workers=1)
    schema.config.generation.update(max_examples=3, database="none")
    schema.config.phases.update(phases=["examples"])
    return schema


def run(schema: Any) -> list[Any]:
    from schemathesis.engine import events, from_schema

    return [event for event in from_schema(schema).execute() if isinstance(event, events.ScenarioFinished)]


@pytest.fixture
def registry() -> Any:
    """The hooks and checks of the process, as they were before."""
    from schemathesis.checks import CHECKS
    from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER

    kept = {name: list(hooks) for name, hooks in GLOBAL_HOOK_DISPATCHER.get_all().items()}
    names = set(CHECKS.get_all_names())
    yield
    GLOBAL_HOOK_DISPATCHER.unregister_all()
    for name, hooks in kept.items():
        GLOBAL_HOOK_DISPATCHER.get_all()[name].extend(hooks)
    for name in set(CHECKS.get_all_names()) - names:
        CHECKS.unregister(name)


def test_the_version_is_the_one_that_was_looked_at() -> None:
    assert schemathesis.__version__.startswith("4.32.")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("before_add_examples", ["context", "examples"]),
        ("before_generate_body", ["context", "strategy"]),
        ("before_call", ["context", "case", "kwargs"]),
        ("after_call", ["context", "case", "response"]),
        ("filter_failure", ["context", "failure", "case", "response"]),
        ("after_load_schema", ["context", "schema"]),
    ],
)
def test_a_hook_is_there_and_takes_what_we_take(name: str, parameters: list[str]) -> None:
    from schemathesis import hook_specs

    assert list(inspect.signature(getattr(hook_specs, name)).parameters) == parameters


def test_examples_that_are_added_are_sent_from_the_last_to_the_first_with_the_document_s_own() -> None:
    app = App(DOCUMENT)
    schema = load(app)

    def add(context: Any, examples: list[Any]) -> None:
        case = context.operation.Case
        examples += [case(path_parameters={"id": str(n)}, body=b"{}", media_type="application/json") for n in range(3)]

    schema.hooks.hook("before_add_examples")(add)
    run(schema)
    assert [path for _, path, _, _ in app.got[:3]] == ["/thing/2?", "/thing/1?", "/thing/0?"]
    assert json.loads(app.got[3][3]) == {"from": "the document"}


def test_a_case_that_a_hook_rewrites_is_sent_as_it_then_is_byte_for_byte(registry: Any) -> None:
    app = App(DOCUMENT)
    schema = load(app)
    body = b'{"a": 0.500, "b": "\xc3\xab", "a": 1}'

    def rewrite(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
        from mocksandbox.schemathesis_bridge.hooks import _fill

        headers = Headers([("Content-Type", "text/odd"), ("X-One", "1")])
        _fill(case, Request("PATCH", "/other/%7Bx%7D/%20", (("q", "1"), ("q", "2"), ("r", "")), headers, body))
        kwargs["data"] = case.body

    schemathesis.hook("before_call")(rewrite)
    run(schema)
    method, path, headers, sent = app.got[0]
    assert (method, path, sent) == ("PATCH", "/other/{x}/ ?q=1&q=2&r=", body)
    assert (headers["CONTENT_TYPE"], headers["HTTP_X_ONE"]) == ("text/odd", "1")
    assert headers["HTTP_X_SCHEMATHESIS_TESTCASEID"]


def test_a_body_without_a_media_type_is_sent_without_one(registry: Any) -> None:
    app = App(DOCUMENT)
    schema = load(app)

    def rewrite(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
        case.media_type, kwargs["data"] = None, b"abc"

    schemathesis.hook("before_call")(rewrite)
    run(schema)
    assert app.got[0][3] == b"abc"
    assert not app.got[0][2].get("CONTENT_TYPE")


def test_a_check_s_failures_are_told_apart_by_their_key_and_dropped_by_a_hook(registry: Any) -> None:
    from schemathesis.core.failures import FailureGroup

    from mocksandbox.schemathesis_bridge.failures import Broken

    provider = open_provider("nhs")
    flaws = [Flaw("accepted-invalid", "createImmunization", (rule,), "400", "201") for rule in ("nhs/a", "nhs/b", "nhs/c")]

    @schemathesis.check
    def three_at_once(context: Any, response: Any, case: Any) -> None:
        raise FailureGroup([Broken(flaw, provider, case.operation.label) for flaw in flaws])

    schema = load(App(DOCUMENT))
    schema.hooks.hook("filter_failure")(lambda context, failure, case, response: "nhs/c" not in failure.title)
    [event] = run(schema)
    failures = [check.failure_info for checks in event.recorder.checks.values() for check in checks if check.failure_info]
    assert sorted(each.failure.title for each in failures) == ["accepted-invalid: nhs/a", "accepted-invalid: nhs/b"]
    assert all(each.code_sample.startswith("curl ") for each in failures)
    assert {each.failure._unique_key for each in failures} == {flaw.identity for flaw in flaws[:2]}
    assert event.recorder.cases.keys() == event.recorder.interactions.keys()


def test_a_failure_has_the_code_that_decides_whether_it_is_one() -> None:
    from schemathesis.core import failures as core
    from schemathesis.openapi import checks

    from mocksandbox.schemathesis_bridge import failures

    codes = {
        each.code
        for module in (core, checks)
        for each in vars(module).values()
        if isinstance(each, type) and hasattr(each, "code")
    }
    assert codes >= failures._BY_STATUS | failures._BY_DOCUMENT | failures._KINDS.keys()
    assert (checks.RejectedPositiveData.code, checks.JsonSchemaError.code, core.ServerError.code) == (
        "ST202",
        "ST108",
        "ST101",
    )


@pytest.mark.parametrize(
    ("code", "status", "right", "kinds", "dropped"),
    [
        ("ST202", 400, 400, (), True),  # the document takes it, the service does not
        ("ST202", 400, 201, (), False),
        ("ST201", 201, 201, (), True),
        ("ST201", 201, 400, (), False),
        ("ST108", 200, 200, (), True),  # our rules know where the document is wrong
        ("ST108", 200, 200, ("nonconforming",), False),
        ("ST101", 500, 400, (), False),
        ("ST101", 500, 500, (), False),
        ("ST401", 200, 200, (), False),
    ],
)
def test_what_the_right_answer_is_too_is_no_failure(
    code: str, status: int, right: int, kinds: tuple[str, ...], dropped: bool
) -> None:
    from schemathesis.core.failures import Failure

    from mocksandbox.schemathesis_bridge.failures import excused

    made = type("Made", (Failure,), {"code": code})(operation="x", message="")
    flaws = tuple(Flaw(kind, "x", (), "", "") for kind in kinds)
    assert excused(made, status, (flaws, Right(Response(right)))) is dropped


def test_the_stock_phases_find_nothing_wrong_with_the_mock_and_send_through_its_target() -> None:
    from mocksandbox.schemathesis_bridge import stock

    provider = open_provider("nhs")
    target = SandboxTarget(Sandbox(provider))
    assert list(stock(provider, target, seed=3, max_examples=5, phases=("examples", "fuzzing"))) == []
    assert len(target.sandbox.journal) > 20


def test_the_stock_phases_find_a_server_that_takes_everything_and_one_that_fails() -> None:
    from mocksandbox.schemathesis_bridge import stock

    class Wrong:
        name = base_url = "http://wrong.invalid"

        def send(self, request: Request) -> Step:
            failing = request.method in ("PUT", "DELETE")
            answer = Response(500) if failing else Response(200, Headers([("Content-Type", "application/fhir+json")]), b"{}")
            return Step(request, answer)

    found = [flaw for flaw, _ in stock(open_provider("nhs"), Wrong(), seed=3, max_examples=5, phases=("examples", "fuzzing"))]
    assert len({flaw.identity for flaw in found}) == len(found)
    kinds = {flaw.kind for flaw in found}
    assert {"accepted-invalid", "server-error", "nonconforming"} <= kinds
    assert any(flaw.rules and flaw.kind == "accepted-invalid" for flaw in found), "a finding names the rule"


def test_a_target_that_does_not_answer_is_a_flaw_and_no_error() -> None:
    from mocksandbox.schemathesis_bridge import stock

    class Silent:
        name = base_url = "http://silent.invalid"

        def send(self, request: Request) -> Step:
            return Step(request, None, 0.1, "timeout")

    found = [flaw for flaw, _ in stock(open_provider("nhs"), Silent(), max_examples=2, phases=("examples",))]
    assert {flaw.kind for flaw in found} == {"no-answer"}


def test_nothing_else_imports_schemathesis() -> None:
    named = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mocksandbox").rglob("*.py")
        if any(
            line.startswith(("import schemathesis", "from schemathesis"))
            for line in map(str.strip, path.read_text().splitlines())
        )
    ]
    assert {name.split("/")[1] for name in named} == {"schemathesis_bridge"}


def test_importing_the_bridge_registers_nothing() -> None:
    program = (
        "import mocksandbox.schemathesis_bridge\n"
        "from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER as hooks\n"
        "assert not hooks.get_all()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, env={"PYTHONPATH": str(ROOT)})


@pytest.mark.parametrize(("found", "says"), [(None, "is not installed"), ("4.33.0", "4.33.0 is installed")])
def test_without_the_right_schemathesis_the_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, found: str | None, says: str
) -> None:
    from importlib.metadata import PackageNotFoundError

    from mocksandbox import schemathesis_bridge

    def version(name: str) -> str:
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(schemathesis_bridge, "version", version)
    with pytest.raises(UsageError, match=rf"{says}.*pip install 'mocksandbox\[fuzz\]'"):
        schemathesis_bridge._check_installed()


@pytest.mark.parametrize("name", ["nhs", "clinikapi", "redox", "evaluation"])
def test_a_provider_is_known_by_its_document(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from mocksandbox.schemathesis_bridge.hooks import provider_of

    monkeypatch.delenv("MOCKSANDBOX_PROVIDER", raising=False)
    assert provider_of(str(open_provider(name).contract.document["info"]["title"])).name == name
    assert provider_of("Something else").name == "nhs"
    monkeypatch.setenv("MOCKSANDBOX_PROVIDER", "redox")
    assert provider_of("Something else").name == "redox"
