"""openapi-core on every request and response, through its own `Config` hooks, with its errors as `Violation` values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from openapi_core import Config, OpenAPI, V30RequestValidator, V31RequestValidator
from openapi_core.deserializing.exceptions import DeserializeError
from openapi_core.deserializing.styles.exceptions import EmptyQueryParameterValue
from openapi_core.templating.media_types.exceptions import MediaTypeNotFound
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.validation.request.exceptions import (
    MissingRequiredParameter,
    MissingRequiredRequestBody,
    ParameterValidationError,
    RequestBodyValidationError,
)
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from werkzeug.datastructures import Headers as WerkzeugHeaders

from mocksandbox import codec
from mocksandbox.contract.asked import AskedRequest
from mocksandbox.contract.plan import planned
from mocksandbox.contract.rust import RustFactory
from mocksandbox.contract.schema import violations
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
        loaders: dict[str, Callable[[bytes], Any]] = dict.fromkeys(_json_media_types(contract), _load_json)
        three_zero = str(document.get("openapi")).startswith("3.0")
        unchecked = cast("Any", None)  # the document is checked by the tests, and not at each start
        config = Config(spec_validator_cls=unchecked, extra_media_type_deserializers=loaders)
        if not stock:
            config.request_validator_cls = planned(V30RequestValidator if three_zero else V31RequestValidator)
            config.schema_validators_factory = RustFactory(document)
        self._openapi = OpenAPI.from_dict(document, config=config)

    def request(self, request: Request, match: Match, value: Any = None) -> list[Violation]:
        """How a request differs from its operation in the document. `value` is its body as JSON where somebody has read it."""
        asked = cast("Any", AskedRequest(request, match, self._server, value))
        # What `iter_request_errors` calls once it has asked which protocol the request follows.
        errors = self._openapi.request_validator.iter_errors(asked)
        return [found for error in errors for found in _opened(error)] if errors else []

    def response(self, request: Request, match: Match, response: Response) -> list[Violation]:
        """How a response differs from its operation in the document."""
        asked, given = cast("Any", AskedRequest(request, match, self._server)), _GivenResponse(response)
        return [found for error in self._openapi.iter_response_errors(asked, given) for found in _opened(error)]


def _json_media_types(contract: Contract) -> set[str]:
    names = {name for operation in contract.operations for name in operation.bodies}
    for operation in contract.operations:
        for answer in operation.answers.values():
            names |= answer.content.keys()
    return {name for name in names if name.partition(";")[0].rstrip().endswith("json")}


def _load_json(data: bytes, **_parameters: str) -> Any:
    return codec.loads(data)


class _GivenResponse:
    """A response in the shape of openapi-core's `Response` protocol."""

    def __init__(self, response: Response) -> None:
        self.status_code = response.status
        self.headers = WerkzeugHeaders(list(response.headers.pairs))
        self.content_type = response.headers.get("content-type", "").lower()
        self.data = response.body or None


def _opened(error: BaseException) -> Iterator[Violation]:
    """openapi-core's error as violations; what it wraps says what is wrong."""
    if isinstance(error, MissingRequiredParameter):
        yield Violation(error.location, "is required and was not sent", "missing", error.name)
        return
    if isinstance(error, MissingRequiredRequestBody):
        yield Violation("body", "is required and was not sent", "missing")
        return
    where, name = "body", ""
    if isinstance(error, ParameterValidationError):
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
