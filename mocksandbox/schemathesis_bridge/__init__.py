"""Schemathesis with what is known of immunization APIs: its engine drives, our payloads and rules say what is right.

For those who already use it: `SCHEMATHESIS_HOOKS=mocksandbox.schemathesis_bridge st run DOCUMENT --url URL`; in a test suite:
`mocksandbox.schemathesis_bridge.install()`. Every rule's defects go through schemathesis' examples phase, and what its other
phases make up is judged by the rules as well. What differs from the document and is right, because the real service differs
too, is no failure. `MOCKSANDBOX_PROVIDER` names the API (else the document's title does), `MOCKSANDBOX_SOURCES` the
sorts of cells (`smoke,rules,must-accept`).

Nothing outside this package imports schemathesis; `tests/unit/test_schemathesis_surfaces.py` tests each surface of it.
"""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

from mocksandbox.errors import UsageError

NEEDED = "4.32."
_HOW = "pip install 'mocksandbox[fuzz]'"


def _check_installed() -> None:
    try:
        found = version("schemathesis")
    except PackageNotFoundError:
        raise UsageError(f"This needs schemathesis {NEEDED}*, which is not installed: {_HOW}.") from None
    if not found.startswith(NEEDED):
        raise UsageError(f"This needs schemathesis {NEEDED}*, and {found} is installed: {_HOW}.")


_check_installed()

from mocksandbox.schemathesis_bridge.hooks import install  # noqa: E402  # only now it is known to be there
from mocksandbox.schemathesis_bridge.stock import stock  # noqa: E402

__all__ = ["install", "stock"]

if os.environ.get("SCHEMATHESIS_HOOKS") == __name__:
    install()
