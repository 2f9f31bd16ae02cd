"""Compressed bodies, in and out: gzip and deflate, as HTTP and gRPC name them."""

import gzip
import zlib

from .errors import BadRequestError, BodyTooLargeError, UnsupportedEncodingError
from .frontends import Call

WORTHWHILE_BYTES = 16 * 1024
"""Smallest response to compress: compressing a smaller one takes longer than sending it."""
LEVEL = 1
LARGE_BYTES = 16 * 1024
"""Smallest body to read through a view: a smaller one is quicker to copy."""

Buffer = bytes | memoryview


def read_body(call: Call, limit: int) -> bytes:
    """Return the body of a request, or the message of a gRPC call, decompressed.

    Args:
        limit: largest number of bytes to decompress to.

    Raises:
        UnsupportedEncodingError: for an unknown encoding.
        BadRequestError: if the data is not in the encoding that the header names.
        BodyTooLargeError: if the decompressed body has more than ``limit`` bytes.
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


def read_buffer(call: Call, limit: int) -> Buffer:
    """Return the body like ``read_body``, or a view of a large one, without a copy.

    Raises:
        RequestError: as ``read_body``.
    """
    if call.size < LARGE_BYTES or call.header("content-encoding"):
        return read_body(call, limit)
    return call.view


def decompress(header: str, encoding: str, data: bytes, limit: int) -> bytes:
    """Return data without its compression; see ``read_body``."""
    if encoding in ("gzip", "x-gzip"):
        window = zlib.MAX_WBITS | 16
    elif encoding == "deflate":
        # The standard means zlib's format, but some clients send the bare stream.
        window = zlib.MAX_WBITS if data[:1] == b"\x78" else -zlib.MAX_WBITS
    else:
        raise UnsupportedEncodingError(
            f"{header}: expected gzip, deflate or identity, got {encoding}"
        )
    unpacker = zlib.decompressobj(window)
    try:
        # One byte above the limit proves that the data is too large, however large it is.
        unpacked = unpacker.decompress(data, limit + 1)
    except zlib.error as error:
        raise BadRequestError(f"body: expected {encoding} data, got an error: {error}") from None
    if len(unpacked) > limit:
        raise BodyTooLargeError(limit)
    if not unpacker.eof:
        raise BadRequestError(f"body: the {encoding} data ends early")
    return unpacked


def choose_encoding(accepted: str | None) -> str | None:
    """Return the encoding of a long response, or None to send it uncompressed.

    Args:
        accepted: the header Accept-Encoding of the request.
    """
    if accepted is None:
        return None
    offers = [offer.strip().partition(";") for offer in accepted.lower().split(",")]
    names = {name.strip() for name, _, weight in offers if weight.replace(" ", "") != "q=0"}
    return next((name for name in ("gzip", "deflate") if name in names), None)


def compress(encoding: str, data: bytes) -> bytes:
    """Compress data as ``gzip`` or ``deflate``."""
    if encoding == "gzip":
        return gzip.compress(data, LEVEL, mtime=0)
    return zlib.compress(data, LEVEL)
