"""What can go wrong: loading a model (a reason for the operator) and answering (an HTTP status)."""

import orjson

from perennial_contracts.outcome import LoadFailure


class LoadError(Exception):
    """The model could not be loaded; ``reason`` becomes the reason of a condition."""

    def __init__(self, reason: LoadFailure, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def exit_code(self) -> int:
        """3 where another attempt can help, else 1."""
        return 3 if self.reason is LoadFailure.STORE_UNREACHABLE else 1


class RequestError(Exception):
    """A request that is answered with an error; the base of one class per status."""

    status = 400
    headers: tuple[tuple[str, str], ...] = ()

    def body(self) -> bytes:
        """The answer, as the protocol wants errors."""
        return orjson.dumps({"error": str(self)})


class BadRequestError(RequestError):
    """The request is not what the protocol or the model's signature asks for."""


class NotFoundError(RequestError):
    status = 404


class MethodNotAllowedError(RequestError):
    status = 405

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"method: expected {allowed}, got {method}")
        self.headers = (("allow", allowed),)


class BodyTooLargeError(RequestError):
    """The rest of the body is left unread, so the connection must end."""

    status = 413
    headers = (("connection", "close"),)

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"body: expected at most {limit} bytes, got more. "
            "Send fewer rows a request, or raise --max-body-bytes"
        )


class UnsupportedEncodingError(RequestError):
    status = 415


class UnavailableError(RequestError):
    """The model is not loaded yet."""

    status = 503
    headers = (("retry-after", "1"),)


class NotReadyError(RequestError):
    """A readiness check that fails; it is answered with the body of one that passes."""

    status = 503

    def __init__(self, state: dict[str, object]) -> None:
        super().__init__("not ready")
        self._state = state

    def body(self) -> bytes:
        return orjson.dumps(self._state)


class RunFailedError(RequestError):
    """The model failed for a reason that does not lie in the request."""

    status = 500
