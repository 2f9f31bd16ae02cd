"""Positions of the tensors in a binary request, for later requests of that form.

A client keeps sending one form of request, in which only the data change. The facts that were
checked once (names, datatypes, shapes, requested outputs) hold for every request that has the same
bytes outside of the data.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...signature import TensorSpec
from .infer_request import OutputForm
from .tensor_binary import decode_binary

_CONTENT_OFFSET = bytes.__basicsize__ - 1
"""Offset of the content in a bytes object. The object itself is aligned for any number."""

_MAX_KEYS = 1024


class RepeatFilter:
    """Detects forms of requests that repeat: only those are worth remembering."""

    def __init__(self) -> None:
        self._keys: set[int] = set()

    def is_repeat(self, key: int) -> bool:
        """Return whether this key was among the last thousand or so, and remember it."""
        if key in self._keys:
            return True
        if len(self._keys) >= _MAX_KEYS:
            self._keys.clear()
        self._keys.add(key)
        return False


class TensorSpan(NamedTuple):
    """The bytes of one checked tensor in a request."""

    spec: TensorSpec
    shape: tuple[int, ...]
    start: int
    size: int


class _Slot(NamedTuple):
    name: str
    span: TensorSpan
    dtype: np.dtype | None
    """None: the content needs checks in each request."""
    is_aligned: bool


class Layout:
    """The tensors and the requested outputs of a form of request."""

    def __init__(
        self,
        spans: Sequence[TensorSpan],
        outputs: Sequence[str],
        forms: Sequence[OutputForm] | None,
    ) -> None:
        self.outputs = outputs
        self.forms = forms
        self._slots = tuple(map(_slot, spans))

    def feeds(self, body: bytes | memoryview) -> dict[str, np.ndarray]:
        """Return the tensors of another request of this form, without a copy if aligned.

        Raises:
            BadRequestError: if the bytes of a string or a boolean are wrong.
        """
        feeds: dict[str, np.ndarray] = {}
        is_view = type(body) is memoryview
        for name, (spec, shape, start, size), dtype, is_aligned in self._slots:
            if dtype is None:
                feeds[name] = decode_binary(spec, shape, body, start, size)
            elif is_view:  # its content may have any alignment
                array: np.ndarray = np.ndarray(shape, dtype, body, start)
                feeds[name] = array if array.flags.aligned else array.copy()
            elif is_aligned:
                feeds[name] = np.ndarray(shape, dtype, body, start)
            else:
                feeds[name] = np.ndarray(shape, dtype, body[start : start + size])
        return feeds


def _slot(span: TensorSpan) -> _Slot:
    spec = span.spec
    dtype = spec.dtype if span.size and spec.datatype not in ("BYTES", "BOOL") else None
    is_aligned = dtype is not None and (span.start + _CONTENT_OFFSET) % dtype.itemsize == 0
    return _Slot(spec.name, span, dtype, is_aligned)
