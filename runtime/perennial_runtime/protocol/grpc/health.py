"""grpc.health.v1: the status of the server and of its services. No I/O."""

from typing import Any

from ...errors import NotFoundError
from ..shared.messages import quoted
from ..shared.protobuf import parse, to_bytes
from .schema import SERVICES, message_class

_Request = message_class("grpc.health.v1.HealthCheckRequest")
_Response = message_class("grpc.health.v1.HealthCheckResponse")
_ListResponse = message_class("grpc.health.v1.HealthListResponse")

NAMES = ("", *SERVICES)
"""Names of the services. The empty name stands for the whole server."""


def check(message: bytes, ready: bool) -> bytes:
    """Return the response to Check.

    Raises:
        BadRequestError: if the message is no HealthCheckRequest.
        NotFoundError: for an unknown service.
    """
    service = requested_service(message)
    if service not in NAMES:
        raise NotFoundError(f"service: expected one of {quoted(NAMES)}, got {service!r}")
    return status(service, ready)


def requested_service(message: bytes) -> str:
    """Return the name of the service in a request of Check or Watch.

    Raises:
        BadRequestError: if the message is no HealthCheckRequest.
    """
    service: str = parse(_Request, message).service
    return service


def status(service: str, ready: bool) -> bytes:
    """Return one response of Watch. An unknown service has a status, too."""
    return to_bytes(_status(service, ready))


def status_of_all(ready: bool) -> bytes:
    """Return the response to List."""
    statuses = {service: _status(service, ready) for service in NAMES}
    return to_bytes(_ListResponse(statuses=statuses))


def _status(service: str, ready: bool) -> Any:
    if service not in NAMES:
        return _Response(status=_Response.SERVICE_UNKNOWN)
    return _Response(status=_Response.SERVING if ready else _Response.NOT_SERVING)
