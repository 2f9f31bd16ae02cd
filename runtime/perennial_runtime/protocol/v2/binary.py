"""What follows the JSON head of a request: the data of its binary tensors. No I/O."""

from typing import Any

import numpy as np

from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.infer_request import wrong_input
from ..shared.layout import Place
from ..shared.messages import brief
from ..shared.tensor_binary import decode_binary
from .header import HEADER


class Tail:
    """What follows the JSON head: the data of the binary inputs, in their order."""

    def __init__(self, body: bytes | memoryview, start: int) -> None:
        self._body = body
        self._at = start
        self._left = len(body) - start
        self.places: list[Place] = []
        """Where the tensors lie that were read, those without bytes left out."""

    def tensor(self, spec: TensorSpec, shape: tuple[int, ...], size: Any) -> np.ndarray:
        """The next tensor.

        Args:
            shape: a checked one.
            size: its bytes, as the request says.

        Raises:
            BadRequestError: where there are not as many, or it does not need as many.
        """
        if type(size) is not int or size < 0:
            raise wrong_input(
                spec, f"binary_data_size: expected a number of bytes, got {brief(size)}"
            )
        if size > self._left:
            raise wrong_input(
                spec,
                f"binary_data_size: expected at most the {self._left} bytes that are left after "
                f"the JSON head (its length belongs in the header {HEADER}), got {size}",
            )
        array = decode_binary(spec, shape, self._body, self._at, size)
        if size:
            self.places.append(Place(spec, shape, self._at, size))
            self._at += size
            self._left -= size
        return array

    def check_used(self) -> None:
        """Raises ``BadRequestError`` where something is left."""
        if self._left:
            raise BadRequestError(
                f"body: expected binary data as long as the inputs' binary_data_size say, got "
                f"{self._left} bytes more"
            )


EMPTY = Tail(b"", 0)
"""For all requests without a tail: what it can give, it can give again."""
