"""How each protocol asks the model something: from a request to tensors, and back to an answer."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..answer import Answer
from ..frontends import Call

if TYPE_CHECKING:  # it is imported while already live
    import numpy as np


class Request(Protocol):
    """A decoded request."""

    @property
    def feeds(self) -> "Mapping[str, np.ndarray]":
        """The model's inputs, all of them."""
        ...

    @property
    def outputs(self) -> Sequence[str]:
        """The names of the outputs that are wanted, in order."""
        ...


class Endpoint(Protocol):
    """One way to ask the model. May be used from several threads at once."""

    wants_ids: bool
    """Whether the answer tells the predictions' ids."""

    def decode(self, call: Call) -> Request:
        """Reads a request.

        Raises:
            RequestError: where it is wrong.
        """
        ...

    def encode(self, request: Any, results: "Sequence[np.ndarray]", ids: Sequence[str]) -> Answer:
        """Writes the answer.

        Args:
            request: what ``decode`` gave.
            results: the outputs that it wanted, in its order.
            ids: one for each row, where ``wants_ids``.

        Raises:
            RequestError: where the results are not what the protocol can say.
        """
        ...
