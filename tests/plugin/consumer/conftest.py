from __future__ import annotations

import pytest
from vaccinations.record import Vaccination


@pytest.fixture
def flu_jab() -> Vaccination:
    return Vaccination("v-1", "9990000018", "Baker", "Ada", "female", "1980-02-29", "ZZ99 3CZ", "2024-10-01T09:30:00+00:00")
