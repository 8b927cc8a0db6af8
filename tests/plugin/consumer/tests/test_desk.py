from __future__ import annotations

import pytest
from vaccinations.record import Vaccination
from vaccinations.sync_client import Desk

import contracts  # noqa: TID251  # the clinic's own
import generators  # noqa: TID251


def test_a_dose_is_recorded(nhs_sandbox, flu_jab: Vaccination) -> None:
    with Desk(nhs_sandbox.url) as desk:
        assert desk.record(flu_jab)
    call = nhs_sandbox.assert_called("createImmunization", times=1, json={"status": "completed"})[0]
    assert call.json["identifier"][0]["value"] == flu_jab.id


def test_a_dose_that_is_there_already_is_found(nhs_sandbox, flu_jab: Vaccination) -> None:
    with Desk(nhs_sandbox.url) as desk:
        assert desk.record(flu_jab) == desk.record(flu_jab)
    nhs_sandbox.assert_sequence("createImmunization", "createImmunization", "searchImmunizationGet", exact=True)


@pytest.mark.parametrize("fault", ["429:0", "500", "timeout-after-write", "reset"])
def test_the_desk_tries_again_and_records_once(nhs_sandbox, flu_jab: Vaccination, fault: str) -> None:
    nhs_sandbox.fault(fault)
    with Desk(nhs_sandbox.url) as desk:
        assert desk.record(flu_jab)
    nhs_sandbox.assert_called("createImmunization", times=2)
    assert [call.status for call in nhs_sandbox.calls("createImmunization")][1] in (201, 422)


@pytest.mark.mocksandbox(scenario="create-valid")
def test_a_documented_scenario(nhs_sandbox, flu_jab: Vaccination) -> None:
    with Desk(nhs_sandbox.url) as desk:
        assert desk.record(flu_jab)


def test_a_wrong_number_is_refused(nhs_sandbox, flu_jab: Vaccination) -> None:
    with Desk(nhs_sandbox.url) as desk, nhs_sandbox.expect_violation("*identifier[0].value", rule="nhs/bad-nhs-number"):
        assert desk.record(Vaccination(**{**vars(flu_jab), "nhs_number": "9990000019"})) is None


def test_the_clinics_own_packages_are_its_own() -> None:
    assert contracts.SUPPLIERS["flu"] == "Clinic supplies"
    assert generators.letter("Ada") == "Dear Ada"
