"""Bodies of the v1 protocol: JSON, with NaN, Infinity and -Infinity as numbers.

TensorFlow Serving reads and writes these tokens, which standard JSON does not have. Bodies without
them cost no more time here.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from ...errors import BadRequestError
from ..shared.messages import brief
from ..shared.tensorflow import check_signature

_STRING_OR_NULL = re.compile(rb'"(?:[^"\\]++|\\.)*+"|null', re.DOTALL)


def read_request(body: bytes, *more_signatures: str) -> dict[str, Any]:
    """Return the object in a body, with its ``signature_name`` checked.

    Raises:
        BadRequestError: if the body is no JSON object, or names an unknown signature.
    """
    request = loads(body)
    if type(request) is not dict:
        raise BadRequestError(f"body: expected an object, got {brief(request)}")
    if "signature_name" in request:
        check_signature(request["signature_name"], *more_signatures)
    return request


def loads(body: bytes) -> Any:
    """Read a body.

    Raises:
        BadRequestError: if it is no JSON, or has values that orjson cannot write: strings that are
            no Unicode, whole numbers of more than 64 bits, deep nesting.
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
    """Write objects, lists, scalars and contiguous arrays of NumPy."""
    body = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    if b"null" not in body:
        return body
    # orjson writes null for each number that is not finite, and for nothing else here.
    tokens = _tokens(document)
    return _STRING_OR_NULL.sub(
        lambda match: next(tokens) if match[0] == b"null" else match[0], body
    )


def _tokens(document: Any) -> Iterator[bytes]:
    """Yield a token for each number that is not finite, in the order of writing."""
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
