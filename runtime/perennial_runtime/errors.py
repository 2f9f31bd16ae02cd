"""Errors of loading a model and of requests.

A ``LoadError`` has a reason for the operator, a ``RequestError`` an HTTP status.
"""

import orjson

from perennial_contracts.wire.names import RETRY_EXIT_CODE
from perennial_contracts.wire.outcome import LoadFailure


class LoadError(Exception):
    """The model could not be loaded; ``reason`` becomes the reason of a condition."""

    def __init__(self, reason: LoadFailure, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def exit_code(self) -> int:
        """RETRY_EXIT_CODE if a retry may succeed, else 1."""
        return RETRY_EXIT_CODE if self.reason is LoadFailure.STORE_UNREACHABLE else 1


class RequestError(Exception):
    """A request that gets an error as its response. One subclass for each status."""

    status = 400
    headers: tuple[tuple[str, str], ...] = ()

    def body(self) -> bytes:
        """Return the body of the response, in the form that the protocol has for errors."""
        return orjson.dumps({"error": str(self)})


class BadRequestError(RequestError):
    """The request does not follow the protocol or does not fit the model's signature."""


class NotFoundError(RequestError):
    """The path, the model, the version or the service does not exist."""

    status = 404


class UnknownMethodError(RequestError):
    """The gRPC method does not exist."""

    status = 501

    def __init__(self, path: str) -> None:
        super().__init__(f"method: nothing is served at {path}")


class MethodNotAllowedError(RequestError):
    """The path exists, for another HTTP method."""

    status = 405

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"method: expected {allowed}, got {method}")
        self.headers = (("allow", allowed),)


class BodyTooLargeError(RequestError):
    """The body is too large.

    Over HTTP/1.1 the server closes the connection without reading the rest.
    """

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"body: expected at most {limit} bytes, got more. "
            "Fix: send fewer rows per request, or raise --max-body-bytes"
        )


class RequestTimeoutError(RequestError):
    """The client stopped sending in the middle of a request."""

    status = 408


class ClientGoneError(RequestError):
    """The client closed the connection. Counted in the metrics, never sent."""

    status = 499

    def __init__(self) -> None:
        super().__init__("the client closed the connection")


class UnsupportedEncodingError(RequestError):
    """The compression of the body is unknown."""

    status = 415


class TooManyRequestsError(RequestError):
    """More requests wait for the model than --max-in-flight allows."""

    status = 429
    headers = (("retry-after", "1"),)

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} requests are waiting for the model already. "
            "Fix: retry in a second, or add replicas"
        )


class UnavailableError(RequestError):
    """The model is loading, or the server is shutting down."""

    status = 503
    headers = (("retry-after", "1"),)


class NotReadyError(RequestError):
    """A readiness check that fails, with the same body structure as one that passes."""

    status = 503

    def __init__(self, body: bytes) -> None:
        super().__init__("not ready")
        self._body = body

    def body(self) -> bytes:
        """Return the body of the readiness check."""
        return self._body


class RunFailedError(RequestError):
    """The model failed for a reason outside of the request."""

    status = 500


class UnforeseenError(RunFailedError):
    """A bug in the server."""

    def __init__(self) -> None:
        super().__init__("internal error; see the log of the server")
