"""What can go wrong: loading a model (a reason for the operator) and answering (an HTTP status)."""

import orjson

from perennial_contracts.wire.outcome import LoadFailure


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


class UnknownMethodError(RequestError):
    """A gRPC method that there is not."""

    status = 501

    def __init__(self, path: str) -> None:
        super().__init__(f"method: nothing is served at {path}")


class MethodNotAllowedError(RequestError):
    status = 405

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"method: expected {allowed}, got {method}")
        self.headers = (("allow", allowed),)


class BodyTooLargeError(RequestError):
    """Over HTTP/1.1 the rest of the body is left unread, and the connection ends."""

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"body: expected at most {limit} bytes, got more. "
            "Send fewer rows a request, or raise --max-body-bytes"
        )


class RequestTimeoutError(RequestError):
    """The rest of the request did not come."""

    status = 408


class ClientGoneError(RequestError):
    """Counted, never sent: nobody waits for the answer any more."""

    status = 499

    def __init__(self) -> None:
        super().__init__("the client went away")


class UnsupportedEncodingError(RequestError):
    status = 415


class TooManyRequestsError(RequestError):
    """More requests wait than are let wait."""

    status = 429
    headers = (("retry-after", "1"),)

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} requests wait for the model already. "
            "Try again in a second, or give it more replicas"
        )


class UnavailableError(RequestError):
    """The model is not loaded yet."""

    status = 503
    headers = (("retry-after", "1"),)


class NotReadyError(RequestError):
    """A readiness check that fails; it is answered with the body of one that passes."""

    status = 503

    def __init__(self, body: bytes) -> None:
        super().__init__("not ready")
        self._body = body

    def body(self) -> bytes:
        return self._body


class RunFailedError(RequestError):
    """The model failed for a reason that does not lie in the request."""

    status = 500


class UnforeseenError(RunFailedError):
    """An error of the program itself."""

    def __init__(self) -> None:
        super().__init__("internal error; the server's log says more")
