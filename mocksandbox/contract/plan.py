"""openapi-core's request validator with a plan for each operation.

As it comes, openapi-core finds the path, the parameters' styles, the media type and the schema again for each request. Here
the request validator class keeps what does not change: which parameter is read how, and which schema follows.
tests/unit/test_validation.py proves that the verdicts are the same as those of stock openapi-core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from jsonschema_path import SchemaPath
from openapi_core import V30RequestValidator, V31RequestValidator
from openapi_core.deserializing.styles.exceptions import EmptyQueryParameterValue
from openapi_core.exceptions import OpenAPIError
from openapi_core.schema.parameters import get_style_and_explode
from openapi_core.templating.datatypes import TemplateResult
from openapi_core.templating.paths.datatypes import PathOperationServer
from openapi_core.validation.request.exceptions import (
    InvalidParameter,
    InvalidRequestBody,
    MissingParameter,
    MissingRequiredParameter,
    MissingRequiredRequestBody,
)
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

from mocksandbox.contract.asked import AskedRequest
from mocksandbox.contract.forms import form_reader
from mocksandbox.contract.routing import Match
from mocksandbox.errors import without_frames
from mocksandbox.exchange import Headers, Request

if TYPE_CHECKING:
    from mocksandbox.contract.model import Operation


MOST_MEDIA_TYPES = 64
"""How many spellings of an operation's media types are remembered: a client can send any number of them."""

_PLAIN_STYLES = ("simple", "form")
"""The styles in which a parameter stands under its own name, as its own text."""


def planned(stock: type[V30RequestValidator] | type[V31RequestValidator]) -> type[Any]:
    """openapi-core's request validator class for a version of OpenAPI, with plans."""

    class Planned(stock):  # type: ignore[misc, valid-type]  # a base chosen at run time by the document's version
        """openapi-core's request validator with its plan for each operation worked out once."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._paths = dict((self.spec / "paths").str_items())
            self._plans: dict[str, _Plan] = {}

        def _find_path(self, request: AskedRequest) -> PathOperationServer:
            template = request.match.operation.path
            path = self._paths[template]
            result = TemplateResult(template, dict(request.match.parameters))
            return PathOperationServer(path, self._plan(request, path).operation, None, result, {})

        def _plan(self, request: AskedRequest, path: SchemaPath) -> _Plan:
            key = request.match.operation.id
            if key not in self._plans:
                self._plans[key] = _Plan(self, path / request.method, path)
            return self._plans[key]

        def iter_errors(self, request: AskedRequest) -> Iterable[Exception]:
            plan = self._plans.get(request.match.operation.id) or self._plan(
                request, self._paths[request.match.operation.path]
            )
            errors = plan.parameter_errors(request)
            return [*errors, *plan.body_errors(request)] if plan.takes_body else errors

    return Planned


_Reader = Callable[["AskedRequest"], Exception | None]
_NOWHERE = Match(cast("Operation", None))
"""What headers alone are asked of: no header's reader asks for the operation."""
_Numbered = tuple[int, _Reader]
"""How a parameter is read, with its place in the document."""


class _Plan:
    """What is the same for every request of one operation: its parameters' readers and its bodies' checks."""

    def __init__(self, validator: Any, operation: SchemaPath, path: SchemaPath) -> None:
        self.operation = operation
        self._validator = validator
        nothing = SchemaPath.from_dict({})
        own = {_key(parameter): parameter for parameter in operation.get("parameters", nothing)}
        shared = {_key(parameter): parameter for parameter in path.get("parameters", nothing)}
        self._always: list[_Numbered] = []
        self._always_in_header: list[_Numbered] = []
        self._in_query: dict[str, _Numbered] = {}
        self._in_header: dict[str, _Numbered] = {}
        self._in_headers = self._errors_in  # one and the same for every request's headers
        for number, ((place, name), parameter) in enumerate((own | shared | own).items()):
            read, optional = self._reader(parameter)
            if place == "header" and optional:
                self._in_header[name.lower()] = number, read
            elif place == "header":
                self._always_in_header.append((number, read))
            elif place == "query" and optional:
                self._in_query[name] = number, read
            else:
                self._always.append((number, read))
        self.takes_body = "requestBody" in operation
        self._body_required = False
        self._bodies: dict[str, Callable[[AskedRequest], None]] = {}
        if self.takes_body:
            body = operation / "requestBody"
            self._body_required = (body / "required").read_bool(default=False)
            self._content = body / "content"

    def parameter_errors(self, request: AskedRequest) -> Sequence[Exception]:
        """What is wrong with the parameters that were sent or must be, in the document's order."""
        readers, known = self._always, self._in_query
        if known:
            readers = [*readers, *(known[name] for name in request.names("query") if name in known)]
        found = [*request.headers.tell(self._in_headers), *_wrong(readers, request)]
        return [error for _, error in sorted(found, key=_number)] if found else ()

    def _errors_in(self, headers: Headers) -> Sequence[tuple[int, Exception]]:
        sent = (self._in_header[name] for name in headers.names() if name in self._in_header)
        alone = AskedRequest(Request("", "", headers=headers), _NOWHERE, "")
        return _wrong([*self._always_in_header, *sent], alone)

    def body_errors(self, request: AskedRequest) -> Iterator[Exception]:
        if not request.body:
            if self._body_required:
                yield MissingRequiredRequestBody()
            return
        media_type = request.content_type
        try:
            check = self._bodies.get(media_type)
            if check is None:
                check = self._body_check(media_type)
                if len(self._bodies) < MOST_MEDIA_TYPES:
                    self._bodies[media_type] = check
            check(request)
        except (OpenAPIError, InvalidSchemaValue) as cause:
            error = InvalidRequestBody()
            error.__cause__ = cause
            yield without_frames(error)

    def _reader(self, parameter: SchemaPath) -> tuple[_Reader, bool]:
        """How a parameter is read, and whether there is nothing to read when it was not sent."""
        name, place = (parameter / "name").read_str(), (parameter / "in").read_str()
        required = (parameter / "required").read_bool(default=False)
        if "content" in parameter or "allowEmptyValue" in parameter:
            return self._stock_reader(parameter), False
        schema = parameter / "schema"
        style, explode = get_style_and_explode(parameter)
        make = self._validator.style_deserializers_factory.create
        deserializer = make(self._validator.spec, schema, style, explode, name=name)
        validator = self._validator.schema_validators_factory.create(self._validator.spec, schema)
        missing = required and "default" not in schema
        plain = style in _PLAIN_STYLES
        text = plain and deserializer.schema_type == "string"  # read and cast, a text is what it was
        items = schema.get("items") if plain and deserializer.schema_type == "array" and not explode else None
        texts = items is not None and (items / "type").read_str("") == "string"  # and an array of texts what was split

        def read(request: AskedRequest) -> Exception | None:
            if plain and not request.has(place, name):
                return MissingRequiredParameter(name, place) if missing else None
            try:
                value: Any
                if text:
                    value = request.first(place, name)
                elif texts:
                    value = request.first(place, name).split(",")
                else:
                    value = deserializer.deserialize(request.parameters[place])
            except KeyError:
                return MissingRequiredParameter(name, place) if missing else None
            except OpenAPIError as error:
                return _invalid(parameter, error)
            if place == "query" and value == "":
                return _invalid(parameter, EmptyQueryParameterValue(name))
            try:
                validator.validate(value)
            except InvalidSchemaValue as error:
                return _invalid(parameter, error)
            return None

        return read, plain and not missing

    def _stock_reader(self, parameter: SchemaPath) -> _Reader:
        def read(request: AskedRequest) -> Exception | None:
            try:
                self._validator._get_parameter(request.parameters, parameter)
            except MissingParameter:
                return None
            except OpenAPIError as error:
                return error
            return None

        return read

    def _body_check(self, media_type: str) -> Callable[[AskedRequest], None]:
        validator = self._validator
        mime_type, parameters, media = validator._find_media_type(self._content, media_type)
        schema = media.get("schema")
        made = None if schema is None else validator.schema_validators_factory.create(validator.spec, schema)
        deserializer = validator.media_type_deserializers_factory.create(
            validator.spec,
            mime_type,
            schema=schema,
            schema_validator=made,
            parameters=parameters,
            encoding=media.get("encoding") if "encoding" in media else None,
            extra_media_type_deserializers=validator.extra_media_type_deserializers,
        )

        json = mime_type.partition(";")[0].rstrip().endswith("json")
        form = form_reader(mime_type, media)

        def deserialized(body: bytes | None) -> Any:
            if form is not None and body is not None:
                with suppress(UnicodeDecodeError):  # openapi-core has its own words for it
                    return form(body)
            return deserializer.deserialize(cast("bytes", body))

        def check(request: AskedRequest) -> None:
            value = request.value if json and request.value is not None else deserialized(request.body)
            if made is not None:
                made.validate(value)

        return check


def _key(parameter: SchemaPath) -> tuple[str, str]:
    return (parameter / "in").read_str(), (parameter / "name").read_str()


def _number(found: tuple[int, Exception]) -> int:
    return found[0]


def _wrong(readers: Sequence[_Numbered], request: AskedRequest) -> Sequence[tuple[int, Exception]]:
    """What is wrong with the parameters that these read, each with its place in the document."""
    return [(number, without_frames(error)) for number, read in readers if (error := read(request)) is not None]


def _invalid(parameter: SchemaPath, cause: BaseException) -> InvalidParameter:
    error = InvalidParameter.from_spec(parameter)
    error.__cause__ = cause
    return cast("InvalidParameter", error)
