"""What every method makes."""

from collections.abc import Callable
from dataclasses import dataclass


class NotApplicableError(Exception):
    """A method has nothing to work on in this model; the message says why."""


@dataclass(frozen=True)
class Variant:
    """One way to carry a method out."""

    model: bytes
    what: str
    """What was done, as the beginning of a sentence: "50 of 300 trees"."""
    control: Callable[[], bytes] | None = None
    """Makes the same model, learnt without what the method is about."""
