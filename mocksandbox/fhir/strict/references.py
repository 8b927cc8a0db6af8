"""References: that they lead to a resource of an allowed type, and that what they name inside the resource is there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any

from mocksandbox.fhir.strict.definitions import Definition, resource_types
from mocksandbox.fhir.strict.hits import Trail, shown
from mocksandbox.fhir.strict.walk import Handler, Local, Walk

_RESTFUL = re.compile(r"(?P<server>https?://[^?#]+/)?(?P<type>[A-Za-z]+)/(?P<id>[^/?#]+)(/_history/(?P<version>[^/?#]+))?")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


def reference_handler(element: Definition, visit: Handler) -> Handler:
    """Looks at a reference: at the object, with `visit`, and at where it leads to."""
    targets = element.targets

    def look(value: Any, trail: Trail, walk: Walk) -> None:
        visit(value, trail, walk)
        if type(value) is not dict:
            return
        text = value.get("reference")
        told = value.get("type")
        leads = ""
        if type(text) is str and text and not text.isspace():
            at = (trail, "reference")
            if text[0] == "#":
                mention(text, walk)
                walk.scope.locals.append(Local(text, at, targets, walk.scope.within))
            else:
                leads = _led_to(text, at, targets, walk)
        if type(told) is str and told in resource_types():
            _told(told, leads, (trail, "type"), targets, walk)

    return look


def mention(text: str, walk: Walk) -> None:
    """A text that begins with # somewhere in the resource: it may be what a contained resource is there for."""
    walk.scope.mentions.add(text)
    if text == "#" and walk.scope.within is not None:
        walk.scope.back.add(walk.scope.within)


def _led_to(text: str, at: Trail, targets: frozenset[str], walk: Walk) -> str:
    """The type that a reference leads to, `""` when its text does not say; with hits for what is wrong with it."""
    relative = not _SCHEME.match(text)
    found = _RESTFUL.fullmatch(text)
    if found is None:
        if not relative:
            walk.absolute.append(Local(text, at, targets, None))
            return ""
        named, mark, _ = text.partition("?")
        if named in resource_types() and mark and walk.bundles:
            check_target(named, at, targets, walk)  # a conditional reference, which transactions may have
        else:
            walk.add("typeless-reference", at, found=shown(text))
        return ""
    named, id_ = found["type"], found["id"]
    if not relative:
        walk.absolute.append(Local(text, at, targets, None))
        if named not in resource_types():
            return ""  # some other server's URL
    check_target(named, at, targets, walk)
    if relative and named in resource_types() and not _ID.fullmatch(id_):
        walk.add("bad-id", at, "bad-reference-id", found=shown(id_))
    return named


def check_target(named: str, at: Trail, targets: Iterable[str], walk: Walk) -> None:
    """A hit when a reference leads to a type that R4 does not have, or not at this place."""
    if named not in resource_types():
        walk.add("wrong-reference-target", at, "no-such-target", found=shown(named))
    elif targets and named not in targets:
        walk.add("wrong-reference-target", at, found=named, allowed=", ".join(sorted(targets)))


def _told(told: str, leads: str, at: Trail, targets: frozenset[str], walk: Walk) -> None:
    if targets and told not in targets:
        walk.add("wrong-reference-target", at, found=told, allowed=", ".join(sorted(targets)))
    elif leads and leads != told:
        walk.add("wrong-reference-target", at, "two-targets", found=told, leads=leads)


def resolve_local(walk: Walk) -> None:
    """At the end of a resource: every `#id` in it is the id of a contained resource of an allowed type, and every contained
    resource is referred to, or refers to the resource itself.
    """
    scope = walk.scope
    if not scope.contained and not scope.locals:
        return
    contained = [item if type(item) is dict else {} for item in scope.contained]
    by_id = {item["id"]: item for item in contained if type(item.get("id")) is str}
    for local in scope.locals:
        if local.text == "#" and local.contained is not None:
            continue
        item = by_id.get(local.text[1:])
        if item is None:
            known = ", ".join(shown(f"#{id_}") for id_ in islice(by_id, 5)) or "none"
            walk.add("dangling-contained", local.trail, found=shown(local.text), known=known)
        elif type(named := item.get("resourceType")) is str and named in resource_types():
            check_target(named, local.trail, local.targets, walk)
    for index, item in enumerate(contained):
        id_ = item.get("id")
        if type(id_) is str and f"#{id_}" not in scope.mentions and index not in scope.back:
            walk.add("contained-unreferenced", ((scope.trail, "contained"), index), id=shown(f"#{id_}"))
