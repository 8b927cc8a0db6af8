"""What a campaign found, in the forms that people and other tools read. Each is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from mocksandbox.errors import UsageError
from mocksandbox.fuzz.model import Report

__all__ = ["FILES", "FORMATS", "written"]


def _loaded(module: str, name: str) -> Callable[[Report], bytes]:
    def write(report: Report) -> bytes:
        text: bytes = getattr(import_module(f"{__name__}.{module}"), name)(report)
        return text

    return write


FORMATS: Mapping[str, Callable[[Report], bytes]] = {
    "terminal": _loaded("terminal", "terminal"),
    "json": _loaded("plain", "as_json"),
    "ndjson": _loaded("plain", "as_ndjson"),
    "junit": _loaded("junit", "junit"),
    "sarif": _loaded("sarif", "sarif"),
    "html": _loaded("page", "page"),
    "har": _loaded("har", "har"),
    "github": _loaded("github", "github"),
}
"""The forms of a report by name, each a function that writes it."""

FILES: Mapping[str, str] = {
    "terminal": "report.txt",
    "json": "report.json",
    "ndjson": "report.ndjson",
    "junit": "junit.xml",
    "sarif": "report.sarif",
    "html": "report.html",
    "har": "report.har",
    "github": "github.txt",
}
"""What the file of each form is called."""


def written(report: Report, form: str) -> bytes:
    """A report in one form.

    Raises:
        UsageError: there is no such form.
    """
    if form not in FORMATS:
        raise UsageError(f"No report format {form!r}.", form, FORMATS)
    return FORMATS[form](report)
