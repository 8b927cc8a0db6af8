"""`serve --workers 2`: one server to its clients, whatever becomes of one of its processes."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from mocksandbox.exchange import Headers, Request
from tests.conformance.test_concurrency import asking, create, id_of
from tests.e2e.live import serving
from tests.stores import postgres
from tests.stores.living import PATIENCE, Living, living

SEEDED = "12a33650-6f94-4e8f-a971-1c5c41da5b22"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Living]:
    with living(f"sqlite:///{tmp_path / 'records.db'}", "--seed", "1") as made:
        yield made


def control(server: Living, method: str, path: str, body: Any = None) -> Any:
    """A request to the control API, on a connection of its own: whichever worker takes it."""
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, f"/__mocksandbox{path}", sent, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said
        return json.loads(said)
    finally:
        connection.close()


def anew(server: Living, request: Request) -> int:
    """The status of the answer to a request on a new connection."""
    server.hang_up()
    return server.handle(request).status


def test_two_workers_are_one_server(server: Living) -> None:
    assert len(server.workers()) == 2
    ready = server.ready.read_text("utf-8")
    assert json.loads(ready)["url"] == server.url
    ids = []
    for number in range(12):
        made = server.handle(create(f"record-{number}"))
        assert made.status == 201
        ids.append(id_of(made))
        server.hang_up()
        assert anew(server, asking("GET", ids[-1])) == 200
    control(server, "PUT", "/faults", [{"fault": "429", "count": 5}])
    assert sorted(anew(server, asking("GET", SEEDED)) for _ in range(12)) == [200] * 7 + [429] * 5
    for _ in range(4):
        control(server, "PUT", "/clock", {"set": "2030-01-01T00:00:00Z", "freeze": True})
        assert {control(server, "GET", "/clock")["now"] for _ in range(6)} == {"2030-01-01T00:00:00+00:00"}
        control(server, "DELETE", "/clock")
        assert not {True for _ in range(6) if control(server, "GET", "/clock")["frozen"]}
    numbers = [entry["number"] for entry in control(server, "GET", "/journal")["entries"]]
    assert numbers == list(range(1, 37))
    assert server.ready.read_text("utf-8") == ready
    assert list(server.ready.parent.iterdir()) == [server.ready]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(server: Living) -> None:
    ids = [id_of(server.handle(create(f"record-{number}"))) for number in range(5)]
    before = server.workers()
    os.kill(before[0], signal.SIGKILL)
    failed = 0
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            assert {anew(server, asking("GET", id)) for id in ids} == {200}
        except (OSError, HTTPException):
            failed += 1  # the connection was that worker's
        now = server.workers()
        if len(now) == 2 and before[0] not in now:
            break
        time.sleep(0.02)
    assert len(server.workers()) == 2
    assert before[0] not in server.workers()
    assert failed <= 5
    assert server.process.poll() is None
    for number in range(20):
        assert anew(server, create(f"after-{number}")) == 201
    assert server.ready.is_file()


@pytest.mark.parametrize("workers", [1, 2])
def test_whoever_has_asked_is_answered_before_the_server_stops(tmp_path: Path, workers: int) -> None:
    with living(f"sqlite:///{tmp_path / 'records.db'}", workers=workers) as server:
        answers: list[int] = []
        slow = asking("GET", SEEDED).with_header("Prefer", "fault=latency:1500ms")
        thread = threading.Thread(target=lambda: answers.append(server.handle(slow).status))
        thread.start()
        time.sleep(0.5)
        server.process.terminate()
        thread.join(PATIENCE)
        assert answers == [200]
        assert server.process.wait(PATIENCE) == 0
        assert not server.ready.exists()


def test_each_of_several_workers_cuts_connections(tmp_path: Path) -> None:
    with living(f"sqlite:///{tmp_path / 'records.db'}") as server:
        reset = asking("GET", SEEDED).with_header("Prefer", "fault=reset")
        for _ in range(6):
            assert anew(server, asking("GET", SEEDED)) == 200
            with pytest.raises((OSError, HTTPException)):
                anew(server, reset)


def test_records_outlive_the_server(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'records.db'}"
    with living(url) as server:
        id = id_of(server.handle(create("one")))
    with living(url, workers=1) as server:
        kept = server.handle(asking("GET", id))
        assert (kept.status, kept.headers["E-Tag"]) == (200, "1")
        assert [entry["status"] for entry in control(server, "GET", "/journal")["entries"]] == [201, 200]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["records.db"]


def test_a_token_of_one_worker_lets_in_at_all_and_an_assertion_is_taken_once(tmp_path: Path) -> None:
    key = RSAKey.generate_key(2048, {"kid": "k"})
    clients = {"clients": {"an-api-key": {"supplier": "RAVS", "keys": {"keys": [key.as_dict(private=False)]}}}}
    (tmp_path / "clients.json").write_text(json.dumps(clients))
    options = ("--auth", "token", "--clients", str(tmp_path / "clients.json"))
    with living(f"sqlite:///{tmp_path / 'records.db'}", *options) as server:
        claims = {"iss": "an-api-key", "sub": "an-api-key", "aud": f"{server.url}/oauth2/token", "jti": "once"}
        header = {"alg": "RS512", "kid": "k"}
        assertion = jwt.encode(header, {**claims, "exp": int(time.time()) + 200}, key, algorithms=["RS512"])
        answers = [token_answer(server, assertion) for _ in range(8)]
        assert sorted(status for status, _ in answers) == [200] + [400] * 7
        token = next(body["access_token"] for status, body in answers if status == 200)
        read = Request("GET", f"/Immunization/{SEEDED}", headers=Headers([("Authorization", f"Bearer {token}")]))
        assert {anew(server, read) for _ in range(8)} <= {200, 403}  # whatever RAVS may do, it is known who asks
        assert {anew(server, read.with_header("Authorization", "Bearer unknown")) for _ in range(8)} == {401}


def token_answer(server: Living, assertion: str) -> tuple[int, Any]:
    """The answer to a token request on a connection of its own."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    try:
        connection.request("POST", "/oauth2/token", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_store_is_named_by_the_environment_too(tmp_path: Path) -> None:
    environment = {**os.environ, "MOCKSANDBOX_STORE": f"sqlite:///{tmp_path / 'named.db'}"}
    with serving(environment=environment) as server:
        assert server.send("GET", f"/Immunization/{SEEDED}").status == 200
    assert (tmp_path / "named.db").is_file()


def test_a_database_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with postgres.cluster() as cluster:
        if cluster is None:
            pytest.skip(postgres.NEEDED)
        url = postgres.new_database(cluster.url("postgres")).replace("postgres@", "postgres:s3cret@")
        with living(url) as server:
            id = id_of(server.handle(create("one")))
            cluster.stop()
            gone = [server.handle(request) for request in (asking("GET", id), create("two"), asking("DELETE", id))]
            assert [(answer.status, answer.headers["Retry-After"]) for answer in gone] == [(503, "5")] * 3
            assert {answer.json()["resourceType"] for answer in gone} == {"OperationOutcome"}
            cluster.start()
            statuses = [anew(server, asking("GET", id)) for _ in range(10)]
            assert statuses[-4:] == [200] * 4
            assert anew(server, create("two")) == 201
            server.process.terminate()
            assert server.process.stderr is not None
            said = server.process.stderr.read().decode()
            assert "the store" in said or "StoreError" in said
            assert "s3cret" not in said
            assert "Traceback" not in said
