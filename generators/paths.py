"""Places in bodies that are being built: changed where they stand, because the body is the builder's own."""

from __future__ import annotations

from typing import Any

from mocksandbox.rules.places import MISSING, Path, get


def lies_below(above: Path, path: Path) -> bool:
    """Whether a path is another one, or lies below it."""
    return path[: len(above)] == above


def pruned(body: Any, path: Path) -> None:
    """Take away what stands at a path, and the objects and lists above that are empty then. Nothing happens when it is not
    there. An item of a list is taken away only with the list: the places of the others must not move.
    """
    holders = [body]
    for key in path[:-1]:
        below = get(holders[-1], (key,))
        if below is MISSING:
            return
        holders.append(below)
    for holder, key in zip(reversed(holders), reversed(path), strict=True):
        if isinstance(holder, list):
            if len(holder) > 1:
                return
            holder.clear()
        else:
            holder.pop(key, None)
        if holder:
            return


def replaced(body: Any, path: Path, value: Any) -> Any:
    """The body with another value at a path where one stands; `MISSING` takes it away."""
    if not path:
        return value
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    if value is MISSING:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return body
