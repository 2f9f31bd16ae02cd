"""Requests as hand-made bytes, and responses in a reproducible form."""

import base64
import re
import struct
from typing import Any

Fields = list[tuple[int, Any]]
_ID = re.compile(r'"prediction_id":"([A-Za-z0-9_-]{32})"')
_LONG = re.compile(r"\d\.\d{6,}")
_INSTANCE = re.compile(r'"instance":"[^"]*"')


def message(*fields: tuple[int, "bytes | str | int"]) -> bytes:
    """Return a message of protobuf: its fields by number, integers as varints."""
    parts = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            parts += _varint(number << 3) + _varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            parts += _varint(number << 3 | 2) + _varint(len(data)) + data
    return bytes(parts)


def packed(*values: int) -> bytes:
    """Return varints one after the other."""
    return b"".join(map(_varint, values))


def floats(*values: float) -> bytes:
    """Return numbers of four bytes, little-endian."""
    return struct.pack(f"<{len(values)}f", *values)


def fields(data: bytes, is_map: bool = False) -> Fields:
    """Return the fields of a message: number, and its value or bytes in hexadecimal.

    The entries of maps come in any order; they are sorted.
    """
    found: Fields = []
    place = 0
    while place < len(data):
        key, place = _read(data, place)
        size = {1: 8, 5: 4}.get(key & 7)
        if key & 7 == 0:
            value, place = _read(data, place)
            found.append((key >> 3, value))
            continue
        if size is None:
            size, place = _read(data, place)
        found.append((key >> 3, data[place : place + size].hex()))
        place += size
    return sorted(found, key=repr) if is_map else found


def steady(text: str) -> str:
    """Return a JSON answer with what differs from run to run replaced.

    Of a prediction's id its version, class and score bin are kept. The last digits of a sigmoid
    depend on the processor, so long numbers are rounded.
    """
    text = _LONG.sub(lambda match: f"{float(match[0]):.4f}", text)
    text = _INSTANCE.sub('"instance":"INSTANCE"', text)
    return _ID.sub(lambda match: f'"prediction_id":"ID {_meaning(match[1])}"', text)


def shape(value: Any) -> Any:
    """Return the JSON of an error with "TEXT" in place of the texts for people."""
    if isinstance(value, list):
        return [shape(each) for each in value]
    if isinstance(value, dict):
        return {key: "TEXT" if key == "error" else shape(each) for key, each in value.items()}
    return value


def _meaning(text: str) -> str:
    data = base64.urlsafe_b64decode(text)
    return f"{data[:6].hex()} {int.from_bytes(data[17:19], 'big')} {data[19]}"


def _varint(value: int) -> bytes:
    parts = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        parts.append(low | (0x80 if value else 0))
        if not value:
            return bytes(parts)


def _read(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
