"""Stored records over HTTP: starting afresh, seeding, and going back to how it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, current_app, request

from mocksandbox import __version__, codec
from mocksandbox.contract import Miss
from mocksandbox.errors import shortened
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import Provider
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.sandbox import Sandbox
from mocksandbox.sandbox.rail import real_people
from mocksandbox.server.control.asking import (
    LIST,
    TENANT_OR_NULL,
    TEXT,
    answer,
    arguments,
    chosen,
    each_once,
    json_body,
    members,
    mistake,
    sandboxes,
)
from mocksandbox.server.control.snapshot import read_record, told_record
from mocksandbox.server.control.times import reset_clocks
from mocksandbox.server.wsgi import origin_of
from mocksandbox.store import MemoryStore, Store
from mocksandbox.store.room import weight_of

routes = Blueprint("records", __name__)


def _store(box: Sandbox) -> Store:
    assert box.store is not None
    return box.store


@routes.post("/reset")
def reset() -> Any:
    """Start afresh, one tenant (`?tenant=NAME`) or all: the records, journal, faults, clock and counts of requests."""
    tenant = arguments("tenant").get("tenant")
    for box in sandboxes().values():
        _store(box).reset(tenant)
        box.faults.clear(tenant)
        if box.authority is not None:
            box.authority.forget(tenant)
        if tenant is None:
            box.faults.reseed(box.faults.seed)
    for journal in each_once(box.journal for box in sandboxes().values()):
        journal.clear(tenant=tenant)
    reset_clocks(tenant)
    return answer({"status": "reset"})


@routes.post("/seed")
def seed() -> Any:
    """Create records, each as a request that its API takes: all of them, or none when one is refused."""
    tenant = arguments("tenant", "provider").get("tenant", "")
    body = json_body()
    said: dict[str, Any] = (
        {"records": body} if isinstance(body, list) else members(body, "", {"records": LIST, "provider": TEXT}, ["records"])
    )
    box = _one(said.get("provider"))
    if not box.profile.remembers:
        says = f"is no use with the profile {box.profile.name} of {box.provider.name}, which remembers nothing."
        raise mistake(f"{says} Serve it with --profile {box.provider.default_profile}.", "seed")
    paths = _creating(box.provider)
    requests = [_create(box, paths, record, f"records[{index}]") for index, record in enumerate(said["records"])]
    partition = _store(box).partition(tenant)
    with partition.exclusive():
        before = partition.snapshot()
        answers = [box.handle(made, tenant, trusted=True) for made in requests]
        refused = [(f"records[{index}]", made) for index, made in enumerate(answers) if made.status >= 400]
        if refused:
            partition.restore(before)
    if refused:
        more = f" ({len(refused) - 1} more are refused too)" if len(refused) > 1 else ""
        at, first = refused[0]
        raise mistake(f"answered {first.status}: {_reason(box, first)}{more} Nothing was stored.", at)
    results = [{"status": made.status, "location": made.headers.get("Location")} for made in answers]
    return answer({"created": len(results), "results": results})


def _one(name: str | None) -> Sandbox:
    boxes = chosen(name, "provider")
    if len(boxes) > 1:
        raise mistake(f"several are served; name one of {', '.join(sandboxes())}.", "provider")
    return boxes[0]


def _create(box: Sandbox, paths: Mapping[str, str], record: Any, at: str) -> Request:
    provider = box.provider
    kind = record.get("resourceType", "") if isinstance(record, dict) else None
    if not isinstance(kind, str) or (not kind and "" not in paths):
        raise mistake(f"must be {'a resource: an object with a resourceType' if '' not in paths else 'an object'}.", at)
    path = paths.get(kind) or paths.get("")
    if path is None:
        raise mistake(f"{provider.name} creates no {shortened(kind)}.", f"{at}.resourceType")
    settings = current_app.extensions["mocksandbox.settings"]
    origin = origin_of(request.environ, trust_proxy=settings.trust_proxy)
    headers = Headers([("Accept", provider.media_type), ("Content-Type", provider.media_type)])
    return Request("POST", path, (), headers, _written(record, at), f"{origin}{provider.base_path}")


def _creating(provider: Provider) -> dict[str, str]:
    """Where a record is sent to be made, by its resourceType, `""` where records have none."""
    found: dict[str, str] = {}
    for operation in provider.contract.operations:
        makes = operation.method == "POST" and operation.bodies and not operation.path.endswith("_search")
        example = provider.valid(operation.id) if makes and provider.valid is not None else None
        if example is not None and isinstance(example.body, dict):
            found.setdefault(str(example.body.get("resourceType", "")), example.request.path)
    return found


def _written(value: Any, at: str) -> bytes:
    try:
        return codec.dumps(value)
    except ValueError as error:
        raise mistake(f"cannot be written as JSON: {error}.", at) from error


def _reason(box: Sandbox, refused: Response) -> str:
    """Why a provider says no, in its own words."""
    told = box.provider.told(refused) if box.provider.told else None
    said = told.text if told else refused.body.decode("utf-8", "replace")
    return f"{str(said).rstrip('.')}."


@routes.get("/records")
def records() -> Any:
    """The newest version of each record, and what else an API keeps (the deliveries of a queue); `?provider=`, `?kind=` and
    `?tenant=` choose.
    """
    asked = arguments("tenant", "provider", "kind")
    tenant, kind = asked.get("tenant", ""), asked.get("kind")
    found = [
        told_record(box.provider.name, tenant, record)
        for box in chosen(asked.get("provider"), "provider")
        for record in _store(box).partition(tenant).all()
        if kind is None or record.kind == kind
    ]
    return answer({"records": found, "total": len(found)})


@routes.post("/snapshot")
def snapshot() -> Any:
    """Every version of every record, of one tenant or of all, as POST restore takes it."""
    tenant = arguments("tenant").get("tenant")
    records = [
        told_record(box.provider.name, name, record)
        for box in sandboxes().values()
        for name in (sorted({"", *_store(box).tenants()}) if tenant is None else [tenant])
        for record in _store(box).partition(name).snapshot()
    ]
    journal = next(iter(sandboxes().values())).journal
    summary = [entry.summary() for entry in journal.exchanges(tenant=tenant, bodies=False)]
    return answer({"mocksandbox": __version__, "tenant": tenant, "records": records, "journal": summary})


@routes.post("/restore")
def restore() -> Any:
    """Hold the records of a snapshot and no others. `?tenant=NAME` puts a snapshot of one tenant into that tenant."""
    asked = arguments("tenant").get("tenant")
    known = {"mocksandbox": TEXT, "tenant": TENANT_OR_NULL, "records": LIST, "journal": (lambda _: True, "anything")}
    said = members(json_body(), "", known, ["records"])
    tenant = said.get("tenant") if asked is None else asked
    records: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for index, value in enumerate(said["records"]):
        at = f"records[{index}]"
        name, own, record = read_record(value, at)
        box = chosen(name, f"{at}.provider")[0]
        _guard(box, record, at)
        records[box.provider.name, own].append(record)
    if tenant is not None and len({own for _, own in records}) > 1:
        raise mistake("are of several tenants, and cannot be put into one.", "records")
    _look_for_room(records, tenant)
    if tenant is not None:
        for name, box in sandboxes().items():
            whole = [record for (of, _), versions in records.items() if of == name for record in versions]
            _store(box).partition(tenant).restore(whole)
        return answer({"status": "restored", "records": len(said["records"])})
    for box in sandboxes().values():
        _store(box).reset()
    for (name, own), versions in records.items():
        _store(sandboxes()[name]).partition(own).restore(versions)
    return answer({"status": "restored", "records": len(said["records"])})


def _look_for_room(records: Mapping[tuple[str, str], Sequence[Record]], tenant: str | None) -> None:
    """Look whether there is room for all of these in place of a tenant's records, or of all, before any of them is changed."""
    weight = sum(weight_of(version) for versions in records.values() for version in versions)
    stores = [store for box in sandboxes().values() if isinstance(store := _store(box), MemoryStore)]
    for room in each_once(store.room for store in stores if store.room is not None):
        if tenant is None:
            room.check_instead(weight, len({own for _, own in records if own}))
        else:
            room.check(weight - sum(store.weight(tenant) for store in stores))


def _guard(box: Sandbox, record: Record, at: str) -> None:
    """The safety rail, for records that come in by a side door."""
    if not box.only_synthetic:
        return
    headers = Headers([("Content-Type", box.provider.media_type)])
    attempt = Attempt(Request("PUT", "/", headers=headers, body=record.body), box.provider.contract, Miss((), ()))
    for finding in real_people(box.provider, attempt):
        raise mistake(finding.message, f"{at}.body")
