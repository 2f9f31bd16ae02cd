"""Durations in a spec: ``90s``, ``15m``, ``6h``, ``30d``."""

import re
from typing import Annotated

from pydantic import Field

from .common import rules

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
PATTERN = "^[1-9][0-9]{0,4}[smhd]$"
"""At most 273 years, so that every sum with a date is a date."""
_EXPECTED = "expected a whole number of up to five digits and s, m, h or d, such as 6h"

Duration = Annotated[
    str,
    Field(
        max_length=6,
        json_schema_extra=rules((f"self.matches('{PATTERN}')", _EXPECTED)),
    ),
]


def seconds(text: str) -> int:
    """Return the seconds of a duration.

    Raises ``ValueError`` if the text is not a duration.

    >>> seconds("6h")
    21600
    """
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{_EXPECTED}, got {text!r}")
    return int(text[:-1]) * _SECONDS[text[-1]]
