"""The HTTP header with the length of the JSON head, before binary data. No I/O.

A module of its own, as the routers need the name before NumPy is imported.
"""

from ...errors import BadRequestError
from ..shared.messages import brief

HEADER = "Inference-Header-Content-Length"
_MAX_DIGITS = 18


def read_header_length(text: str) -> int:
    """Return the value of the header.

    Raises:
        BadRequestError: if it is no number of bytes.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        raise BadRequestError(f"{HEADER}: expected a number of bytes, got {brief(text)}")
    return int(text)
