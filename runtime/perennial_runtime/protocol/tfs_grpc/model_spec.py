"""Which model a message means, and what an answer says of it."""

from typing import Any

from ...errors import BadRequestError, NotFoundError
from ..shared.messages import brief
from ..v1.request import DEFAULT_SIGNATURE, check_signature
from ..v1.status import VERSION
from .schema import message_class

_ModelSpec = message_class("tensorflow.serving.ModelSpec")


def check_model(spec: Any, served: str, *more_signatures: str) -> None:
    """Checks a ModelSpec.

    Raises:
        NotFoundError: for another model or version.
        BadRequestError: for another signature, or a label of a version.
    """
    if spec.name != served:
        raise NotFoundError(f"model_spec.name: expected {served!r}, got {spec.name!r}")
    choice = spec.WhichOneof("version_choice")
    if choice == "version_label":
        raise BadRequestError(
            f"model_spec.version_label: expected none, got {brief(spec.version_label)}. "
            "Versions have no labels here: leave it out"
        )
    if choice and str(spec.version.value) != VERSION:
        raise NotFoundError(f"model_spec.version: expected {VERSION}, got {spec.version.value}")
    if spec.signature_name:
        check_signature(spec.signature_name, *more_signatures)


def answered_model(name: str) -> Any:
    """The ModelSpec of an answer."""
    spec = _ModelSpec(name=name, signature_name=DEFAULT_SIGNATURE)
    spec.version.value = int(VERSION)
    return spec
