"""The header of HTTP that says where the JSON head of a body ends, and its data begins. No I/O."""

from ...errors import BadRequestError
from ..shared.messages import brief

HEADER = "Inference-Header-Content-Length"
_DIGITS = 18


def read_header_length(text: str) -> int:
    """The value of that header.

    Raises:
        BadRequestError: where it is no number of bytes.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise BadRequestError(f"{HEADER}: expected a number of bytes, got {brief(text)}")
    return int(text)
