"""Bodies of the v2 responses that do not run the model: health and metadata."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:  # imports NumPy, which happens when the server is already live
    from ...signature import TensorSpec


def server_body(name: str, version: str, extensions: Sequence[str]) -> bytes:
    """Return the body of ``/v2``."""
    return orjson.dumps({"name": name, "version": version, "extensions": extensions})


def health_body(ready: bool) -> bytes:
    """Return the body of ``/v2/health/live`` and ``/v2/health/ready``."""
    return orjson.dumps({"live": True, "ready": ready})


def model_ready_body(name: str, ready: bool) -> bytes:
    """Return the body of ``/v2/models/NAME/ready``."""
    return orjson.dumps({"name": name, "ready": ready})


def model_body(
    name: str,
    version: str,
    platform: str,
    inputs: "Sequence[TensorSpec]",
    outputs: "Sequence[TensorSpec]",
    properties: Mapping[str, str],
) -> bytes:
    """Return the body of ``/v2/models/NAME``: the model's metadata."""
    return orjson.dumps(
        {
            "name": name,
            "versions": [version],
            "platform": platform,
            "inputs": [tensor.describe() for tensor in inputs],
            "outputs": [tensor.describe() for tensor in outputs],
            "properties": properties,
        }
    )
