"""Requests in JSON that differ from an earlier one in their data only: the rest is not read again.

A client sends one form over and over. So a body is cut before and after each ``"data": [...]``, and
where all else is, byte for byte, what it was in a request that was right, only the data are parsed.

This is no guess. That the cuts of the first request lie where its tensors' data do was tried, by
putting other data there. JSON is read from left to right, so after the same bytes the same is
expected; and what is put there can be no more than a list of values, for a cut ends at a ``]``.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson

from ...signature import TensorSpec
from ..shared.layout import Seen
from ..shared.request import InferRequest, OutputForm
from .tensor_json import FORMATS, decode_data

_OPENINGS = (b'"data":[[', b'"data": [[', b'"data":[', b'"data": [')
"""As libraries write it, of one row that is nested, or of flat data; without spaces or with."""
_OTHER = 73856093
"""Data to try are a place and this number, so that they hardly are what was there."""
_REMEMBERED = 64
_REMEMBERED_BYTES = 16 * 1024
"""Of a request without its data."""


Fixed = tuple[bytes, ...]
"""What a body is between its data."""


class _Slot(NamedTuple):
    """One tensor."""

    spec: TensorSpec
    shape: tuple[int, ...]
    packer: struct.Struct | None
    """For numbers; for other data there is no shorter way."""

    def read(self, data: list[Any], is_nested: bool, may_hold_booleans: bool) -> np.ndarray:
        """The tensor from its data, which were in one list more where they were nested.

        Raises:
            BadRequestError: naming the tensor, what was expected, and what came.
        """
        spec, shape, packer = self
        if packer is not None and not may_hold_booleans:
            try:
                return np.ndarray(shape, spec.dtype, packer.pack(*data))
            except (struct.error, OverflowError):
                pass
        whole = [data] if is_nested else data
        return decode_data(spec, shape, whole, may_hold_booleans=may_hold_booleans)


class _Known(NamedTuple):
    slots: tuple[_Slot, ...]
    outputs: Sequence[str]
    forms: Sequence[OutputForm] | None


class JsonMemo:
    """What was learnt of the requests for one model."""

    def __init__(self, inputs: Mapping[str, TensorSpec]) -> None:
        self._inputs = inputs
        self._seen = Seen()
        self._openings: list[bytes] = []
        """Those that occurred in what is known."""
        self._known: dict[Fixed, _Known | None] = {}
        """None for what was tried, and is of no use."""

    def recall(self, body: bytes) -> InferRequest | None:
        """The request, where one like it is known.

        Raises:
            BadRequestError: where the data of a tensor are wrong.
        """
        for opening in self._openings:
            if opening in body:
                break
        else:
            return None
        fixed, texts = _cut(body, opening, len(self._inputs))
        known = self._known.get(fixed)
        if known is None:
            return None
        text = b"],[".join(texts)
        try:
            lists = orjson.loads(b"[[%b]]" % text)
        except orjson.JSONDecodeError:  # at which place of the body, only the whole of it tells
            return None
        slots, outputs, forms = known
        if len(lists) != len(slots):  # texts that are open at a cut
            return None
        has_booleans = b"true" in text or b"false" in text
        is_nested = opening.endswith(b"[[")
        feeds: dict[str, np.ndarray] = {}
        for slot, data in zip(slots, lists, strict=True):
            feeds[slot.spec.name] = slot.read(data, is_nested, has_booleans)
        return InferRequest(feeds, outputs, None, forms)

    def learn(self, body: bytes, request: InferRequest) -> None:
        """Remembers what a body was read as, where one like it came before and it has no id."""
        opening = next((text for text in _OPENINGS if text in body), None)
        if opening is None or request.id is not None:
            return
        fixed, texts = _cut(body, opening, len(self._inputs))
        is_short = sum(map(len, fixed)) <= _REMEMBERED_BYTES
        if not is_short or fixed in self._known or not self._seen.again(hash(fixed)):
            return
        names = (
            _names(fixed, opening, orjson.loads(body)) if len(texts) == len(request.feeds) else None
        )
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        if names is None:
            self._known[fixed] = None
            return
        slots = tuple(_slot(self._inputs[name], request.feeds[name].shape) for name in names)
        self._known[fixed] = _Known(slots, request.outputs, request.forms)
        if opening not in self._openings:
            self._openings = [text for text in _OPENINGS if text in (opening, *self._openings)]


def _cut(body: bytes, opening: bytes, count: int) -> tuple[Fixed, list[bytes]]:
    """What is before, between and after the data of at most ``count`` tensors; and these data."""
    first, *pieces = body.split(opening, count)
    fixed = [first]
    texts: list[bytes] = []
    for piece in pieces:
        text, _, after = piece.partition(b"]")
        texts.append(text)
        fixed.append(after)
    return tuple(fixed), texts


def _names(fixed: Fixed, opening: bytes, request: Any) -> list[str] | None:
    """The names of the tensors whose data were cut out of a request, in order.

    None where what was cut out are not the data of its tensors.
    """
    first, *others = fixed
    pieces = [b"%d,%d]%b" % (place, _OTHER, after) for place, after in enumerate(others)]
    try:
        tried = orjson.loads(opening.join((first, *pieces)))
    except orjson.JSONDecodeError:
        return None
    for place, entry in enumerate(request["inputs"]):
        data = [place, _OTHER]
        other = [data] if opening.endswith(b"[[") else data
        if entry.get("data") == other:
            return None
        entry["data"] = other
    return [entry["name"] for entry in request["inputs"]] if tried == request else None


def _slot(spec: TensorSpec, shape: tuple[int, ...]) -> _Slot:
    count = int(np.prod(shape))
    code = FORMATS.get(spec.datatype)
    return _Slot(spec, shape, struct.Struct(f"={count}{code}") if code and count else None)
