"""A checked infer request, whatever the wire format that brought it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class OutputForm(NamedTuple):
    """How an output is wanted."""

    binary: bool = False
    """As bytes after the JSON head (REST only: gRPC answers are binary)."""
    classes: int = 0
    """0: the tensor itself; K: the K highest values of each row, as text."""


class InferRequest(NamedTuple):
    """A checked request."""

    feeds: dict[str, np.ndarray]
    outputs: Sequence[str]
    """The names of the outputs that are wanted, in order."""
    id: str | None
    forms: Sequence[OutputForm] | None = None
    """One for each of the wanted outputs; None: all in the format's plain form."""
