"""The self link of a search: how the service tells what it has looked for."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote_plus

from mocksandbox.providers.nhs.parts import NHS_NUMBER_SYSTEM
from mocksandbox.providers.nhs.search import DISEASE, FROM, INCLUDE, PATIENT, TARGET, TO, Search

_OLD_TARGET, _TARGET, _DISEASE = f"?{TARGET.lstrip('-')}=", f"&{TARGET}=", f"?{DISEASE}="
_PATIENT = f"&{PATIENT}={quote_plus(f'{NHS_NUMBER_SYSTEM}|')}"


def asked_for(search: Search, types: Iterable[str]) -> bytes:
    """The query of a search by patient for these vaccine types: only what was looked for, the target's old name first."""
    number = _quoted(search.patient[2])
    if DISEASE in search.values:
        diseases = _quoted(",".join(sorted(set(search.diseases[0] or search.diseases[1]))))
        asked = f"{_DISEASE}{diseases}{_PATIENT}{number}"
    else:
        targets = _quoted(",".join(sorted(types)))
        asked = f"{_OLD_TARGET}{targets}{_TARGET}{targets}{_PATIENT}{number}"
    if search.first_day:
        asked = f"{asked}&{FROM}={search.first_day.isoformat()}"
    if search.last_day:
        asked = f"{asked}&{TO}={search.last_day.isoformat()}"
    if INCLUDE in search.values:
        asked = f"{asked}&{INCLUDE}={_quoted(search.get(INCLUDE)[0])}"
    return asked.encode()


def _quoted(text: str) -> str:
    """A text as it stands in a URL's query. Numbers and names, which most are, need nothing for it."""
    return text if text.isascii() and text.isalnum() else quote_plus(text, errors="replace")  # it may be half a character
