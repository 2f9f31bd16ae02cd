"""grpc.health.v1: whether the server, or one of its services, serves. No I/O."""

from typing import Any

from ...errors import NotFoundError
from ..shared.messages import quoted
from ..shared.protobuf import parse, to_bytes
from .schema import SERVICES, message_class

_Request = message_class("grpc.health.v1.HealthCheckRequest")
_Response = message_class("grpc.health.v1.HealthCheckResponse")
_ListResponse = message_class("grpc.health.v1.HealthListResponse")

KNOWN = ("", *SERVICES)
"""The names that can be asked for; the empty one is the server as a whole."""


def check(message: bytes, ready: bool) -> bytes:
    """The answer to Check.

    Raises:
        BadRequestError: where the message is no HealthCheckRequest.
        NotFoundError: for a service that is not here.
    """
    service = watched(message)
    if service not in KNOWN:
        raise NotFoundError(f"service: expected one of {quoted(KNOWN)}, got {service!r}")
    return status(service, ready)


def watched(message: bytes) -> str:
    """The service that a Check or Watch asks about.

    Raises:
        BadRequestError: where the message is no HealthCheckRequest.
    """
    service: str = parse(_Request, message).service
    return service


def status(service: str, ready: bool) -> bytes:
    """One answer to Watch, which is sent anew whenever it changes; also for unknown services."""
    return to_bytes(_status(service, ready))


def every(ready: bool) -> bytes:
    """The answer to List."""
    statuses = {service: _status(service, ready) for service in KNOWN}
    return to_bytes(_ListResponse(statuses=statuses))


def _status(service: str, ready: bool) -> Any:
    if service not in KNOWN:
        return _Response(status=_Response.SERVICE_UNKNOWN)
    return _Response(status=_Response.SERVING if ready else _Response.NOT_SERVING)
