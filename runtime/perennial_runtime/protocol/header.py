"""The header of HTTP that says where the JSON head of a body ends, and its data begins. No I/O."""

from ..errors import BadRequestError
from .messages import brief

HEADER = "Inference-Header-Content-Length"
_DIGITS = 18


def read_header_length(text: str | None) -> int | None:
    """The value of that header; None where the request has none.

    Raises:
        BadRequestError: where it is no number of bytes.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise BadRequestError(f"{HEADER}: expected a number of bytes, got {brief(text)}")
    return int(text)
