"""What people give by hand: a provider's name for a provider, a plain dict for headers. What cannot be taken is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mocksandbox import Request, Sandbox, create_app, open_provider
from mocksandbox.consumer.payload_source import PayloadSource
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Headers, Response
from mocksandbox.server import Settings

FHIR = {"Accept": "application/fhir+json"}
PAIRS = list(FHIR.items())


@pytest.mark.parametrize("given", [FHIR, PAIRS, tuple(PAIRS), Headers(PAIRS)])
def test_headers_may_be_a_plain_dict_or_pairs(given: Any) -> None:
    request = Request("GET", "/_ping", headers=given)
    assert request.headers == Headers(PAIRS)
    assert request.headers["accept"] == "application/fhir+json"
    assert Sandbox(open_provider("nhs")).handle(request).status == 200
    assert Response(200, given).with_header("X", "1").headers.pairs == (*PAIRS, ("X", "1"))
    assert replace(request, headers=given) == request


def test_headers_that_are_headers_stay_the_same_ones() -> None:
    headers = Headers(PAIRS)
    assert Request("GET", "/", headers=headers).headers is headers


@pytest.mark.parametrize("given", [None, "Accept: x", 5, {"Authorization": 5}, {"Authorization": ["s3cret"]}, [("s3cret",)]])
@pytest.mark.parametrize("make", [lambda given: Request("GET", "/", headers=given), lambda given: Response(200, given)])
def test_what_cannot_be_headers_is_told_without_its_secrets(make: Any, given: Any) -> None:
    with pytest.raises(TypeError, match=r"^headers must be Headers, a dict of texts or pairs of texts") as caught:
        make(given)
    assert "s3cret" not in str(caught.value)


def test_a_sandbox_and_an_application_take_the_name_of_a_provider() -> None:
    assert Sandbox("clinikapi").provider is open_provider("clinikapi")  # type: ignore[arg-type]
    assert list(create_app("clinikapi").extensions["mocksandbox"]) == ["clinikapi"]
    assert list(create_app(Settings(providers=("redox",))).extensions["mocksandbox"]) == ["redox"]


@pytest.mark.parametrize("make", [Sandbox, create_app])
def test_what_is_no_provider_is_told(make: Any) -> None:
    with pytest.raises(UsageError, match=r"No provider 'nsh'\. Did you mean 'nhs'"):
        make("nsh")
    with pytest.raises(TypeError, match=r"name of .*\"nhs\".*; \['nhs'\] is neither"):
        make(["nhs"])


def test_a_payload_has_a_seed_of_its_own_where_it_is_asked_for() -> None:
    source = PayloadSource("nhs", 7, broken=False)
    assert source.body("nhs", seed=1) == PayloadSource("nhs", 1, broken=False).body("nhs")
    assert source.body("nhs") != source.body("nhs", seed=1)
    assert PayloadSource("nhs", 7, broken=True)("nhs", 2, seed=1)


@pytest.mark.parametrize(
    ("broken", "given", "says"),
    [
        (False, "styl", "payloads has no argument 'styl'. Did you mean 'style'"),
        (False, "rule", "payloads has no argument 'rule'. Known: as_of, seed, style"),
        (True, "source", "broken_payloads has no argument 'source'. Did you mean 'sources'"),
    ],
)
def test_an_argument_that_payloads_have_not_is_told(broken: bool, given: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        PayloadSource("nhs", 0, broken=broken)("nhs", **{given: "x"})
