"""Requests that differ from an earlier one in their data and id only, read without parsing.

Two messages of one length with the same bytes outside of the payloads of ``raw_input_contents``
and ``id`` have the same fields. So the places of those payloads are kept for each length, and the
bytes between them; these are protobuf's own words, and nothing of them is interpreted here.
"""

from typing import NamedTuple

from ..shared.layout import Layout
from ..shared.request import InferRequest

_ID = 0x1A
_RAW = 0x3A
_TAGS = frozenset((0x0A, 0x12, _ID, 0x22, 0x2A, 0x32, _RAW))
"""Of the fields 1 to 7, all with lengths: ``(number << 3) | 2``."""

_REMEMBERED_LENGTHS = 64
_REMEMBERED_BYTES = 16 * 1024
"""Of one message without its data."""


class Payloads(NamedTuple):
    """Start and end of what may differ from message to message."""

    raw: list[tuple[int, int]]
    id: tuple[int, int] | None


class _Known(NamedTuple):
    fixed: tuple[tuple[int, bytes], ...]
    """The bytes that must be the same, each with their place."""
    id: tuple[int, int] | None
    layout: Layout


class Memo:
    """What was learnt of the requests for one model."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}

    def recall(self, message: bytes) -> InferRequest | None:
        """The request, where one like it is known.

        Raises:
            BadRequestError: where the data of a string or a boolean are wrong.
        """
        known = self._known.get(len(message))
        if known is None:
            return None
        fixed, place, layout = known
        for start, piece in fixed:
            if not message.startswith(piece, start):
                return None
        identity = None
        if place is not None:
            try:
                identity = message[place[0] : place[1]].decode() or None
            except UnicodeDecodeError:
                return None
        return InferRequest(layout.feeds(message), layout.outputs, identity, layout.forms)

    def learn(self, message: bytes, payloads: Payloads, layout: Layout) -> None:
        """Remembers a message that is right."""
        variable = [*payloads.raw]
        if payloads.id:
            variable.append(payloads.id)
        fixed = []
        at = 0
        for start, end in sorted(variable):
            fixed.append((at, message[at:start]))
            at = end
        if at < len(message):
            fixed.append((at, message[at:]))
        if sum(len(piece) for _, piece in fixed) > _REMEMBERED_BYTES:
            return
        if len(self._known) >= _REMEMBERED_LENGTHS:
            self._known.clear()
        self._known[len(message)] = _Known(tuple(fixed), payloads.id, layout)


def payloads_of(message: bytes) -> Payloads | None:
    """The places in a message that protobuf could read; None for a form of it that is rare."""
    raw: list[tuple[int, int]] = []
    identity: tuple[int, int] | None = None
    at = 0
    end = len(message)
    while at < end:
        tag = message[at]
        if tag not in _TAGS:
            return None
        length, start = _varint(message, at + 1)
        at = start + length
        if tag == _RAW:
            raw.append((start, at))
        elif tag == _ID:
            if identity:
                return None
            identity = (start, at)
    return Payloads(raw, identity) if at == end else None


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
