"""A read-only view of an OpenAPI document: its operations, with everything that the rest of the package asks of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mocksandbox.contract import document as documents
from mocksandbox.contract import overlay as overlays
from mocksandbox.contract.cache import kept_json
from mocksandbox.contract.routing import Router
from mocksandbox.contract.sample import sample
from mocksandbox.errors import ContractError, UsageError

if TYPE_CHECKING:
    from mocksandbox.contract.validation import OpenApiCheck

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_FILES = ("openapi.json", "openapi.yaml", "openapi.yml")
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class MediaType:
    """One body that an operation takes or gives: its media type, schema (may be empty) and named examples."""

    name: str
    schema: Mapping[str, Any] = field(repr=False)
    examples: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """One documented answer: its status (`"200"`, `"4XX"`, `"default"`), header objects and bodies by media type."""

    status: str
    description: str
    headers: Mapping[str, Mapping[str, Any]] = field(repr=False)
    content: Mapping[str, MediaType] = field(repr=False)

    def covers(self, status: int) -> bool:
        """Whether this entry is the one, or a range or default, that documents the status."""
        return self.status in (str(status), f"{status // 100}XX", "default")


@dataclass(frozen=True)
class Parameter:
    """One parameter: where it stands (`path`, `query`, `header`, `cookie`), its name, and the object in the document."""

    place: str
    name: str
    required: bool
    spec: Mapping[str, Any] = field(repr=False)

    @property
    def schema(self) -> Mapping[str, Any]:
        """Its schema, empty when it has none."""
        schema = self.spec.get("schema")
        return schema if isinstance(schema, Mapping) else _NOTHING


@dataclass(frozen=True)
class Operation:
    """One operation of a contract. `pointer` is its JSON pointer in the document."""

    id: str
    method: str
    path: str
    title: str
    pointer: str
    parameters: tuple[Parameter, ...]
    bodies: Mapping[str, MediaType] = field(repr=False)
    body_required: bool = field(repr=False)
    answers: Mapping[str, Answer] = field(repr=False)
    spec: Mapping[str, Any] = field(repr=False, compare=False)

    def answer(self, status: int) -> Answer | None:
        """The entry that documents a status: the exact one before a range before the default."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.answers:
                return self.answers[key]
        return None


@dataclass(frozen=True)
class Contract:
    """One API's document, as published (`raw`) and with its overlay applied (`document`)."""

    folder: Path
    raw: Mapping[str, Any] = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    operations: tuple[Operation, ...]

    def operation(self, id: str) -> Operation:
        """The operation of that id.

        Raises:
            UsageError: there is none; it names the nearest.
        """
        for operation in self.operations:
            if operation.id == id:
                return operation
        raise UsageError(f"No operation {id!r}.", id, (operation.id for operation in self.operations))

    def at(self, pointer: str) -> Any:
        """The value at a JSON pointer of the overlaid document. Raises `KeyError` when there is none."""
        return documents.at(self.document, pointer)

    def resolve(self, node: Any) -> Any:
        """Follow a node's local references. Raises `ContractError` when one leads nowhere."""
        with documents.named(self.file):
            return documents.resolve(self.document, node)

    def sample(self, schema: Any) -> Any:
        """The smallest value of a schema. Raises `ContractError` when one of its references leads nowhere."""
        with documents.named(self.file):
            return sample(self.document, schema)

    @property
    def file(self) -> Path:
        """The file of the document."""
        return documents.first_existing(self.folder, *_FILES) or self.folder

    @cached_property
    def router(self) -> Router:
        """Finds the operation of a request."""
        return Router(tuple((operation.method, operation.path, operation) for operation in self.operations))

    @cached_property
    def check(self) -> OpenApiCheck:
        """Validates requests and responses against the document, with openapi-core."""
        # openapi-core takes 0.4 s to import: only when the first exchange is checked.
        from mocksandbox.contract.validation import OpenApiCheck

        return OpenApiCheck(self)


def load(folder: Path) -> Contract:
    """The contract in a folder: `openapi.json` or `openapi.yaml`, with `overlay.yaml` applied when there is one.

    Raises:
        ContractError: the document is missing, malformed, or has an operation without an id or with one used before.
    """
    path = documents.first_existing(folder, *_FILES)
    if path is None:
        raise ContractError("has no openapi.json or openapi.yaml", str(folder))
    raw = documents.read_mapping(path)
    if not str(raw.get("openapi", "")).startswith("3."):
        raise ContractError("is not an OpenAPI 3 document (`openapi: 3.x.y`)", str(path), "/openapi")
    overlay = folder / "overlay.yaml"
    document = _overlaid(raw, path, overlay) if overlay.is_file() else dict(raw)
    with documents.named(path):
        operations = tuple(_operations(document, str(path)))
    taken: set[str] = set()
    for operation in operations:
        if operation.id in taken:
            raise ContractError(f"the operationId {operation.id!r} is used twice", str(path), operation.pointer)
        taken.add(operation.id)
    return Contract(folder=folder, raw=raw, document=document, operations=operations)


def _overlaid(raw: dict[str, Any], path: Path, overlay: Path) -> dict[str, Any]:
    def apply() -> dict[str, Any]:
        return overlays.apply(raw, documents.read_mapping(overlay), str(overlay))

    document: dict[str, Any] = kept_json([path.read_bytes(), overlay.read_bytes()], apply)
    return document


def _operations(document: Mapping[str, Any], path: str) -> Iterator[Operation]:
    paths = document.get("paths") or {}
    if not isinstance(paths, Mapping):
        raise ContractError("must be an object", path, "/paths")
    for template, raw_item in paths.items():
        item = documents.resolve(document, raw_item)
        for method in METHODS:
            if method in item:
                yield _operation(document, str(template), method, item)


def _operation(document: Mapping[str, Any], template: str, method: str, item: Mapping[str, Any]) -> Operation:
    spec = item[method]
    shared = {(p["in"], p["name"]): p for p in _resolved(document, item.get("parameters"))}
    own = {(p["in"], p["name"]): p for p in _resolved(document, spec.get("parameters"))}
    body = documents.resolve(document, spec.get("requestBody") or {})
    return Operation(
        id=spec.get("operationId") or f"{method}{template}",
        method=method.upper(),
        path=template,
        title=spec.get("summary", ""),
        pointer=documents.pointer_to("paths", template, method),
        parameters=tuple(Parameter(place, name, bool(p.get("required")), p) for (place, name), p in (shared | own).items()),
        bodies=_content(document, body),
        body_required=bool(body.get("required")),
        answers={
            str(status): _answer(document, str(status), documents.resolve(document, answer))
            for status, answer in (spec.get("responses") or {}).items()
        },
        spec=spec,
    )


def _resolved(document: Mapping[str, Any], nodes: Any) -> list[Mapping[str, Any]]:
    return [documents.resolve(document, node) for node in nodes or ()]


def _answer(document: Mapping[str, Any], status: str, spec: Mapping[str, Any]) -> Answer:
    headers = {name: documents.resolve(document, header) for name, header in (spec.get("headers") or {}).items()}
    return Answer(status, spec.get("description", ""), headers, _content(document, spec))


def _content(document: Mapping[str, Any], holder: Mapping[str, Any]) -> dict[str, MediaType]:
    content = {}
    for name, media in (holder.get("content") or {}).items():
        schema = documents.resolve(document, media.get("schema") or {})
        examples = {
            key: documents.resolve(document, example).get("value") for key, example in (media.get("examples") or {}).items()
        }
        if "example" in media:
            examples = {"default": media["example"], **examples}
        elif "example" in schema and not examples:
            examples = {"default": schema["example"]}
        content[name] = MediaType(name, schema, examples)
    return content
