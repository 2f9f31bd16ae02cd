"""The ModelSpec of requests and responses: model, version and signature."""

from typing import Any

from ...errors import BadRequestError, NotFoundError
from ..shared.messages import brief
from ..shared.tensorflow import DEFAULT_SIGNATURE, VERSION, check_signature
from .schema import message_class

_ModelSpec = message_class("tensorflow.serving.ModelSpec")


def check_model(spec: Any, served: str, *more_signatures: str) -> None:
    """Check the ModelSpec of a request.

    Raises:
        NotFoundError: for another model or version.
        BadRequestError: for another signature, or a version label.
    """
    if spec.name != served:
        raise NotFoundError(f"model_spec.name: expected {served!r}, got {spec.name!r}")
    choice = spec.WhichOneof("version_choice")
    if choice == "version_label":
        raise BadRequestError(
            f"model_spec.version_label: expected none, got {brief(spec.version_label)}. "
            "Version labels are not supported. Fix: leave it out"
        )
    if choice and str(spec.version.value) != VERSION:
        raise NotFoundError(f"model_spec.version: expected {VERSION}, got {spec.version.value}")
    if spec.signature_name:
        check_signature(spec.signature_name, *more_signatures)


def model_spec(name: str) -> Any:
    """Build the ModelSpec of a response."""
    spec = _ModelSpec(name=name, signature_name=DEFAULT_SIGNATURE)
    spec.version.value = int(VERSION)
    return spec
