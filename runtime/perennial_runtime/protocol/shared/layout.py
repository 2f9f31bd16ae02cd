"""Where the tensors of a binary request lie, so that the next request like it is read at once.

A client sends one shape over and over: of two requests only the data differ. What was found out
about the first (names, types, shapes, outputs, and that all of it is right) holds for the second
wherever its bytes outside the data are the same.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...signature import TensorSpec
from .request import OutputForm
from .tensor_binary import decode_binary

_CONTENT_OFFSET = bytes.__basicsize__ - 1
"""Where the content of a bytes object begins, which itself is aligned for any number."""


_KEPT_KEYS = 1024


class Seen:
    """Which kinds of requests came before: only what comes again is worth remembering."""

    def __init__(self) -> None:
        self._keys: set[int] = set()

    def again(self, key: int) -> bool:
        """Whether this key came before, of the last thousand or so."""
        if key in self._keys:
            return True
        if len(self._keys) >= _KEPT_KEYS:
            self._keys.clear()
        self._keys.add(key)
        return False


class Place(NamedTuple):
    """Where one checked tensor lies."""

    spec: TensorSpec
    shape: tuple[int, ...]
    start: int
    size: int


class _Slot(NamedTuple):
    name: str
    place: Place
    dtype: np.dtype | None
    """None: what the bytes are must be looked at each time."""
    is_aligned: bool


class Layout:
    """The tensors of a request, and what it wants."""

    def __init__(
        self,
        places: Sequence[Place],
        outputs: Sequence[str],
        forms: Sequence[OutputForm] | None,
    ) -> None:
        self.outputs = outputs
        self.forms = forms
        self._slots = tuple(map(_slot, places))

    def feeds(self, body: bytes | memoryview) -> dict[str, np.ndarray]:
        """The tensors of another request of this layout; not copied where they lie aligned.

        Raises:
            BadRequestError: where the bytes of a string or a boolean are wrong.
        """
        feeds: dict[str, np.ndarray] = {}
        is_view = type(body) is memoryview
        for name, (spec, shape, start, size), dtype, is_aligned in self._slots:
            if dtype is None:
                feeds[name] = decode_binary(spec, shape, body, start, size)
            elif is_view:  # whose content may lie anywhere
                array: np.ndarray = np.ndarray(shape, dtype, body, start)
                feeds[name] = array if array.flags.aligned else array.copy()
            elif is_aligned:
                feeds[name] = np.ndarray(shape, dtype, body, start)
            else:
                feeds[name] = np.ndarray(shape, dtype, body[start : start + size])
        return feeds


def _slot(place: Place) -> _Slot:
    spec = place.spec
    dtype = spec.dtype if place.size and spec.datatype not in ("BYTES", "BOOL") else None
    is_aligned = dtype is not None and (place.start + _CONTENT_OFFSET) % dtype.itemsize == 0
    return _Slot(spec.name, place, dtype, is_aligned)
