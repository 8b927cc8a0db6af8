"""openapi-core on every request, through its own `Config` hooks, with what does not change worked out once.

As it comes, openapi-core finds the path, the parameters' styles, the media type and the schema again for each request and
validates in Python. Here its request validator class keeps a plan for each operation (which parameter is read how, which
schema follows), and its schema validators are jsonschema-rs. tests/unit/test_validation.py proves that the verdicts are the
same as those of stock openapi-core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from jsonschema_path import SchemaPath
from openapi_core import Config, OpenAPI, V30RequestValidator, V31RequestValidator
from openapi_core.datatypes import RequestParameters
from openapi_core.deserializing.exceptions import DeserializeError
from openapi_core.deserializing.styles.exceptions import EmptyQueryParameterValue
from openapi_core.exceptions import OpenAPIError
from openapi_core.schema.parameters import get_style_and_explode
from openapi_core.templating.datatypes import TemplateResult
from openapi_core.templating.media_types.exceptions import MediaTypeNotFound
from openapi_core.templating.paths.datatypes import PathOperationServer
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.validation.request.exceptions import (
    InvalidParameter,
    InvalidRequestBody,
    MissingParameter,
    MissingRequiredParameter,
    MissingRequiredRequestBody,
    RequestBodyValidationError,
)
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from openapi_core.validation.schemas.factories import SchemaValidatorsFactory
from openapi_core.validation.schemas.validators import SchemaValidator
from werkzeug.datastructures import Headers as WerkzeugHeaders
from werkzeug.datastructures import ImmutableMultiDict

from mocksandbox import codec
from mocksandbox.contract.schema import compile_schema, violations
from mocksandbox.contract.violation import Violation

if TYPE_CHECKING:
    from mocksandbox.contract.model import Contract
    from mocksandbox.contract.routing import Match
    from mocksandbox.exchange import Request, Response


class OpenApiCheck:
    """Validates requests and responses of one contract. Violations are values; nothing is raised for a bad exchange."""

    def __init__(self, contract: Contract, stock: bool = False) -> None:
        """`stock` leaves out the compiled plan: openapi-core as it comes, to compare with."""
        servers = contract.document.get("servers") or [{"url": "http://localhost"}]
        self._server = str(servers[0]["url"]).rstrip("/")
        document = cast("dict[str, Any]", contract.document)
        loaders = dict.fromkeys(_json_media_types(contract), _load_json)
        three_zero = str(document.get("openapi")).startswith("3.0")
        planned = _planned(V30RequestValidator if three_zero else V31RequestValidator)
        config = Config(spec_validator_cls=None, extra_media_type_deserializers=loaders)
        if not stock:
            config.request_validator_cls = planned
            config.schema_validators_factory = _RustFactory(document)
        self._openapi = OpenAPI.from_dict(document, config=config)

    def request(self, request: Request, match: Match) -> list[Violation]:
        """How a request differs from its operation in the document."""
        asked = _AskedRequest(request, match, self._server)
        return [found for error in self._openapi.iter_request_errors(asked) for found in _opened(error)]

    def response(self, request: Request, match: Match, response: Response) -> list[Violation]:
        """How a response differs from its operation in the document."""
        asked, given = _AskedRequest(request, match, self._server), _GivenResponse(response)
        return [found for error in self._openapi.iter_response_errors(asked, given) for found in _opened(error)]


def _json_media_types(contract: Contract) -> set[str]:
    names = {name for operation in contract.operations for name in operation.bodies}
    for operation in contract.operations:
        for answer in operation.answers.values():
            names |= answer.content.keys()
    return {name for name in names if name.partition(";")[0].rstrip().endswith("json")}


def _load_json(data: bytes, **_parameters: str) -> Any:
    return codec.loads(data)


class _AskedRequest:
    """A request in the shape of openapi-core's `Request` protocol, as if sent to the document's first server."""

    def __init__(self, request: Request, match: Match, server: str) -> None:
        self.match = match
        self.method = request.method.lower()
        self.host_url, _, base = server.partition("://")[2].partition("/")
        self.host_url = f"{server.partition('://')[0]}://{self.host_url}"
        self.path = f"/{base}{request.path}" if base else request.path
        self.content_type = request.media_type
        self.body = request.body or None
        self.parameters = RequestParameters(
            path=dict(match.parameters),
            query=ImmutableMultiDict(request.query),
            header=WerkzeugHeaders(list(request.headers.pairs)),
            cookie=ImmutableMultiDict(),
        )


class _GivenResponse:
    """A response in the shape of openapi-core's `Response` protocol."""

    def __init__(self, response: Response) -> None:
        self.status_code = response.status
        self.headers = WerkzeugHeaders(list(response.headers.pairs))
        self.content_type = response.headers.get("content-type", "").lower()
        self.data = response.body or None


class _RustSchemaValidator(SchemaValidator):
    """openapi-core's schema validator with jsonschema-rs where the verdict is made."""

    rust: Any

    def validate(self, value: Any) -> None:
        if isinstance(value, ImmutableMultiDict):
            value = dict(value)
        errors = tuple(self.rust.iter_errors(value))
        if errors:
            raise InvalidSchemaValue(value, "any", schema_errors=cast("Any", errors))


class _RustFactory(SchemaValidatorsFactory):
    """Makes each schema's validator once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        from openapi_core.validation.schemas import oas30_write_schema_validators_factory as old
        from openapi_core.validation.schemas import oas31_schema_validators_factory as new

        stock = old if str(document.get("openapi")).startswith("3.0") else new
        super().__init__(stock.schema_validator_cls)
        self._stock = stock
        self._document = document
        self._made: dict[int, tuple[Any, SchemaValidator]] = {}

    def create(self, spec: SchemaPath, schema: SchemaPath, *args: Any, **options: Any) -> SchemaValidator:
        contents = schema.read_value()
        kept = self._made.get(id(contents))
        if kept is None:
            made = self._stock.create(spec, schema, *args, **options)
            rust = _RustSchemaValidator(made.schema, made.validator)
            rust.rust = compile_schema(self._document, contents)
            kept = self._made[id(contents)] = (contents, rust)  # holds the contents, so that its id stays its own
        return kept[1]


def _planned(stock: type[V30RequestValidator] | type[V31RequestValidator]) -> type[Any]:
    class Planned(stock):  # type: ignore[misc, valid-type]  # a base chosen at run time by the document's version
        """openapi-core's request validator with its plan for each operation worked out once."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._paths = dict((self.spec / "paths").str_items())
            self._plans: dict[str, _Plan] = {}

        def _find_path(self, request: _AskedRequest) -> PathOperationServer:
            template = request.match.operation.path
            path = self._paths[template]
            result = TemplateResult(template, dict(request.match.parameters))
            return PathOperationServer(path, self._plan(request, path).operation, None, result, {})

        def _plan(self, request: _AskedRequest, path: SchemaPath) -> _Plan:
            key = request.match.operation.id
            if key not in self._plans:
                self._plans[key] = _Plan(self, path / request.method, path)
            return self._plans[key]

        def _iter_errors(self, request: _AskedRequest, operation: SchemaPath, path: SchemaPath) -> Iterator[Exception]:
            plan = self._plan(request, path)
            for read in plan.parameters:
                error = read(request.parameters)
                if error is not None:
                    yield error
            yield from plan.body_errors(request.body, request.content_type)

    return Planned


_Reader = Callable[[RequestParameters], Exception | None]


class _Plan:
    """What is the same for every request of one operation: its parameters' readers and its bodies' checks."""

    def __init__(self, validator: Any, operation: SchemaPath, path: SchemaPath) -> None:
        self.operation = operation
        self._validator = validator
        nothing = SchemaPath.from_dict({})
        own = {_key(parameter): parameter for parameter in operation.get("parameters", nothing)}
        shared = {_key(parameter): parameter for parameter in path.get("parameters", nothing)}
        self.parameters: list[_Reader] = [self._reader(parameter) for parameter in (own | shared | own).values()]
        self._takes_body = "requestBody" in operation
        self._body_required = False
        self._bodies: dict[str, Callable[[bytes], None]] = {}
        if self._takes_body:
            body = operation / "requestBody"
            self._body_required = (body / "required").read_bool(default=False)
            self._content = body / "content"

    def body_errors(self, body: bytes | None, media_type: str) -> Iterator[Exception]:
        if not self._takes_body:
            return
        if not body:
            if self._body_required:
                yield MissingRequiredRequestBody()
            return
        try:
            if media_type not in self._bodies:
                self._bodies[media_type] = self._body_check(media_type)
            self._bodies[media_type](body)
        except (OpenAPIError, InvalidSchemaValue) as cause:
            error = InvalidRequestBody()
            error.__cause__ = cause
            yield error

    def _reader(self, parameter: SchemaPath) -> _Reader:
        name, place = (parameter / "name").read_str(), (parameter / "in").read_str()
        required = (parameter / "required").read_bool(default=False)
        if "content" in parameter or "allowEmptyValue" in parameter:
            return self._stock_reader(parameter)
        schema = parameter / "schema"
        style, explode = get_style_and_explode(parameter)
        make = self._validator.style_deserializers_factory.create
        deserializer = make(self._validator.spec, schema, style, explode, name=name)
        validator = self._validator.schema_validators_factory.create(self._validator.spec, schema)
        default = "default" in schema

        def read(parameters: RequestParameters) -> Exception | None:
            try:
                value = deserializer.deserialize(parameters[place])
            except KeyError:
                return MissingRequiredParameter(name, place) if required and not default else None
            except OpenAPIError as error:
                return _invalid(parameter, error)
            if place == "query" and value == "":
                return _invalid(parameter, EmptyQueryParameterValue(name))
            try:
                validator.validate(value)
            except InvalidSchemaValue as error:
                return _invalid(parameter, error)
            return None

        return read

    def _stock_reader(self, parameter: SchemaPath) -> _Reader:
        def read(parameters: RequestParameters) -> Exception | None:
            try:
                self._validator._get_parameter(parameters, parameter)
            except MissingParameter:
                return None
            except OpenAPIError as error:
                return error
            return None

        return read

    def _body_check(self, media_type: str) -> Callable[[bytes], None]:
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

        def check(body: bytes) -> None:
            value = deserializer.deserialize(body)
            if made is not None:
                made.validate(value)

        return check


def _key(parameter: SchemaPath) -> tuple[str, str]:
    return (parameter / "in").read_str(), (parameter / "name").read_str()


def _invalid(parameter: SchemaPath, cause: BaseException) -> InvalidParameter:
    error = InvalidParameter.from_spec(parameter)
    error.__cause__ = cause
    return cast("InvalidParameter", error)


def _opened(error: BaseException) -> Iterator[Violation]:
    """openapi-core's error as violations; what it wraps says what is wrong."""
    if isinstance(error, MissingRequiredParameter):
        yield Violation(error.location, "is required and was not sent", "missing", error.name)
        return
    if isinstance(error, MissingRequiredRequestBody):
        yield Violation("body", "is required and was not sent", "missing")
        return
    where, name = "body", ""
    if isinstance(error, InvalidParameter):
        where, name = error.location, error.name
    elif not isinstance(error, RequestBodyValidationError):
        where = "header" if "Header" in type(error).__name__ else "body"
        name = getattr(error, "name", "") if where == "header" else ""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, (InvalidSchemaValue, MediaTypeNotFound, DeserializeError, PathError)):
        cause = cause.__cause__
    if isinstance(cause, InvalidSchemaValue):
        yield from violations(cast("Any", cause.schema_errors), where, name)
    elif isinstance(cause, MediaTypeNotFound):
        wanted = " or ".join(cause.availableMimetypes)
        yield Violation("header", f"must be {wanted}", "media-type", "Content-Type")
    elif isinstance(cause, EmptyQueryParameterValue):
        yield Violation(where, "must not be empty", "empty", name)
    elif isinstance(cause, DeserializeError):
        yield Violation(where, "cannot be read as the document's type", "syntax", name)
    else:
        yield Violation(where, str(cause or error), type(error).__name__, name)
