"""Bodies that are compressed, in and out: gzip and deflate, as HTTP and gRPC name them."""

import gzip
import zlib

from .errors import BadRequestError, BodyTooLargeError, UnsupportedEncodingError
from .frontends import Call

WORTHWHILE_BYTES = 16 * 1024
"""Shorter answers are sent as they are: to compress them takes longer than to send them."""
LEVEL = 1
LARGE_BYTES = 16 * 1024
"""Shorter bodies are sooner copied than shown."""

Buffer = bytes | memoryview


def body_of(call: Call, limit: int) -> bytes:
    """The body of a request or the message of a gRPC call, decompressed to at most ``limit`` bytes.

    Raises:
        UnsupportedEncodingError: where the encoding is not known.
        BadRequestError: where the data is not what the encoding says.
        BodyTooLargeError: where there is more of it.
    """
    if call.is_grpc:
        encoding = (call.header("grpc-encoding") or "identity") if call.compressed else "identity"
        name = "grpc-encoding"
    else:
        name = "content-encoding"
        encoding = call.header(name) or "identity"
    if encoding == "identity":
        return call.body
    return decompress(name, encoding, call.body, limit)


def content_of(call: Call, limit: int) -> Buffer:
    """The same for who can do with a view of what is large, so that it is not copied.

    Raises:
        RequestError: as ``body_of``.
    """
    if call.size < LARGE_BYTES or call.header("content-encoding"):
        return body_of(call, limit)
    return call.view


def decompress(header: str, encoding: str, data: bytes, limit: int) -> bytes:
    """Data without its compression; see ``body_of``."""
    if encoding in ("gzip", "x-gzip"):
        window = zlib.MAX_WBITS | 16
    elif encoding == "deflate":
        # Meant is zlib's format; some clients send the bare stream.
        window = zlib.MAX_WBITS if data[:1] == b"\x78" else -zlib.MAX_WBITS
    else:
        raise UnsupportedEncodingError(
            f"{header}: expected gzip, deflate or identity, got {encoding}"
        )
    unpacker = zlib.decompressobj(window)
    try:
        # A byte more than allowed tells that there is more, however much that would be.
        unpacked = unpacker.decompress(data, limit + 1)
    except zlib.error as error:
        raise BadRequestError(f"body: expected {encoding} data, got an error: {error}") from None
    if len(unpacked) > limit:
        raise BodyTooLargeError(limit)
    if not unpacker.eof:
        raise BadRequestError(f"body: the {encoding} data ends early")
    return unpacked


def wanted_encoding(accepted: str | None) -> str | None:
    """How a long answer is compressed for a client that accepts some encodings."""
    if accepted is None:
        return None
    offers = [offer.strip().partition(";") for offer in accepted.lower().split(",")]
    names = {name.strip() for name, _, weight in offers if weight.replace(" ", "") != "q=0"}
    return next((name for name in ("gzip", "deflate") if name in names), None)


def compress(encoding: str, data: bytes) -> bytes:
    """Data as ``gzip`` or ``deflate``."""
    if encoding == "gzip":
        return gzip.compress(data, LEVEL, mtime=0)
    return zlib.compress(data, LEVEL)
