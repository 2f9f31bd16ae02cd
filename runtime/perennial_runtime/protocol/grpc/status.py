"""Map errors to gRPC status codes and messages, sent in the trailers. No I/O."""

from urllib.parse import quote

from ...errors import RequestError

OK = 0
INTERNAL = 13
_UNKNOWN = 2
_CODES = {
    400: 3,  # INVALID_ARGUMENT
    404: 5,  # NOT_FOUND
    405: 12,  # UNIMPLEMENTED
    408: 4,  # DEADLINE_EXCEEDED
    413: 8,  # RESOURCE_EXHAUSTED
    415: 12,  # UNIMPLEMENTED: an unknown compression
    429: 8,  # RESOURCE_EXHAUSTED
    499: 1,  # CANCELLED
    500: INTERNAL,
    501: 12,  # UNIMPLEMENTED
    503: 14,  # UNAVAILABLE: clients may retry
    504: 4,  # DEADLINE_EXCEEDED
}
_MESSAGE_BYTES = 4096


def code_of(error: RequestError) -> int:
    """Return the status code of an error."""
    return _CODES.get(error.status, _UNKNOWN)


def message_trailer(text: str) -> str:
    """Return the value of the trailer grpc-message, of at most 4 KiB.

    The format of grpc-message: printable ASCII as it is, other characters as %XX of their UTF-8.
    """
    encoded = quote(text, safe=_PLAIN, errors="replace")
    if len(encoded) <= _MESSAGE_BYTES:
        return encoded
    cut = encoded[:_MESSAGE_BYTES]
    # Do not cut within %XX.
    tail = cut.rfind("%", _MESSAGE_BYTES - 2)
    return cut[:tail] if tail >= 0 else cut


_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
