"""Noticing that a target has gone: failures in a row, and then one to a request that is right. A wrong target goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mocksandbox.fuzz.model import Step

FAILURES, KEPT_OUT = 3, 10
"""How many failures (5xx, no answer), and how many 401 and 403, in a row make one ask whether the target is still there."""

PAUSES = (0.0, 0.5, 2.0)
"""Seconds before each try to reach it again."""


@dataclass
class Storm:
    """Counts what goes wrong in a row. `probe` sends a right request."""

    probe: Callable[[], Step]
    pauses: tuple[float, ...] = PAUSES
    failed: int = 0
    kept_out: int = 0

    def gone(self, step: Step | None) -> str:
        """Why to stop after a step, empty when there is no reason to."""
        if step is None:
            return ""
        status = step.response.status if step.response is not None else 0
        fails = step.response is None or status >= 500
        self.failed = self.failed + 1 if fails else 0
        self.kept_out = self.kept_out + 1 if status in (401, 403) else 0
        if self.failed >= FAILURES and not self._answers():
            return "the target fails whatever it is asked"
        if self.kept_out >= KEPT_OUT and self._keeps_out():
            return "the target lets nobody in (401, 403): is the secret right (--auth)?"
        return ""

    def _answers(self) -> bool:
        for pause in self.pauses:
            time.sleep(pause)
            step = self.probe()
            if step.response is not None and step.response.status < 500:
                self.failed = 0
                return True
        return False

    def _keeps_out(self) -> bool:
        step = self.probe()
        self.kept_out = 0
        return step.response is not None and step.response.status in (401, 403)
