"""What ClinikAPI's create takes and refuses: a catalogue of 99 bodies and requests, each by its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import open_provider
from mocksandbox.sandbox import Sandbox

PROVIDER = open_provider("clinikapi")
PROFILES = tuple(PROVIDER.profiles)
CREATE = "createImmunization"
MOST = {
    "vaccineCode": 500, "patientId": 128, "encounterId": 128, "occurrenceDateTime": 50, "recorded": 50, "manufacturer": 500,
    "lotNumber": 100, "expirationDate": 50, "site": 200, "route": 200, "note": 5000, "statusReason": 500,
}  # fmt: skip
LISTS = ("performer", "reaction", "protocolApplied")


def kebab(name: str) -> str:
    return "".join(f"-{char.lower()}" if char.isupper() else char for char in name)


def rejected() -> Mapping[str, tuple[str, str]]:
    """Case -> the rule and the defect that it is."""
    cases: dict[str, tuple[str, str]] = {"status.empty": ("clinikapi/bad-status", "empty")}
    for member in ("status", "vaccineCode", "patientId"):
        id = kebab(member)
        cases[f"{member}.missing"] = (f"clinikapi/missing-{id}", "absent")
        cases[f"{member}.null"] = (f"clinikapi/bad-{id}", "null")
        cases[f"{member}.int"] = (f"clinikapi/bad-{id}", "number")
        named = "object-without-members" if member == "vaccineCode" else "object"
        cases[f"{member}.object"] = (f"clinikapi/bad-{id}", named)
    for member in MOST:
        cases[f"{member}.max+1"] = (f"clinikapi/bad-{kebab(member)}", "one-too-long")
        if member not in ("vaccineCode", "patientId"):
            cases[f"{member}.number"] = (f"clinikapi/bad-{kebab(member)}", "number")
    for member in LISTS:
        rule = f"clinikapi/bad-{kebab(member)}"
        cases[f"{member}.11"] = (rule, "one-too-many")
        cases[f"{member}.object"] = (rule, "object")
        cases[f"{member}.stringItem"] = (rule, "item-text")
        cases[f"{member}.nullItem"] = (rule, "item-null")
    return {
        **cases,
        "reasonCode.11": ("clinikapi/bad-reason-code", "one-too-many"),
        "reasonCode.501": ("clinikapi/bad-reason-code", "item-one-too-long"),
        "reasonCode.number": ("clinikapi/bad-reason-code", "item-number"),
        "status.eie": ("clinikapi/bad-status", "entered-in-error"),
        "status.case": ("clinikapi/bad-status", "capital"),
        "primarySource.string": ("clinikapi/bad-primary-source", "quoted"),
        "isSubpotent.int": ("clinikapi/bad-is-subpotent", "one"),
        "doseQuantity.valueString": ("clinikapi/bad-dose-quantity", "value-quoted"),
        "doseQuantity.array": ("clinikapi/bad-dose-quantity", "list"),
        "reaction.reportedString": ("clinikapi/bad-reaction", "item-reported-text"),
        "protocol.doseNumberString": ("clinikapi/bad-protocol-applied", "item-doseNumber-quoted"),
        "protocol.targetDiseaseString": ("clinikapi/bad-protocol-applied", "item-targetDisease-text"),
        "auth.none": ("clinikapi/no-key", "refused"),
        "auth.format": ("clinikapi/bad-key-format", "no-prefix"),
        "auth.unknown": ("clinikapi/unknown-key", "refused"),
        "auth.revoked": ("clinikapi/revoked-key", "refused"),
        "auth.expired": ("clinikapi/expired-key", "refused"),
        "auth.scope": ("clinikapi/no-scope", "other-scope"),
        "json.malformed": ("http/malformed-json", "truncated"),
        "rate": ("clinikapi/too-many-requests", "used-up"),
    }


STATUSES = {
    "auth.none": (401, "UNAUTHORIZED"),
    "auth.format": (401, "INVALID_KEY_FORMAT"),
    "auth.unknown": (401, "INVALID_KEY"),
    "auth.revoked": (401, "KEY_REVOKED"),
    "auth.expired": (401, "KEY_EXPIRED"),
    "auth.scope": (403, "FORBIDDEN"),
    "json.malformed": (400, "BAD_REQUEST"),
    "rate": (429, "RATE_LIMITED"),
}


def full() -> dict[str, Any]:
    assert PROVIDER.valid is not None
    body: dict[str, Any] = json.loads(PROVIDER.valid(CREATE).request.body)
    return body


def with_(member: str, value: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {**full(), member: value}


def ten(member: str) -> Callable[[], dict[str, Any]]:
    return lambda: {**full(), member: [full()[member][0]] * 10}


ACCEPTED: Mapping[str, Callable[[], dict[str, Any]]] = {
    **{f"{member}.max": with_(member, "x" * most) for member, most in MOST.items()},
    **{f"{member}.10": ten(member) for member in (*LISTS, "reasonCode")},
    "status.notdone": with_("status", "not-done"),
}


def text_of(**members: Any) -> bytes:
    return json.dumps({**full(), **members}).encode()


def numbered(number: str) -> bytes:
    return text_of(protocolApplied=[{"doseNumber": 4711}]).replace(b"4711", number.encode())


EITHER: Mapping[str, tuple[bytes, int]] = {
    "vaccineCode.empty": (text_of(vaccineCode=""), 201),
    "patientId.empty": (text_of(patientId=""), 201),
    "unknownKey": (text_of(noSuchMember={"a": [1]}), 201),
    "date.garbage": (text_of(occurrenceDateTime="yesterday"), 201),
    "date.impossible": (text_of(occurrenceDateTime="2024-02-30"), 201),
    "sem.future": (text_of(occurrenceDateTime="2999-01-01"), 201),
    "dose.negative": (numbered("-1"), 201),
    "dose.nan": (numbered("NaN"), 400),
    "dose.huge": (numbered("1e400"), 201),
    "patient.unknown": (text_of(patientId="pt_nobody"), 201),
    "patient.otherTenant": (text_of(patientId="pt_demo0003"), 201),
    "note.control": (text_of(note="a\x00b"), 201),
    "note.emoji5000": (text_of(note="\U0001f489" * 5000), 201),
    "dupkey": (text_of().replace(b'{"status": "completed"', b'{"status": "done", "status": "completed"', 1), 201),
    "deep": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
}
"""What nobody publishes: what we do with it (contracts/clinikapi/SOURCES.md), and never 500."""


def send(body: bytes, profile: str = "integration") -> tuple[Response, Any]:
    sandbox = Sandbox(PROVIDER, profile, strict=True)
    headers = Headers([("Content-Type", "application/json")])
    answer = sandbox.handle(Request("POST", "/immunizations", headers=headers, body=body))
    entry = sandbox.journal.last()
    assert entry is not None
    assert not entry.bugs, entry.bugs
    return answer, json.loads(answer.body)


def test_the_catalogue_is_whole() -> None:
    assert (len(rejected()), len(ACCEPTED), len(EITHER)) == (67, 17, 15)


@pytest.mark.parametrize("case", rejected())
def test_what_must_be_rejected_is_a_defect_of_a_rule(case: str) -> None:
    id, name = rejected()[case]
    rule = PROVIDER.catalogue[id]
    assert name in [defect.name for defect in rule.defects]
    assert (rule.status, rule.error) == STATUSES.get(case, (422, "VALIDATION_ERROR"))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("case", [case for case in rejected() if case.partition(".")[0] not in ("auth", "rate", "json")])
def test_a_bad_body_is_refused_in_every_profile_and_its_member_named(case: str, profile: str) -> None:
    id, name = rejected()[case]
    defect = next(defect for defect in PROVIDER.catalogue[id].defects if defect.name == name)
    assert PROVIDER.valid is not None
    broken = defect.apply(PROVIDER.valid(CREATE))
    answer, body = send(broken.request.body, profile)
    assert (answer.status, body["code"]) == (422, "VALIDATION_ERROR")
    member = {"protocol": "protocolApplied"}.get(case.partition(".")[0], case.partition(".")[0])
    assert all(issue["diagnostics"].startswith(member) for issue in body["issues"])


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("case", ACCEPTED)
def test_what_is_just_within_its_limit_is_accepted(case: str, profile: str) -> None:
    answer, body = send(json.dumps(ACCEPTED[case]()).encode(), profile)
    assert answer.status == 201, body


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("case", EITHER)
def test_what_nobody_publishes_never_makes_the_mock_fail(case: str, profile: str) -> None:
    text, status = EITHER[case]
    answer, body = send(text, profile)
    assert answer.status == status, body


def test_the_published_sample_is_refused_for_its_missing_status_and_for_nothing_else() -> None:
    printed = PROVIDER.contract.operation(CREATE).bodies["application/json"].examples["asPrinted"]
    answer, body = send(json.dumps(printed).encode())
    assert answer.status == 422
    assert [issue["diagnostics"] for issue in body["issues"]] == ["status: Required"]
    answer, _ = send(json.dumps({**printed, "status": "completed"}).encode())
    assert answer.status == 201


def test_a_record_is_answered_as_fhir() -> None:
    _, body = send(json.dumps(full()).encode())
    made = body["data"]
    assert made["resourceType"] == "Immunization"
    assert made["patient"] == {"reference": "Patient/pt_demo0001"}
    assert made["encounter"] == {"reference": "Encounter/enc_demo0001"}
    assert made["vaccineCode"]["coding"] == [full()["vaccineCode"]]
    assert made["performer"][0] == {
        "function": {"text": "Administering provider"},
        "actor": {"reference": "Practitioner/pr_demo0001"},
    }
    assert made["note"] == [{"text": full()["note"]}]
    assert made["protocolApplied"][0]["doseNumberPositiveInt"] == 1
    assert made["meta"]["versionId"] == "1"
    assert made["meta"]["tag"] == [{"system": "https://clinikapi.com/tenant", "code": "org_abc123"}]


def test_every_template_is_fhir_once_it_is_stored() -> None:
    from fhir.resources.R4B.immunization import Immunization

    assert PROVIDER.templates is not None
    for attempt in PROVIDER.templates(CREATE):
        answer, body = send(attempt.request.body)
        assert answer.status == 201
        Immunization.model_validate(body["data"])


def test_what_is_too_much_is_not_told_item_by_item() -> None:
    answer, body = send(text_of(reasonCode=[1] * 5000, protocolApplied=[{"targetDisease": [1] * 5000}]))
    assert answer.status == 422
    assert len(body["issues"]) <= 40


def test_diagnostics_name_members_and_repeat_no_value() -> None:
    secret = "pt_secret_4711" * 20
    for members in (
        {"patientId": secret},
        {"vaccineCode": {"system": secret}},
        {"status": secret},
        {"reasonCode": [secret * 9]},
    ):
        answer, _ = send(text_of(**members))
        assert answer.status == 422
        assert b"secret" not in answer.body
