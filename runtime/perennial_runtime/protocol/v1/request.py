"""What the bodies of all v1 requests have in common."""

from typing import Any

from ...errors import BadRequestError
from ..shared.messages import brief, listing
from .json_body import loads

DEFAULT_SIGNATURE = "serving_default"


def read_request(body: bytes, *more_signatures: str) -> dict[str, Any]:
    """The object in a body, its ``signature_name`` checked.

    Raises:
        BadRequestError: where it is no JSON object, or about a signature that no model has here.
    """
    request = loads(body)
    if type(request) is not dict:
        raise BadRequestError(f"body: expected an object, got {brief(request)}")
    if "signature_name" in request:
        check_signature(request["signature_name"], *more_signatures)
    return request


def check_signature(name: Any, *more_signatures: str) -> None:
    """An ONNX model has one signature.

    Raises:
        BadRequestError: for another one.
    """
    known = (DEFAULT_SIGNATURE, *more_signatures)
    if name not in (*known, ""):
        raise BadRequestError(
            f"signature_name: expected none or {listing(map(brief, known))}, got {brief(name)}. "
            "A model has one signature here: leave the name out"
        )
