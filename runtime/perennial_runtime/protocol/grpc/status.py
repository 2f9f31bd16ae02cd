"""How errors are told in gRPC: a status code and a message, both in the trailers. No I/O."""

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
    415: 12,  # UNIMPLEMENTED: a compression that is not known
    429: 8,  # RESOURCE_EXHAUSTED
    499: 1,  # CANCELLED
    500: INTERNAL,
    501: 12,  # UNIMPLEMENTED
    503: 14,  # UNAVAILABLE: clients may try again
    504: 4,  # DEADLINE_EXCEEDED
}
_MESSAGE_BYTES = 4096


def code_of(error: RequestError) -> int:
    """The status code of an error."""
    return _CODES.get(error.status, _UNKNOWN)


def message_trailer(text: str) -> str:
    """The value of the trailer grpc-message, of at most some 4 KiB.

    Text as grpc-message wants it: printable ASCII as it is, all else as %XX of its UTF-8.
    """
    encoded = quote(text, safe=_PLAIN, errors="replace")
    if len(encoded) <= _MESSAGE_BYTES:
        return encoded
    cut = encoded[:_MESSAGE_BYTES]
    # Not within %XX.
    tail = cut.rfind("%", _MESSAGE_BYTES - 2)
    return cut[:tail] if tail >= 0 else cut


_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
