"""Why something that lies elsewhere could not be had."""

from typing import NamedTuple

from .wire.outcome import LoadFailure


class Refusal(NamedTuple):
    """The reason, and what to tell people."""

    reason: LoadFailure
    message: str
