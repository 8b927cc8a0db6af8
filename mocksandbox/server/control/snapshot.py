"""One version of a stored record as JSON, there and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mocksandbox import codec
from mocksandbox.rules.attempt import Record
from mocksandbox.server.control.asking import OBJECT, TENANT, TEXT, TEXT_OR_NULL, WHOLE, Check, members, mistake

_STATE: Check = (lambda value: value in ("live", "deleted", "reserved"), "one of live, deleted, reserved")
_KEYS: Check = (
    lambda value: isinstance(value, dict) and all(isinstance(item, str) for item in value.values()),
    "an object whose members are strings",
)
_MEMBERS = {
    "provider": TEXT,
    "tenant": TENANT,
    "kind": TEXT,
    "id": TEXT,
    "version": WHOLE,
    "state": _STATE,
    "keys": _KEYS,
    "recorded": TEXT_OR_NULL,
    "author": TEXT_OR_NULL,
    "body": OBJECT,
}


def told_record(provider: str, tenant: str, record: Record) -> dict[str, Any]:
    """A version as JSON values."""
    return {
        "provider": provider,
        "tenant": tenant,
        "kind": record.kind,
        "id": record.id,
        "version": record.version,
        "state": record.state,
        "keys": dict(record.keys),
        "recorded": record.recorded.isoformat() if record.recorded else None,
        "author": record.author,
        "body": record.json(),
    }


def read_record(value: Any, at: str) -> tuple[str, str, Record]:
    """The provider, the tenant and the version that a snapshot's entry says."""
    said = members(value, at, _MEMBERS, ["provider", "kind", "id", "version", "keys", "body"])
    recorded = said.get("recorded")
    try:
        moment = datetime.fromisoformat(recorded) if recorded else None
        body = codec.dumps(said["body"])
    except ValueError as error:
        raise mistake(f"cannot be read: {error}.", at) from error
    record = Record(
        said["kind"],
        said["id"],
        said["version"],
        body,
        said["keys"],
        said.get("state", "live"),
        moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC),
        said.get("author"),
    )
    return said["provider"], said.get("tenant", ""), record
