"""One way in which a request or a response differs from its document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """A difference from the document.

    `where` is `body`, `query`, `header`, `path`, `cookie` or `status`; `name` the parameter or header, `""` for the others;
    `path` the keys inside a body; `problem` a phrase that follows the place (`must be a string`); `keyword` what in the
    schema says so (`type`, `required`, …) or `missing`, `media-type`, `syntax` for what no schema says.
    """

    where: str
    problem: str
    keyword: str
    name: str = ""
    path: tuple[str | int, ...] = ()
