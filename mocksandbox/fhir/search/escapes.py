"""Splitting a parameter's value at `,` `|` or `$`, where no backslash stands before it (FHIR R4, Search: escaping)."""

from __future__ import annotations


def split(text: str, separator: str) -> list[str]:
    """The parts between separators, their escapes kept for a later split."""
    if "\\" not in text:
        return text.split(separator)
    parts, current, escaped = [], "", False
    for char in text:
        if char == separator and not escaped:
            parts.append(current)
            current = ""
            continue
        current += char
        escaped = char == "\\" and not escaped
    return [*parts, current]


def plain(text: str) -> str:
    """The text without its escapes."""
    if "\\" not in text:
        return text
    made, escaped = "", False
    for char in text:
        if char == "\\" and not escaped:
            escaped = True
            continue
        made += char if not escaped or char in ",|$\\" else f"\\{char}"
        escaped = False
    return made + "\\" * escaped
