"""Who is let in, and who is told why not: client assertions, access tokens, files of clients, rights of suppliers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from mocksandbox.contract import read_mapping
from mocksandbox.errors import ContractError, UsageError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import AuthOptions
from mocksandbox.provider.keys import LEAST_BITS
from mocksandbox.provider.tokens import ASSERTION_TYPE, KEPT_FOR, MOST_BYTES, Kept, Used
from mocksandbox.providers.nhs import BASE_PATH, provider
from mocksandbox.providers.nhs.authority import OpenDoor, authority
from mocksandbox.providers.nhs.diseases import vaccine_types
from mocksandbox.providers.nhs.fields import FOLDER
from mocksandbox.providers.nhs.parts import NHS_NUMBER_SYSTEM, SNOMED
from mocksandbox.providers.nhs.tokens import LIFETIME, PATH, TokenDoor
from mocksandbox.sandbox import Clock, Sandbox

ORIGIN = "http://localhost:8080"
ENDPOINT = ORIGIN + PATH
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
CLIENT, OTHER_CLIENT = "the-clients-api-key", "another-api-key"
GATEWAY = "The sender has not provided a token or it has expired or is otherwise invalid."
_ALLOWED_IN_A_DESCRIPTION = set(map(chr, range(0x20, 0x7F))) - set('"\\')


@cache
def key(kid: str) -> RSAKey:
    return RSAKey.generate_key(LEAST_BITS, {"kid": kid})


def public(*kids: str) -> dict[str, Any]:
    return {"keys": [{**key(kid).as_dict(private=False), "kid": kid, "use": "sig"} for kid in kids]}


@pytest.fixture(scope="module")
def clients_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("clients")
    (tmp_path / "jwks.json").write_text(json.dumps(public("k1", "k2")))
    entries = {CLIENT: {"supplier": "RAVS", "jwks": "jwks.json"}, OTHER_CLIENT: {"supplier": "SONAR", "keys": public("k3")}}
    path = tmp_path / "clients.json"
    path.write_text(json.dumps({"clients": entries}))
    return path


@pytest.fixture
def door(clients_file: Path) -> TokenDoor:
    made = authority(AuthOptions("token", {"clients": clients_file}))
    assert isinstance(made, TokenDoor)
    return made


def part(value: bytes | Mapping[str, Any]) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: bytes | Mapping[str, Any], claims: bytes | Mapping[str, Any], kid: str = "k1") -> str:
    """A JWT with any header and claims, and a signature that is right for them: RS512 with the key of this name."""
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{part(JWSRegistry.algorithms['RS512'].sign(text.encode(), key(kid)))}"


HEADER: Mapping[str, Any] = {"alg": "RS512", "typ": "JWT", "kid": "k1"}


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims, with changes; a claim that is set to None is left out."""
    good = {"iss": CLIENT, "sub": CLIENT, "aud": ENDPOINT, "jti": str(uuid4()), "exp": SECONDS + 300}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def form(assertion: str | None = None, **changes: str | None) -> bytes:
    """A good token request's body, with changes; a parameter that is set to None is left out."""
    good = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed(HEADER, claims()) if assertion is None else assertion,
    }
    return urlencode({name: value for name, value in {**good, **changes}.items() if value is not None}).encode()


def asking(body: bytes, base_url: str = ORIGIN, **headers: str) -> Request:
    pairs = {"Content-Type": "application/x-www-form-urlencoded", **{n.replace("_", "-"): v for n, v in headers.items()}}
    return Request("POST", PATH, headers=Headers(pairs.items()), body=body, base_url=base_url)


def ask(door: TokenDoor, body: bytes, now: datetime = NOW) -> Response:
    return door.routes()["POST", PATH](asking(body), now)


def with_token(token: str) -> Request:
    return Request(
        "GET", "/Immunization/1", headers=Headers([("Authorization", f"Bearer {token}")]), base_url=ORIGIN + BASE_PATH
    )


@dataclass(frozen=True)
class Broken:
    """A token request with one mistake, and the answer that it gets. `says` is a part of the remedy."""

    key: str
    request: Callable[[], Request]
    status: int
    says: str
    error: str = "invalid_request"


def body_with(key: str, says: str, make: Callable[[], bytes], status: int = 400, error: str = "invalid_request") -> Broken:
    return Broken(key, lambda: asking(make()), status, says, error)


def claim(key: str, says: str, status: int = 400, **changes: Any) -> Broken:
    return body_with(key, says, lambda: form(signed(HEADER, claims(**changes))), status)


def header(key: str, says: str, status: int = 400, error: str = "invalid_request", **changes: Any) -> Broken:
    def make() -> bytes:
        changed = {name: value for name, value in {**HEADER, **changes}.items() if value is not None}
        return form(signed(changed, claims()))

    return body_with(key, says, make, status, error)


def unsigned() -> bytes:
    return form(f"{part({**HEADER, 'alg': 'none'})}.{part(claims())}.")


def tampered() -> bytes:
    head, _, signature = signed(HEADER, claims()).split(".")
    return form(f"{head}.{part(claims(iat=SECONDS))}.{signature}")


BROKEN = (
    Broken("not-a-form", lambda: asking(form(), Content_Type="application/json"), 400, "application/json"),
    body_with("too-large", str(MOST_BYTES), lambda: form(padding="x" * MOST_BYTES)),
    body_with("repeated", "Send grant_type once", lambda: form() + b"&grant_type=client_credentials"),
    body_with("grant-missing", "client_credentials", lambda: form(grant_type=None)),
    body_with("grant-unsupported", "It is password", lambda: form(grant_type="password"), 400, "unsupported_grant_type"),
    body_with("secret", "Leave out client_secret", lambda: form(client_secret="s")),
    Broken("secret", lambda: asking(form(), Authorization="Basic eDp5"), 400, "Leave out the header Authorization"),
    body_with("type-missing", "add it", lambda: form(client_assertion_type=None)),
    body_with("type-unknown", "It is jwt-bearer", lambda: form(client_assertion_type="jwt-bearer")),
    body_with("assertion-missing", "signed", lambda: form("")),
    body_with("malformed-parts", "has 1 parts", lambda: form("garbage")),
    body_with("malformed-header", "first part", lambda: form(signed(b"not JSON", claims()))),
    body_with("malformed-claims", "second part", lambda: form(signed(HEADER, b"[1]"))),
    body_with("malformed-signature", "third part", lambda: form(signed(HEADER, claims()) + "\u20ac")),
    header("malformed-member", "typ", typ=5),
    header("alg-missing", "RS512", alg=None),
    body_with("alg-none", "anybody", unsigned),
    header("alg-symmetric", "It is HS512", alg="HS512"),
    header("alg-unsupported", "It is RS256", alg="RS256"),
    header("alg-unsupported", "It is an array", alg=["RS512"]),
    header("crit", "leave crit out", crit=["exp"], exp=1),
    header("kid-missing", "JWKS", kid=None),
    header("kid-unknown", "It is k9; this client's keys are k1, k2.", 401, kid="k9"),
    header("kid-unknown", "It is k3", 401, kid="k3"),
    claim("issuer-missing", "no iss", iss=None),
    claim("subject-missing", "no sub", sub=None),
    claim("subject-differs", f"sub is {OTHER_CLIENT}", sub=OTHER_CLIENT),
    claim("client-unknown", "API key stranger", 401, iss="stranger", sub="stranger"),
    body_with("client-differs", "It is stranger", lambda: form(client_id="stranger")),
    claim("exp-missing", "300 seconds", exp=None),
    claim("exp-type", "It is a string", exp=str(SECONDS + 60)),
    claim("exp-type", "It is a boolean", exp=True),
    claim("exp-past", f"It is {SECONDS} and here it is {SECONDS}", exp=SECONDS),
    claim("exp-far", "at most 300 ahead", exp=SECONDS + 301),
    claim("exp-far", "at most 300 ahead", exp=10**400),
    claim("aud-missing", ENDPOINT, 401, aud=None),
    claim("aud-differs", "It is https://int.api.service.nhs.uk/oauth2/token", 401, aud="https://int.api.service.nhs.uk/oauth2/token"),
    claim("aud-differs", f"{ENDPOINT}/", 401, aud=f"{ENDPOINT}/"),
    claim("jti-missing", "UUID", jti=None),
    claim("jti-type", "It is a number", jti=1234567890),
    claim("jti-type", "It is empty", jti=""),
    claim("jti-long", "257 characters", jti="x" * 257),
    claim("iat-type", "It is a string", iat="now"),
    claim("iat-future", str(SECONDS + 31), iat=SECONDS + 31),
    claim("iat-after-exp", "exp comes after iat", iat=SECONDS + 10, exp=SECONDS + 5),
    claim("nbf-type", "It is an object", nbf={}),
    claim("nbf-future", str(SECONDS + 60), nbf=SECONDS + 60),
    body_with("signature", "belongs to k1", lambda: form(signed(HEADER, claims(), kid="k2")), 401, "public_key error"),
    body_with("signature", "belongs to k1", tampered, 401, "public_key error"),
)  # fmt: skip


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.key)
def test_a_broken_token_request_is_refused_with_the_place_and_the_remedy(door: TokenDoor, case: Broken) -> None:
    answer = door.token(case.request(), NOW)
    body = answer.json()
    assert (answer.status, body["error"]) == (case.status, case.error)
    assert case.says in body["error_description"]
    assert body["error_description"].startswith(wording()[f"token.{case.key}"]["text"])
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(body) == {"error", "error_description", "message_id"}
    assert len(door.given) == len(door.used) == 0


def wording() -> Mapping[str, Any]:
    return read_mapping(FOLDER / "messages.yaml")


def test_every_mistake_has_a_text_of_its_own(door: TokenDoor) -> None:
    texts = {case.key: door.token(case.request(), NOW).json()["error_description"] for case in BROKEN}
    assert len(set(texts.values())) == len(texts) >= 24


def test_every_text_of_the_token_endpoint_is_for_a_mistake_tried_here() -> None:
    tried = {f"token.{case.key}" for case in BROKEN} | {"token.jti-used", "token.no-clients"}
    assert tried == {name for name in wording() if name.startswith("token.")}


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.key)
def test_a_description_has_only_the_characters_that_oauth_allows(door: TokenDoor, case: Broken) -> None:
    assert set(door.token(case.request(), NOW).json()["error_description"]) <= _ALLOWED_IN_A_DESCRIPTION


def test_what_a_client_wrote_cannot_break_out_of_a_description(door: TokenDoor) -> None:
    body = ask(door, form(grant_type='x"\\\u20ac\n{oops}' + "y" * 1000)).json()
    assert set(body["error_description"]) <= _ALLOWED_IN_A_DESCRIPTION
    assert "x????{oops}" in body["error_description"]
    assert len(body["error_description"]) < 300


def test_a_good_token_request_gets_a_token_for_its_supplier(door: TokenDoor) -> None:
    answer = ask(door, form())
    body = answer.json()
    assert answer.status == 200
    assert (body["expires_in"], body["token_type"]) == ("599", "Bearer")
    caller, refusal = door.identify(with_token(body["access_token"]), NOW)
    assert refusal is None
    assert (caller.name, caller.may("MMR.C"), caller.may("BCG.C")) == ("RAVS", True, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["https://elsewhere.example", ENDPOINT]},
        {"iat": SECONDS - 5, "nbf": SECONDS - 5.5},
        {"iat": SECONDS + 30},
        {"exp": SECONDS + 1},
        {"extra": {"anything": [1]}},
    ],
    ids=str,
)
def test_claims_that_are_unusual_but_right_are_taken(door: TokenDoor, changes: dict[str, Any]) -> None:
    assert ask(door, form(signed(HEADER, claims(**changes)), client_id=CLIENT)).status == 200


def test_unknown_headers_of_a_jwt_are_ignored_however_long(door: TokenDoor) -> None:
    long = {**HEADER, "x-note": "n" * 2000, "jku": "https://keys.example/jwks.json"}
    assert ask(door, form(signed(long, claims()))).status == 200


@pytest.mark.parametrize(
    ("base_url", "endpoint"),
    [
        (ORIGIN, ENDPOINT),
        (ORIGIN + BASE_PATH, ENDPOINT),
        ("https://proxy.example/mock", "https://proxy.example/mock/oauth2/token"),
    ],
)
def test_the_audience_is_the_endpoint_as_the_client_reached_it(door: TokenDoor, base_url: str, endpoint: str) -> None:
    body = form(signed(HEADER, claims(aud=endpoint)))
    assert door.token(asking(body, base_url), NOW).status == 200


def test_an_assertion_is_taken_once(door: TokenDoor) -> None:
    body = form()
    assert ask(door, body).status == 200
    again = ask(door, body)
    assert (again.status, again.json()["error"]) == (400, "invalid_request")
    assert again.json()["error_description"].startswith("Non-unique jti claim in client_assertion JWT. ")


def test_the_same_jti_of_another_client_is_another_jti(door: TokenDoor) -> None:
    other = {"iss": OTHER_CLIENT, "sub": OTHER_CLIENT, "jti": "one"}
    assert ask(door, form(signed(HEADER, claims(jti="one")))).status == 200
    assert ask(door, form(signed({**HEADER, "kid": "k3"}, claims(**other), kid="k3"))).status == 200


def test_a_refused_assertion_does_not_use_its_jti_up(door: TokenDoor) -> None:
    assert ask(door, form(signed(HEADER, claims(jti="one"), kid="k2"))).status == 401
    assert ask(door, form(signed(HEADER, claims(jti="one")))).status == 200


def test_a_jti_is_kept_until_its_exp_and_then_forgotten(door: TokenDoor) -> None:
    assert ask(door, form(signed(HEADER, claims(jti="one", exp=SECONDS + 10)))).status == 200
    for seconds, status in ((9, 400), (10, 200)):
        later = NOW + timedelta(seconds=seconds)
        body = form(signed(HEADER, claims(jti="one", exp=SECONDS + seconds + 60)))
        assert ask(door, body, later).status == status
    assert len(door.used) == 1


def test_of_many_threads_with_one_assertion_one_gets_a_token(door: TokenDoor) -> None:
    body, start, statuses = form(), Barrier(20), list[int]()

    def send() -> None:
        start.wait()
        statuses.append(ask(door, body).status)

    threads = [Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, *[400] * 19]


def until(second: int) -> Used:
    return Used(NOW + timedelta(seconds=second))


def test_what_is_kept_is_bounded_and_what_came_first_goes_first() -> None:
    kept = Kept[Used](most=3)
    for number in range(1000):
        assert kept.put(str(number), until(1000 - number), NOW)
    assert len(kept) == 3
    assert [kept.get(str(number)) for number in (996, 997, 999)] == [None, until(3), until(1)]
    assert not kept.put("999", until(5000), NOW)
    assert kept.put("999", until(5000), NOW + timedelta(seconds=1)), "the first has ended"
    assert kept.get("999") == until(5000)


def test_what_was_kept_for_long_enough_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, real = Kept[Used](), [0.0]
    monkeypatch.setattr("mocksandbox.provider.tokens.time", lambda: real[0])
    kept.put("old", until(9), NOW)
    real[0] = KEPT_FOR / 2
    kept.put("newer", until(9), NOW)
    assert len(kept) == 2
    real[0] = KEPT_FOR
    kept.put("newest", until(9), NOW)
    assert [kept.get(key) is None for key in ("old", "newer", "newest")] == [True, False, False]


def test_another_tenants_clock_ends_no_token_and_makes_no_jti_new(door: TokenDoor) -> None:
    sent = form()
    token = ask(door, sent).json()["access_token"]
    for moved in (timedelta(days=3650), -timedelta(days=3650)):
        at = NOW + moved
        other = signed(HEADER, claims(exp=int(at.timestamp()) + 200))
        assert ask(door, form(other), at).status == 200
        assert door.identify(with_token(token), NOW)[1] is None
        assert ask(door, sent).status == 400


def test_the_tokens_and_the_used_jtis_of_a_door_are_bounded(door: TokenDoor) -> None:
    small = replace(door, given=Kept(most=2), used=Kept(most=2))
    tokens = [ask(small, form(), NOW + timedelta(seconds=n)).json()["access_token"] for n in range(5)]
    assert len(small.given) == len(small.used) == 2
    let_in = [small.identify(with_token(token), NOW)[1] is None for token in tokens]
    assert let_in == [False, False, False, True, True]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["RS512", "k1", CLIENT]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
HEADERS = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "cty", "crit", "b64", "jku", "x5c", "x5t", "jwk"]), VALUES)
CLAIMS = st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]), VALUES, max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(header=HEADERS, changes=CLAIMS)
def test_no_assertion_makes_the_endpoint_fail(door: TokenDoor, header: dict[str, Any], changes: dict[str, Any]) -> None:
    answer = ask(door, form(signed({**HEADER, **header}, claims(**changes))))
    assert answer.status in (200, 400, 401)
    assert ("access_token" in answer.json()) == (answer.status == 200)


@pytest.mark.parametrize(
    "raw", [b"[" * 30_000, b'{"iat": ' + b"9" * 5000 + b"}", b'{"exp": "\\ud800"}', b"\xff", b""], ids=len
)
def test_claims_that_no_parser_likes_are_malformed(door: TokenDoor, raw: bytes) -> None:
    answer = ask(door, form(signed(HEADER, raw)))
    assert answer.status == 400
    assert answer.json()["error"] == "invalid_request"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary(), parts=st.lists(st.binary(max_size=20).map(part) | st.text(max_size=5), min_size=3, max_size=3))
def test_no_body_makes_the_endpoint_fail(door: TokenDoor, body: bytes, parts: list[str]) -> None:
    assert ask(door, body).status == 400
    assert ask(door, form(".".join(parts))).status == 400


NOBODYS_TOKENS = {
    "bearer.missing": (None, "Authorization is missing"),
    "bearer.scheme": ("Basic eDp5", "does not start with Bearer"),
    "bearer.malformed": ("Bearer two words", "not one token"),
    "bearer.unknown": ("Bearer nobody-gave-this-out", "not given out here"),
    "bearer.expired": ("Bearer EXPIRED", "ended at 2024-06-01T12:09:59+00:00 and here it is 2024-06-01T12:09:59+00:00"),
    "bearer.supplier": ("Bearer supplier:", "No supplier is named"),
}


@pytest.mark.parametrize("key", NOBODYS_TOKENS)
def test_a_request_without_a_good_token_is_refused_and_the_reason_kept(door: TokenDoor, key: str) -> None:
    value, says = NOBODYS_TOKENS[key]
    token = ask(door, form()).json()["access_token"]
    request = replace(with_token("x"), headers=Headers())
    if value is not None:
        request = request.with_header("Authorization", value.replace("EXPIRED", token))
    caller, refusal = door.identify(request, NOW + timedelta(seconds=LIFETIME))
    assert refusal is not None
    assert refusal.key == "bad-token"
    assert says in refusal.values["reason"]
    assert caller.rights == frozenset()


def test_every_reason_against_a_token_is_tried_and_has_its_own_text(door: TokenDoor) -> None:
    assert set(NOBODYS_TOKENS) == {name for name in wording() if name.startswith("bearer.")}
    assert len({wording()[name]["text"] for name in NOBODYS_TOKENS}) == len(NOBODYS_TOKENS)


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer  x", "Bearer x, Bearer x", "Bearer \u00e9", "Bearersupplier:RAVS"]
)
def test_a_malformed_authorization_lets_nobody_in(door: TokenDoor, value: str) -> None:
    _, refusal = door.identify(with_token("x").with_header("Authorization", value), NOW)
    assert refusal is not None


def test_an_unknown_supplier_is_let_in_and_may_do_nothing(door: TokenDoor) -> None:
    """As the service answers a supplier without rights: 403, not 401 (recorded cases `permission/*:NoSuchSupplier-*`)."""
    caller, refusal = door.identify(with_token("supplier:RAVVS"), NOW)
    assert refusal is None
    assert (caller.name, caller.rights) == ("RAVVS", frozenset())


@pytest.mark.parametrize("token", ["supplier:SONAR", "supplier:SONAR@a-tenant"])
def test_a_known_supplier_needs_no_token_in_its_short_form(door: TokenDoor, token: str) -> None:
    caller, refusal = door.identify(with_token(token), NOW)
    assert (caller.name, refusal) == ("SONAR", None)


def test_the_suppliers_header_is_no_token(door: TokenDoor) -> None:
    request = Request("GET", "/Immunization/1", headers=Headers([("SupplierSystem", "SONAR")]))
    assert door.identify(request, NOW)[1] is not None


def test_without_a_file_of_clients_the_error_says_how_to_name_one() -> None:
    answer = ask(TokenDoor({}, {}), form())
    assert (answer.status, answer.json()["error"]) == (401, "invalid_request")
    says = answer.json()["error_description"]
    assert "serve --clients FILE" in says
    assert "files={'clients': FILE}" in says
    assert "Authorization: Bearer supplier:NAME" in says


def test_a_mode_that_does_not_exist_is_an_error_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"No mode of authorisation 'tokn'\. Did you mean 'token'\? Known: off, token\."):
        authority(AuthOptions("tokn"))


def test_mode_off_loads_no_cryptography() -> None:
    program = (
        "import sys; from mocksandbox.providers.nhs import provider; from mocksandbox.sandbox import Sandbox;"
        "Sandbox(provider()); sys.exit('joserfc' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# --- Files of clients -----------------------------------------------------------------------------------------------------


def pem(key: RSAKey | ECKey, *, private: bool) -> str:
    return key.as_pem(private=private).decode()


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("form_of_key", ["keys", "jwks", "pem"])
def test_a_key_is_read_from_each_form_and_only_its_public_half_is_kept(
    tmp_path: Path, form_of_key: str, private: bool
) -> None:
    jwks = {"keys": [{**key("k1").as_dict(private=private), "kid": "k1", "key_ops": ["sign"] if private else ["verify"]}]}
    (tmp_path / "key.pem").write_text(pem(key("k1"), private=private))
    (tmp_path / "jwks.json").write_text(json.dumps(jwks))
    entries: dict[str, dict[str, Any]] = {
        "keys": {"keys": jwks},
        "jwks": {"jwks": "jwks.json"},
        "pem": {"pem": "key.pem", "kid": "k1"},
    }
    path = tmp_path / "clients.yaml"
    path.write_text(json.dumps({"clients": {CLIENT: {"supplier": "RAVS", **entries[form_of_key]}}}))
    door = authority(AuthOptions("token", {"clients": path}))
    assert isinstance(door, TokenDoor)
    assert not door.clients[CLIENT].keys["k1"].is_private
    assert ask(door, form()).status == 200


@cache
def small_key() -> RSAKey:
    with pytest.warns(UserWarning, match="2048 bits"):
        return RSAKey.generate_key(1024)


def _entry(**changes: Any) -> dict[str, Any]:
    return {"clients": {"a/b": {"supplier": "RAVS", **changes}}}


def _jwk(**changes: Any) -> dict[str, Any]:
    good = public("k1")["keys"][0]
    return _entry(keys={"keys": [{name: value for name, value in {**good, **changes}.items() if value is not None}]})


BAD_FILES: Mapping[str, tuple[Callable[[], Any], str, str]] = {
    "no-clients": (lambda: {"client": {}}, "#/clients", "needs an object"),
    "not-an-entry": (lambda: {"clients": {"a/b": "RAVS"}}, "#/clients/a~1b", "must have `supplier` and one of"),
    "no-key": (_entry, "#/clients/a~1b", "must have `supplier` and one of"),
    "two-keys": (lambda: _entry(keys=public("k1"), pem="key.pem"), "#/clients/a~1b", "one of"),
    "unknown-member": (lambda: _entry(keys=public("k1"), jkws=1), "#/clients/a~1b", "one of"),
    "unknown-supplier": (lambda: _entry(supplier="RAVVS", keys=public("k1")), "#/clients/a~1b/supplier", "known: DPSFULL"),
    "no-supplier": (lambda: {"clients": {"a": {"keys": public("k1")}}}, "#/clients/a/supplier", "is not a supplier"),
    "not-a-name": (lambda: _entry(jwks=5), "#/clients/a~1b/jwks", "name of a file"),
    "no-file": (lambda: _entry(jwks="absent.json"), "absent.json", "cannot be read"),
    "no-pem-file": (lambda: _entry(pem="absent.pem", kid="k"), "absent.pem", "cannot be read"),
    "pem-without-kid": (lambda: _entry(pem="good.pem"), "#/clients/a~1b/kid", "add one"),
    "not-pem": (lambda: _entry(pem="text.pem", kid="k"), "text.pem", "is not an RSA key"),
    "locked-pem": (lambda: _entry(pem="locked.pem", kid="k"), "locked.pem", "Password"),
    "ec-pem": (lambda: _entry(pem="ec.pem", kid="k"), "ec.pem", "is not an RSA key"),
    "small-pem": (lambda: _entry(pem="small.pem", kid="k"), "small.pem", "1024 bits; make one of 2048 or more"),
    "not-a-jwks": (lambda: _entry(keys=public("k1")["keys"][0]), "#/clients/a~1b/keys/keys", "is not a JWKS"),
    "not-a-jwks-file": (lambda: _entry(jwks="list.json"), "list.json#/keys", "is not a JWKS"),
    "empty-jwks": (lambda: _entry(keys={"keys": []}), "#/clients/a~1b/keys/keys", "no key that signs"),
    "encryption-only": (lambda: _jwk(use="enc"), "#/clients/a~1b/keys/keys", "no key that signs"),
    "not-a-jwk": (lambda: _entry(keys={"keys": [5]}), "#/clients/a~1b/keys/keys/0", "is not a JWK"),
    "jwk-without-kid": (lambda: _jwk(kid=None), "#/clients/a~1b/keys/keys/0/kid", "name"),
    "same-kids": (lambda: _entry(keys=public("k1", "k1")), "#/clients/a~1b/keys/keys/1/kid", "no other key"),
    "ec-jwk": (lambda: _jwk(kty="EC"), "#/clients/a~1b/keys/keys/0/kty", "only RSA"),
    "other-alg": (lambda: _jwk(alg="RS256"), "#/clients/a~1b/keys/keys/0/alg", "'RS256'"),
    "no-modulus": (lambda: _jwk(n=None), "#/clients/a~1b/keys/keys/0", "is not an RSA key"),
    "bad-modulus": (lambda: _jwk(n="!!"), "#/clients/a~1b/keys/keys/0", "is not an RSA key"),
    "small-jwk": (lambda: _jwk(n=small_key().as_dict()["n"]), "#/clients/a~1b/keys/keys/0", "1024 bits"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_of_clients_that_cannot_be_used_is_refused_with_the_file_and_the_place(tmp_path: Path, name: str) -> None:
    make, place, says = BAD_FILES[name]
    (tmp_path / "good.pem").write_text(pem(key("k1"), private=False))
    (tmp_path / "text.pem").write_text("no key")
    (tmp_path / "locked.pem").write_bytes(key("k1").as_pem(private=True, password="a-password"))
    (tmp_path / "ec.pem").write_text(pem(ECKey.generate_key("P-256"), private=False))
    (tmp_path / "small.pem").write_text(pem(small_key(), private=False))
    (tmp_path / "list.json").write_text("[]")
    path = tmp_path / "clients.json"
    path.write_text(json.dumps(make()))
    with pytest.raises(ContractError, match=re.escape(says)) as caught:
        authority(AuthOptions("token", {"clients": path}))
    assert f"{place}: " in str(caught.value)
    assert str(tmp_path) in caught.value.path


@pytest.mark.parametrize("rights", ["FLU.CRUDS", ["FLU"], ["FLU."], ["FLU.CX"], ["POLIO.C"], [".C"], None], ids=str)
def test_rights_that_are_not_of_the_notation_are_refused_with_the_place(tmp_path: Path, rights: Any) -> None:
    path = tmp_path / "suppliers.json"
    path.write_text(json.dumps({"suppliers": {"a/b": rights}}))
    with pytest.raises(ContractError, match=r"TYPE\.LETTERS") as caught:
        authority(AuthOptions(files={"suppliers": path}))
    assert (caught.value.path, caught.value.pointer) == (str(path), "/suppliers/a~1b")


# --- Rights, through the sandbox ------------------------------------------------------------------------------------------


NUMBER = "9990000018"
TYPES = sorted(vaccine_types().values())
CODES = {name: sorted(codes) for codes, name in vaccine_types().items()}


def record(vaccine_type: str, **changes: Any) -> dict[str, Any]:
    """A valid record of a vaccine type, with an identifier of its own."""
    opened = provider()
    assert opened.valid is not None
    body = json.loads(opened.valid("createImmunization").request.body)
    body["identifier"][0]["value"] = str(uuid4())
    patient = next(item for item in body["contained"] if item["resourceType"] == "Patient")
    patient["identifier"] = [{"system": NHS_NUMBER_SYSTEM, "value": NUMBER}]
    diseases = [{"coding": [{"system": SNOMED, "code": code}]} for code in CODES[vaccine_type]]
    body["protocolApplied"][0]["targetDisease"] = diseases
    return {**body, **changes}


def send(
    sandbox: Sandbox, supplier: str | None, method: str, path: str, body: Any = None, *query: tuple[str, str], version: int = 1
) -> Response:
    headers = {"Accept": "application/fhir+json", "E-Tag": str(version)}
    if supplier is not None:
        headers["Authorization"] = f"Bearer {supplier}"
    if body is not None:
        headers["Content-Type"] = "application/fhir+json"
    raw = json.dumps(body).encode() if body is not None else b""
    return sandbox.handle(Request(method, path, query, Headers(headers.items()), raw, ORIGIN + BASE_PATH))


def create(sandbox: Sandbox, vaccine_type: str, supplier: str = "supplier:EMIS") -> tuple[str, dict[str, Any]]:
    body = record(vaccine_type)
    made = send(sandbox, supplier, "POST", "/Immunization", body)
    assert made.status == 201, made.body
    return made.headers["Location"].rpartition("/")[2], body


def issue_of(response: Response) -> dict[str, Any]:
    found: dict[str, Any] = response.json()["issue"][0]
    return found


def interactions(id: str, body: dict[str, Any], vaccine_type: str) -> Mapping[str, tuple[Any, ...]]:
    """One request for each letter, with the answer for who has the right."""
    identifier = body["identifier"][0]
    by_identifier = ("identifier", f"{identifier['system']}|{identifier['value']}")
    by_patient = (("patient.identifier", f"{NHS_NUMBER_SYSTEM}|{NUMBER}"), ("-immunization.target", vaccine_type))
    return {
        "C": ("POST", "/Immunization", record(vaccine_type)),
        "R": ("GET", f"/Immunization/{id}"),
        "U": ("PUT", f"/Immunization/{id}", {**body, "id": id}),
        "S": ("GET", "/Immunization", None, by_identifier),
        "S of a patient": ("GET", "/Immunization", None, *by_patient),
        "D": ("DELETE", f"/Immunization/{id}"),
    }


@pytest.mark.parametrize("vaccine_type", TYPES)
def test_each_letter_is_needed_for_its_interaction_with_the_type_and_no_other(tmp_path: Path, vaccine_type: str) -> None:
    others = [f"{name}.CRUDS" for name in TYPES if name != vaccine_type]
    table: dict[str, list[str]] = {"EMIS": ["*.CRUDS"]}
    for letter in "CRUDS":
        table[f"ONLY_{letter}"] = [f"{vaccine_type}.{letter}"]
        table[f"NOT_{letter}"] = [*others, f"{vaccine_type}.{'CRUDS'.replace(letter, '')}"]
    path = tmp_path / "suppliers.json"
    path.write_text(json.dumps({"suppliers": table}))
    sandbox = Sandbox(provider(), auth=AuthOptions("token", {"suppliers": path}))
    id, body = create(sandbox, vaccine_type)
    for name, what in interactions(id, body, vaccine_type).items():
        refused = send(sandbox, f"supplier:NOT_{name[0]}", *what)
        assert (refused.status, issue_of(refused)["code"]) == (403, "forbidden"), name
        assert issue_of(refused)["diagnostics"] == "Unauthorized request for vaccine type"
        assert send(sandbox, f"supplier:ONLY_{name[0]}", *what).status < 300, name


def test_a_type_without_any_right_is_refused_for_every_interaction() -> None:
    sandbox = Sandbox(provider(), auth=AuthOptions("token"))
    id, body = create(sandbox, "MMR")
    for name, what in interactions(id, body, "MMR").items():
        assert send(sandbox, "supplier:MAVIS", *what).status == 403, name


def test_an_unknown_supplier_has_no_rights_where_everybody_is_let_in() -> None:
    sandbox = Sandbox(provider())
    id, body = create(sandbox, "FLU")
    for name, what in interactions(id, body, "FLU").items():
        assert send(sandbox, "supplier:NOBODY_KNOWS", *what).status == 403, name
    header = Headers([("SupplierSystem", "NOBODY_KNOWS")])
    assert sandbox.handle(Request("GET", f"/Immunization/{id}", headers=header, base_url=ORIGIN + BASE_PATH)).status == 403


def test_who_names_no_supplier_has_all_rights_where_everybody_is_let_in() -> None:
    sandbox = Sandbox(provider())
    id, _ = create(sandbox, "BCG")
    assert send(sandbox, None, "GET", f"/Immunization/{id}").status == 200


def test_a_search_leaves_out_the_types_without_the_right_and_warns() -> None:
    sandbox = Sandbox(provider(), auth=AuthOptions("token"))
    id, _ = create(sandbox, "FLU")
    create(sandbox, "MMR")
    query = (("patient.identifier", f"{NHS_NUMBER_SYSTEM}|{NUMBER}"), ("-immunization.target", "FLU,MMR"))
    found = send(sandbox, "supplier:MAVIS", "GET", "/Immunization", None, *query)
    assert found.status == 200
    bundle = found.json()
    resources = [entry["resource"] for entry in bundle["entry"]]
    assert bundle["total"] == 1
    assert [item["id"] for item in resources if item["resourceType"] == "Immunization"] == [id]
    (warning,) = [item["issue"][0] for item in resources if item["resourceType"] == "OperationOutcome"]
    assert (warning["severity"], warning["code"]) == ("warning", "unauthorized")
    assert warning["diagnostics"] == "Your search contains details that you are not authorised to request"
    everything = send(sandbox, "supplier:EMIS", "GET", "/Immunization", None, *query).json()
    assert everything["total"] == 2


# --- Tokens, through the sandbox ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "issue", "code"),
    [
        ("integration", "expired", "SEND_UNAUTHORIZED"),
        ("documented", "login", "UNAUTHORIZED"),
        ("sandbox", "login", "UNAUTHORIZED"),
    ],
)
@pytest.mark.parametrize("token", [None, "nobody-gave-this-out"])
def test_without_a_good_token_the_answer_is_401_in_the_words_of_the_profile(
    profile: str, issue: str, code: str, token: str | None
) -> None:
    sandbox = Sandbox(provider(), profile, auth=AuthOptions("token"))
    refused = send(sandbox, token, "GET", "/Immunization/a-b-c")
    found = issue_of(refused)
    assert (refused.status, found["code"]) == (401, issue)
    assert found["details"]["coding"][0]["code"] == code
    assert found["diagnostics"] == GATEWAY


def test_a_token_ends_by_the_sandboxs_clock(clients_file: Path) -> None:
    clock = Clock()
    clock.set(NOW, freeze=True)
    sandbox = Sandbox(provider(), clock=clock, auth=AuthOptions("token", {"clients": clients_file}))
    assert isinstance(sandbox.authority, TokenDoor)
    token = ask(sandbox.authority, form(), clock.now()).json()["access_token"]
    for seconds, status in ((0, 404), (LIFETIME - 1, 404), (1, 401), (3 * 3600, 401)):
        clock.move(timedelta(seconds=seconds))
        assert send(sandbox, token, "GET", "/Immunization/nothing").status == status, clock.now()
    clock.set(NOW, freeze=True)
    assert send(sandbox, token, "GET", "/Immunization/nothing").status == 404


def test_an_assertion_that_is_good_now_is_too_old_an_hour_later_by_the_sandboxs_clock(door: TokenDoor) -> None:
    clock = Clock()
    body = form(signed(HEADER, claims(exp=int(clock.now().timestamp()) + 300)))
    clock.move(timedelta(hours=1))
    assert "JWT has expired" in ask(door, body, clock.now()).json()["error_description"]
    clock.reset()
    assert ask(door, body, clock.now()).status == 200


def test_the_rights_of_a_token_are_those_of_its_supplier(clients_file: Path) -> None:
    sandbox = Sandbox(provider(), auth=AuthOptions("token", {"clients": clients_file}))
    assert isinstance(sandbox.authority, TokenDoor)
    now = sandbox.clock.now()
    own = {"iss": OTHER_CLIENT, "sub": OTHER_CLIENT, "exp": int(now.timestamp()) + 60}
    body = form(signed({**HEADER, "kid": "k3"}, claims(**own), kid="k3"))
    token = ask(sandbox.authority, body, now).json()["access_token"]
    id, _ = create(sandbox, "FLU", token)  # SONAR may create and delete, and nothing else
    assert send(sandbox, token, "GET", f"/Immunization/{id}").status == 403
    assert send(sandbox, token, "POST", "/Immunization", record("COVID")).status == 403
    assert send(sandbox, token, "DELETE", f"/Immunization/{id}").status == 204


def test_where_everybody_is_let_in_there_is_no_token_endpoint() -> None:
    door = authority(AuthOptions())
    assert isinstance(door, OpenDoor)
    assert door.routes() == {}
