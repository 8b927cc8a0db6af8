"""Writing HTML: escaping, and what several parts of the page need."""

from __future__ import annotations

from html import escape

from mocksandbox.fuzz.reports.outline import visible


def escaped(text: object) -> str:
    """A text for an element or a quoted attribute; what a screen does not show is spelled out."""
    return escape(visible(str(text)), quote=True)


def plural(number: int, what: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def block(title: str, text: str, *, copy: bool = False) -> str:
    """A preformatted text under a title, with a button that copies it; nothing when there is no text."""
    if not text:
        return ""
    button = '<button type="button" class="copy" hidden>Copy</button>' if copy else ""
    return f'<div class="block"><h4>{escaped(title)}</h4>{button}<pre tabindex="0">{escaped(text)}</pre></div>'
