"""A memo of JSON requests: parse only the data if the request's form came before.

A client keeps sending one form of request. So a body is cut around each ``"data": [...]``, and
if the pieces between the data are, byte for byte, those of an earlier valid request, only the
data are parsed.

This is exact, not a guess. When a form comes again, ``_names`` replaces its data by other data and
parses the result, to prove that the cuts enclose the data of the tensors. JSON is read from left to
right, so a parser expects the same after the same bytes; and the replaced part cannot be more than
a list of values, because a cut ends at a ``]``.

The memo is worth its lines: decoding takes 12.7 us with it and 29.4 us without for a request with
10 inputs, and 26.9 us and 28.7 us for one with 64 rows.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson

from ...signature import TensorSpec
from ..shared.infer_request import InferRequest, OutputForm
from ..shared.layout import RepeatFilter
from .tensor_json import FORMATS, decode_data

_OPENINGS = (b'"data":[[', b'"data": [[', b'"data":[', b'"data": [')
"""The forms that libraries write: one nested row or flat data, without or with spaces."""
_PROBE = 73856093
"""The data of a probe are an index and this number, which the real data hardly are."""
_MAX_FORMS = 64
_MAX_BYTES = 16 * 1024
"""Largest size of a request without its data."""


Fixed = tuple[bytes, ...]
"""The pieces of a body between its data."""


class _Slot(NamedTuple):
    """The place of one tensor's data."""

    spec: TensorSpec
    shape: tuple[int, ...]
    packer: struct.Struct | None
    """For numbers. Other data have no faster way."""

    def read(self, data: list[Any], is_nested: bool, may_hold_booleans: bool) -> np.ndarray:
        """Return the tensor from its data, which had one more list around them if nested.

        Raises:
            BadRequestError: with the tensor, and the expected and actual content.
        """
        spec, shape, packer = self
        if packer is not None and not may_hold_booleans:
            try:
                return np.ndarray(shape, spec.dtype, packer.pack(*data))
            except (struct.error, OverflowError):
                pass
        whole = [data] if is_nested else data
        return decode_data(spec, shape, whole, may_hold_booleans=may_hold_booleans)


class _Form(NamedTuple):
    """A form of request."""

    slots: tuple[_Slot, ...]
    outputs: Sequence[str]
    forms: Sequence[OutputForm] | None


class JsonMemo:
    """The forms of requests for one model."""

    def __init__(self, inputs: Mapping[str, TensorSpec]) -> None:
        self._inputs = inputs
        self._repeats = RepeatFilter()
        self._openings: list[bytes] = []
        """Openings that occur in the remembered forms."""
        self._forms: dict[Fixed, _Form | None] = {}
        """None for a form that cannot be cut."""

    def recall(self, body: bytes) -> InferRequest | None:
        """Return the request, if its form is known.

        Raises:
            BadRequestError: if the data of a tensor are wrong.
        """
        for opening in self._openings:
            if opening in body:
                break
        else:
            return None
        fixed, texts = _cut(body, opening, len(self._inputs))
        form = self._forms.get(fixed)
        if form is None:
            return None
        text = b"],[".join(texts)
        try:
            lists = orjson.loads(b"[[%b]]" % text)
        except orjson.JSONDecodeError:  # parsing the whole body reports the right position
            return None
        slots, outputs, forms = form
        if len(lists) != len(slots):  # a string that is open at a cut
            return None
        has_booleans = b"true" in text or b"false" in text
        is_nested = opening.endswith(b"[[")
        feeds: dict[str, np.ndarray] = {}
        for slot, data in zip(slots, lists, strict=True):
            feeds[slot.spec.name] = slot.read(data, is_nested, has_booleans)
        return InferRequest(feeds, outputs, None, forms)

    def learn(self, body: bytes, request: InferRequest) -> None:
        """Remember the form of a request without an id, if it has come before."""
        opening = next((text for text in _OPENINGS if text in body), None)
        if opening is None or request.id is not None:
            return
        fixed, texts = _cut(body, opening, len(self._inputs))
        is_short = sum(map(len, fixed)) <= _MAX_BYTES
        if not is_short or fixed in self._forms or not self._repeats.is_repeat(hash(fixed)):
            return
        names = (
            _names(fixed, opening, orjson.loads(body)) if len(texts) == len(request.feeds) else None
        )
        if len(self._forms) >= _MAX_FORMS:
            self._forms.clear()
        if names is None:
            self._forms[fixed] = None
            return
        slots = tuple(_slot(self._inputs[name], request.feeds[name].shape) for name in names)
        self._forms[fixed] = _Form(slots, request.outputs, request.forms)
        if opening not in self._openings:
            self._openings = [text for text in _OPENINGS if text in (opening, *self._openings)]


def _cut(body: bytes, opening: bytes, count: int) -> tuple[Fixed, list[bytes]]:
    """Return the pieces around the data of at most ``count`` tensors, and these data."""
    first, *pieces = body.split(opening, count)
    fixed = [first]
    texts: list[bytes] = []
    for piece in pieces:
        text, _, after = piece.partition(b"]")
        texts.append(text)
        fixed.append(after)
    return tuple(fixed), texts


def _names(fixed: Fixed, opening: bytes, request: Any) -> list[str] | None:
    """Return the names of the tensors whose data were cut out of a request, in order.

    None if the cuts do not enclose the data of its tensors.
    """
    first, *others = fixed
    pieces = [b"%d,%d]%b" % (index, _PROBE, after) for index, after in enumerate(others)]
    try:
        probe = orjson.loads(opening.join((first, *pieces)))
    except orjson.JSONDecodeError:
        return None
    for index, entry in enumerate(request["inputs"]):
        data = [index, _PROBE]
        other = [data] if opening.endswith(b"[[") else data
        if entry.get("data") == other:
            return None
        entry["data"] = other
    return [entry["name"] for entry in request["inputs"]] if probe == request else None


def _slot(spec: TensorSpec, shape: tuple[int, ...]) -> _Slot:
    count = int(np.prod(shape))
    code = FORMATS.get(spec.datatype)
    return _Slot(spec, shape, struct.Struct(f"={count}{code}") if code and count else None)
