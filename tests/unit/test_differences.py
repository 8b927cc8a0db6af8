"""The first requests do not wait for openapi-core, and are checked against the document all the same."""

from __future__ import annotations

from dataclasses import replace

from mocksandbox.provider import Provider, open_provider
from mocksandbox.sandbox import Sandbox
from mocksandbox.sandbox.differences import Later

CREATE = "createImmunization"


def differing(provider: Provider) -> Sandbox:
    """A sandbox that still loads, and was sent a request that the service takes and the document does not."""
    sandbox = Sandbox(provider)
    sandbox.differences.loading = True
    assert provider.valid is not None
    request = provider.valid(CREATE).request.with_header("X-Request-ID", "no UUID")
    assert sandbox.handle(request).status == 201
    return sandbox


def test_a_request_that_comes_while_the_check_is_loaded_is_checked_when_it_is() -> None:
    provider = open_provider("nhs")
    sandbox = differing(provider)
    (entry,) = sandbox.journal
    assert isinstance(entry.differences, Later)
    sandbox.differences.load(provider)
    assert not sandbox.differences.loading
    assert entry.summary()["differences"] == ["header:X-Request-ID must match " + _pattern(provider)]


def test_whoever_looks_earlier_sees_the_same() -> None:
    provider = open_provider("nhs")
    early, late = differing(provider), Sandbox(provider)
    (entry,) = early.journal
    assert len(entry.differences) == 1
    late.handle(entry.exchange.request)
    assert list(next(iter(late.journal)).differences) == list(entry.differences) == [entry.differences[0]]


def test_a_document_that_cannot_be_checked_against_is_no_reason_to_keep_anybody_waiting() -> None:
    provider = open_provider("nhs")
    broken = replace(provider, contract=replace(provider.contract, document={"openapi": "3.0.3", "paths": 5}))
    sandbox = Sandbox(provider)
    sandbox.differences.loading = True
    sandbox.differences.load(replace(broken, valid=None))
    assert not sandbox.differences.loading


def _pattern(provider: Provider) -> str:
    parameters = provider.contract.operation(CREATE).parameters
    return str(next(each.schema["pattern"] for each in parameters if each.name == "X-Request-ID"))
