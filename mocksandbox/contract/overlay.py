"""OpenAPI Overlay 1.0: the corrections to a published document, kept apart from it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from mocksandbox.errors import ContractError


def apply(document: dict[str, Any], overlay: dict[str, Any], path: str = "overlay") -> dict[str, Any]:
    """A copy of the document with every action of the overlay applied in turn.

    As Overlay 1.0.0 says: `target` is a JSONPath query (RFC 9535); `remove` takes the matched nodes away; `update` merges
    into matched objects, recursively, and is appended to matched arrays. Beyond it, each action must match something and
    must carry its reason in `description`: a correction that no longer applies has to be looked at.

    Raises:
        ContractError: an action is malformed, or matches nothing.
    """
    changed = deepcopy(document)
    for number, action in enumerate(overlay.get("actions", ())):
        pointer = f"/actions/{number}"
        if not isinstance(action, dict) or not isinstance(action.get("target"), str):
            raise ContractError("an action needs a `target` (a JSONPath query)", path, pointer)
        if not action.get("description"):
            raise ContractError("an action needs its reason in `description`", path, pointer)
        if action.get("remove") is not True and "update" not in action:
            raise ContractError("an action needs an `update` or `remove: true`", path, pointer)
        _act(changed, action, path, pointer)
    return changed


def _act(document: dict[str, Any], action: dict[str, Any], path: str, pointer: str) -> None:
    # Imported here: reading a document without an overlay should not pay for a JSONPath engine.
    from jsonpath import JSONPathError, finditer

    try:
        matches = list(finditer(action["target"], document))
    except JSONPathError as error:
        raise ContractError(f"{action['target']!r} is not a JSONPath query: {error}", path, pointer) from error
    if not matches:
        raise ContractError(f"{action['target']!r} matches nothing in the document", path, pointer)
    for match in reversed(matches):  # from the end, so that removing from an array moves no later match
        if action.get("remove") is True:
            if match.parent is None:
                raise ContractError("the whole document cannot be removed", path, pointer)
            holder: Any = match.parent.obj
            del holder[match.parts[-1]]
        elif isinstance(match.obj, list):
            match.obj.append(deepcopy(action["update"]))
        elif isinstance(match.obj, dict) and isinstance(action.get("update"), dict):
            _merge(match.obj, action["update"])
        else:
            raise ContractError("`update` needs an object or an array as its target", path, pointer)


def _merge(target: dict[str, Any], update: dict[str, Any]) -> None:
    for key, value in update.items():
        present = target.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            present.extend(deepcopy(value))
        else:
            target[key] = deepcopy(value)
