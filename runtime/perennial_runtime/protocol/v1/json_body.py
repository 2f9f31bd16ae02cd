"""JSON with NaN, Infinity and -Infinity among its numbers, as TensorFlow Serving has it.

Standard JSON has none of them; requests and answers without them cost nothing more here.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from ...errors import BadRequestError

_STRING_OR_NULL = re.compile(rb'"(?:[^"\\]++|\\.)*+"|null', re.DOTALL)


def loads(body: bytes) -> Any:
    """Reads a body.

    Raises:
        BadRequestError: where it is no JSON, or has values that orjson could not write again:
            texts that are no Unicode, whole numbers of more than 64 bits, deep nesting.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if b"NaN" not in body and b"Infinity" not in body:
            raise _no_json(error) from None
    try:
        value = json.loads(body.decode())
        orjson.dumps(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise _no_json(error) from None
    return value


def dumps(document: Any) -> bytes:
    """Writes objects, lists, scalars and contiguous arrays of NumPy."""
    body = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    if b"null" not in body:
        return body
    # orjson wrote null for each number that is not finite, and for nothing else.
    tokens = _tokens(document)
    return _STRING_OR_NULL.sub(
        lambda found: next(tokens) if found[0] == b"null" else found[0], body
    )


def _tokens(document: Any) -> Iterator[bytes]:
    """The numbers that are not finite, in the order of writing."""
    if isinstance(document, dict):
        document = document.values()
    elif isinstance(document, np.ndarray):
        document = document[~np.isfinite(document)].tolist() if document.dtype.kind == "f" else ()
    elif isinstance(document, float | np.floating):
        if not np.isfinite(document):
            yield b"NaN" if np.isnan(document) else b"Infinity" if document > 0 else b"-Infinity"
        return
    elif not isinstance(document, list | tuple):
        return
    for item in document:
        yield from _tokens(item)


def _no_json(error: Exception) -> BadRequestError:
    return BadRequestError(f"body: expected JSON, got an error: {error}")
