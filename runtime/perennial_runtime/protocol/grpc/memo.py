"""A memo of messages: read a request without parsing if its form came before.

Requests of one form differ only in their data and their id. Two messages of one length with the
same bytes outside of the payloads of ``raw_input_contents`` and ``id`` have the same fields. So the
memo stores the positions of those payloads and the bytes between them for each length, and compares
these bytes.
"""

from typing import NamedTuple

from ..shared.infer_request import InferRequest
from ..shared.layout import Layout

_ID = 0x1A
_RAW = 0x3A
_TAGS = frozenset((0x0A, 0x12, _ID, 0x22, 0x2A, 0x32, _RAW))
"""Tags of the fields 1 to 7, all with lengths: ``(number << 3) | 2``."""

_MAX_LENGTHS = 64
_MAX_BYTES = 16 * 1024
"""Largest size of a message without its data."""


class Payloads(NamedTuple):
    """Start and end of the parts that may differ between messages."""

    raw: list[tuple[int, int]]
    id: tuple[int, int] | None


class _Form(NamedTuple):
    fixed: tuple[tuple[int, bytes], ...]
    """The pieces that must be the same, each with its position."""
    id: tuple[int, int] | None
    layout: Layout


class MessageMemo:
    """The forms of requests for one model."""

    def __init__(self) -> None:
        self._forms: dict[int, _Form] = {}
        """By the length of the message."""

    def recall(self, message: bytes) -> InferRequest | None:
        """Return the request, if its form is known.

        Raises:
            BadRequestError: if the data of a string or a boolean are wrong.
        """
        form = self._forms.get(len(message))
        if form is None:
            return None
        fixed, id_span, layout = form
        for start, piece in fixed:
            if not message.startswith(piece, start):
                return None
        request_id = None
        if id_span is not None:
            try:
                request_id = message[id_span[0] : id_span[1]].decode() or None
            except UnicodeDecodeError:
                return None
        return InferRequest(layout.feeds(message), layout.outputs, request_id, layout.forms)

    def learn(self, message: bytes, payloads: Payloads, layout: Layout) -> None:
        """Remember the form of a valid message."""
        variable = [*payloads.raw]
        if payloads.id:
            variable.append(payloads.id)
        fixed = []
        position = 0
        for start, end in sorted(variable):
            fixed.append((position, message[position:start]))
            position = end
        if position < len(message):
            fixed.append((position, message[position:]))
        if sum(len(piece) for _, piece in fixed) > _MAX_BYTES:
            return
        if len(self._forms) >= _MAX_LENGTHS:
            self._forms.clear()
        self._forms[len(message)] = _Form(tuple(fixed), payloads.id, layout)


def payloads_of(message: bytes) -> Payloads | None:
    """Return the payloads in a valid message, or None for a rare encoding."""
    raw: list[tuple[int, int]] = []
    id_span: tuple[int, int] | None = None
    position = 0
    end = len(message)
    while position < end:
        tag = message[position]
        if tag not in _TAGS:
            return None
        length, start = _varint(message, position + 1)
        position = start + length
        if tag == _RAW:
            raw.append((start, position))
        elif tag == _ID:
            if id_span:
                return None
            id_span = (start, position)
    return Payloads(raw, id_span) if position == end else None


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return the number at a position, and the position of its end."""
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
