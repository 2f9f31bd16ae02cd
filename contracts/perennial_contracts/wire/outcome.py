"""Outcome of a pod: one line of JSON, written as its termination message.

The kubelet copies the file into the pod's status. From there the operator reads why a model did not
load, or the digest that a resolving pod found, without access to logs.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError

TERMINATION_MESSAGE_PATH = "/dev/termination-log"
MESSAGE_LIMIT = 2048
"""Maximum number of characters of ``message``."""
_BYTES_LIMIT = 4096
"""Bytes of a termination message that the kubelet keeps; JSON cut there cannot be parsed."""


class LoadFailure(StrEnum):
    """Reasons why a model could not be loaded; they become reasons of conditions."""

    MODEL_NOT_FOUND = "ModelNotFound"
    """Nothing exists at the URI."""
    ACCESS_DENIED = "AccessDenied"
    """The store rejected the credentials, or there were none."""
    STORE_UNREACHABLE = "StoreUnreachable"
    """The store did not respond. A later attempt may succeed."""
    DIGEST_MISMATCH = "DigestMismatch"
    """The bytes do not have the pinned digest."""
    MODEL_CORRUPT = "ModelCorrupt"
    """The bytes are not a readable bundle or ONNX model."""
    UNSUPPORTED_MODEL = "UnsupportedModel"
    """The runtime cannot run this model."""
    NEEDS_PACKAGING = "NeedsPackaging"
    """A framework's own format; it must be converted to a bundle first."""
    INTERNAL_ERROR = "InternalError"
    """A bug in the runtime."""


class Outcome(BaseModel):
    """A digest (the model was found and loads) or a reason why not."""

    model_config = ConfigDict(extra="ignore")

    digest: str | None = None
    uri: str | None = None
    """URI of the bundle that the pod published."""
    artifact: str | None = None
    """Digest of the artifact that the bundle was made from."""
    format: str | None = None
    """Format of the artifact; with NeedsPackaging the format found."""
    variant: str | None = None
    """With NeedsPackaging: variant of the trainer image that converts the format."""
    report: str | None = None
    reason: str | None = None
    message: str = ""

    def to_text(self) -> str:
        """Return the termination message."""
        return shortened(self, self.message[:MESSAGE_LIMIT])

    @classmethod
    def from_text(cls, text: str) -> "Outcome | None":
        """Parse a termination message. Return None if it is something else."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None


def shortened(outcome: BaseModel, message: str) -> str:
    """Return the JSON of an outcome, cut to the bytes that the kubelet keeps."""
    while True:
        text = outcome.model_copy(update={"message": message}).model_dump_json(exclude_none=True)
        excess = len(text.encode()) - _BYTES_LIMIT
        if excess <= 0 or not message:
            return text
        # A character takes up to 6 bytes, so this never cuts more than it must.
        message = message[: -max(1, excess // 6)]
