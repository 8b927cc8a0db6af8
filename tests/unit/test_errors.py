"""What messages say of names that do not exist."""

from __future__ import annotations

import pytest

from mocksandbox.errors import UsageError
from mocksandbox.exchange import FORM, Headers, Request
from mocksandbox.provider import open_provider
from mocksandbox.sandbox import Sandbox


def test_the_nearest_known_name_is_told() -> None:
    assert str(UsageError("No fault 'latancy'.", "latancy", ["latency", "reset"])).startswith(
        "No fault 'latancy'. Did you mean 'latency'?"
    )


@pytest.mark.parametrize("letter", ["x", "'", "\n", "\ud800"])
def test_a_long_name_is_cut_before_it_is_compared(letter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, compared = letter * 100_000, list[str]()

    def nearest(given: str, *_: object, **__: object) -> list[str]:
        compared.append(given)
        return []

    monkeypatch.setattr("mocksandbox.errors.get_close_matches", nearest)
    said = str(UsageError(f"No fault {name!r}.", name, ["latency", "x" * 40]))
    assert [len(each) for each in compared] == [201]
    assert len(said) < 2000
    assert said.startswith(f"No fault {name[:200] + '…'!r}.")


def test_a_long_name_of_a_parameter_is_said_back_shortened() -> None:
    provider = open_provider("redox")
    assert provider.valid is not None
    sent = provider.valid("immunizationSearch").request
    long = Request(sent.method, sent.path, headers=Headers([("Content-Type", FORM)]), body=b"patienx" * 10_000 + b"=1")
    answer = Sandbox(provider, "documented").handle(long)
    assert answer.status == 400
    assert "patienxpatienx" in answer.body.decode()
    assert len(answer.body) < 2000
