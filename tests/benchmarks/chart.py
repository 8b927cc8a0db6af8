"""A bar chart as SVG, in a few lines and without a library."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_COLOURS = ("#005eb8", "#7fb2e5", "#8a8d8f", "#c8cacb", "#e0c9a6")
_BAR, _GAP, _LEFT, _WIDTH = 18, 22, 130, 900


def bars(title: str, groups: Mapping[str, Mapping[str, float]]) -> str:
    """One group of horizontal bars for each key, one bar for each name in it, its value written beside it."""
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}
    scale = (_WIDTH - _LEFT - 90) / max(value for group in groups.values() for value in group.values())
    drawn: list[str] = [_text(_LEFT, 22, title, weight="bold")]
    for number, name in enumerate(names):
        x = _LEFT + number * (_WIDTH - _LEFT) // len(names)
        drawn += [f'<rect x="{x}" y="34" width="12" height="12" fill="{colours[name]}"/>', _text(x + 18, 45, name)]
    y = 64
    for group, values in groups.items():
        drawn.append(_text(_LEFT - 10, y + len(values) * _BAR / 2 + 4, group, anchor="end"))
        for name, value in values.items():
            length = max(value * scale, 1)
            drawn.append(f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR - 3}" fill="{colours[name]}"/>')
            drawn.append(_text(_LEFT + length + 6, y + 12, f"{value:,.0f}"))
            y += _BAR
        y += _GAP
    size = f'width="{_WIDTH}" height="{y}" viewBox="0 0 {_WIDTH} {y}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(drawn) + "\n</svg>\n"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="#222222">{escape(text)}</text>'
