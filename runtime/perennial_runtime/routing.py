"""Routes: a function or a handler for the requests of each path.

Each router in ``routers/`` builds the routes of one protocol, and ``app.py`` looks up the route of
a request. A route either responds by itself (health, metadata, feedback) or has a handler: the
handler decodes the request to tensors, the engine runs the model, the handler encodes the results.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .encoding import read_body
from .errors import RequestError
from .frontends import Call

if TYPE_CHECKING:  # imported when the server is already live
    import numpy as np

JSON = "application/json"
OCTETS = "application/octet-stream"

Submit = Callable[[Callable[[], None]], object]
"""Runs a function in another thread, like ``concurrent.futures.Executor.submit``."""


class Response(NamedTuple):
    """A successful response. gRPC sends only the body, as the message."""

    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class Request(Protocol):
    """A decoded request for the model."""

    @property
    def feeds(self) -> "Mapping[str, np.ndarray]":
        """All inputs of the model, by name."""
        ...

    @property
    def outputs(self) -> Sequence[str]:
        """Names of the requested outputs, in the order of the response."""
        ...


class Handler(Protocol):
    """Decodes requests for the model and encodes its results. Thread-safe."""

    wants_ids: bool
    """True if the response contains prediction ids."""

    def decode(self, call: Call) -> Request:
        """Read a request.

        Raises:
            RequestError: if it does not follow the protocol or does not fit the model.
        """
        ...

    def encode(self, request: Any, results: "Sequence[np.ndarray]", ids: Sequence[str]) -> Response:
        """Write the response.

        Args:
            request: the return value of ``decode``.
            results: the requested outputs, in the order of ``request.outputs``.
            ids: prediction ids, one for each row; empty unless ``wants_ids``.

        Raises:
            RequestError: if the protocol cannot express the results.
        """
        ...


class Codec(Protocol):
    """Translates between the bodies of one protocol and the tensors of one model."""

    def decode(self, body: bytes, /) -> Request: ...

    def encode(self, request: Any, results: "Sequence[np.ndarray]", /) -> bytes: ...


class CodecHandler:
    """Handler of a codec that needs only bodies: no headers, no prediction ids."""

    wants_ids = False

    def __init__(
        self, codec: Codec, max_body_bytes: int, wrap: Callable[[bytes], bytes] | None = None
    ) -> None:
        """Create a handler; ``wrap`` puts a response into the envelope of a stream."""
        self._codec = codec
        self._limit = max_body_bytes
        self._wrap = wrap

    def decode(self, call: Call) -> Request:
        """Read a request; see :class:`Handler`."""
        return self._codec.decode(read_body(call, self._limit))

    def encode(self, request: Any, results: "Sequence[np.ndarray]", ids: Sequence[str]) -> Response:
        """Write the response; see :class:`Handler`."""
        body = self._codec.encode(request, results)
        return Response(body if self._wrap is None else self._wrap(body))


@dataclass(frozen=True)
class Route:
    """The way to respond to the requests of a path: a function, or a handler."""

    protocol: str
    """``v2``, ``v1``, ``grpc``, or ``http`` for paths outside of the protocols. A metric label."""
    name: str
    """The operation, such as ``infer``. A metric label."""
    method: str
    respond: Callable[[Call], Response | None] | None = None
    """Returns the response, or None if it has answered the call by itself."""
    handler: Handler | None = None
    on_error: Callable[[RequestError], Response] | None = None
    """Builds the response to an error, for protocols with errors inside successful responses."""
    submit: Submit | None = None
    """Runs ``respond`` in another thread, if it has to wait."""

    @cached_property
    def labels(self) -> tuple[str, str]:
        """Labels of the metrics of this route."""
        return self.protocol, self.name


Routes = dict[str, Route]
"""Routes by path."""

UNMATCHED = Route("http", "other", "")
"""Stands for all paths without a route, in the metrics."""


def get(
    protocol: str,
    name: str,
    respond: Callable[[Call], Response],
    submit: Submit | None = None,
) -> Route:
    """Build a GET route that does not run the model."""
    return Route(protocol, name, "GET", respond=respond, submit=submit)


def post(
    protocol: str,
    name: str,
    respond: Callable[[Call], Response],
    submit: Submit | None = None,
) -> Route:
    """Build a POST route that does not run the model."""
    return Route(protocol, name, "POST", respond=respond, submit=submit)


def infer(protocol: str, name: str, handler: Handler) -> Route:
    """Build a POST route that runs the model."""
    return Route(protocol, name, "POST", handler=handler)
