"""The result of every method."""

from collections.abc import Callable
from dataclasses import dataclass


class NotApplicableError(Exception):
    """A method cannot be applied to this model. The message gives the reason."""


@dataclass(frozen=True)
class Variant:
    """A compressed model."""

    model: bytes
    description: str
    """The change, as the beginning of a sentence: "50 of 300 trees"."""
    control: Callable[[], bytes] | None = None
    """Function that trains the same model without the idea of the method."""
