"""Protocol buffers: messages from bytes, and to bytes. No I/O."""

from typing import Any

from google.protobuf.message import DecodeError

from ...errors import BadRequestError

_SHORT = [bytes([value]) for value in range(0x80)]


def parse(kind: Any, message: bytes) -> Any:
    """Parse bytes as a message of the class ``kind``.

    Raises:
        BadRequestError: if the bytes are no such message.
    """
    try:
        return kind.FromString(message)
    except DecodeError:
        raise BadRequestError(
            f"message: expected {kind.DESCRIPTOR.full_name}, got {len(message)} bytes that are "
            "no message"
        ) from None


def to_bytes(message: Any) -> bytes:
    """Serialize a message."""
    data: bytes = message.SerializeToString()
    return data


def varint(value: int) -> bytes:
    """Return a number from 0 up in protobuf's variable-length encoding."""
    if value < 0x80:
        return _SHORT[value]
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)
