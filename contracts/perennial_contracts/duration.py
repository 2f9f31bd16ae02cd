"""Lengths of time as they stand in a spec: ``90s``, ``15m``, ``6h``, ``30d``."""

import re
from typing import Annotated

from pydantic import Field

from .api import rules

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
PATTERN = "^[1-9][0-9]{0,6}[smhd]$"

Duration = Annotated[
    str,
    Field(
        max_length=8,
        json_schema_extra=rules(
            (f"self.matches('{PATTERN}')", "expected a whole number and s, m, h or d, such as 6h")
        ),
    ),
]


def seconds(text: str) -> int:
    """The seconds of a duration.

    Raises ``ValueError`` where it is none.

    >>> seconds("6h")
    21600
    """
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"expected a whole number and s, m, h or d, such as 6h, got {text!r}")
    return int(text[:-1]) * _SECONDS[text[-1]]
