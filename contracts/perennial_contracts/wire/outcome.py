"""What a pod leaves behind for the operator: one line of JSON as its termination message.

The kubelet copies the file into the pod's status, so the operator learns why a model did not load
without reading logs, and a resolving pod hands over the digest that it found.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError

TERMINATION_MESSAGE_PATH = "/dev/termination-log"
MESSAGE_LIMIT = 2048
"""Characters of the message in it."""
_BYTES_LIMIT = 4096
"""What the kubelet keeps of a termination message; JSON that is cut there cannot be read."""


class LoadFailure(StrEnum):
    """Why a model could not be loaded. The names become reasons of conditions."""

    MODEL_NOT_FOUND = "ModelNotFound"
    """Nothing lies at the URI."""
    ACCESS_DENIED = "AccessDenied"
    """The store refused the credentials, or there were none."""
    STORE_UNREACHABLE = "StoreUnreachable"
    """The store did not answer. A later attempt may succeed."""
    DIGEST_MISMATCH = "DigestMismatch"
    """The bytes differ from those that were pinned."""
    MODEL_CORRUPT = "ModelCorrupt"
    """The bytes are no readable bundle or ONNX model."""
    UNSUPPORTED_MODEL = "UnsupportedModel"
    """A readable model that this runtime cannot run."""
    NEEDS_PACKAGING = "NeedsPackaging"
    """What a framework saved: it must be made into a bundle first."""
    INTERNAL_ERROR = "InternalError"
    """An error in the runtime itself."""


class Outcome(BaseModel):
    """Either a digest (the model was found and loads) or a reason why not."""

    model_config = ConfigDict(extra="ignore")

    digest: str | None = None
    uri: str | None = None
    """Where a bundle lies that was made."""
    artifact: str | None = None
    """Digest of what it was made of."""
    format: str | None = None
    """What it was made of; with NeedsPackaging what was found."""
    variant: str | None = None
    """With NeedsPackaging: which of the trainer's images converts it."""
    report: str | None = None
    reason: str | None = None
    message: str = ""

    def to_text(self) -> str:
        """The termination message."""
        return shortened(self, self.message[:MESSAGE_LIMIT])

    @classmethod
    def from_text(cls, text: str) -> "Outcome | None":
        """Reads a termination message; None where it is something else (an OOM kill, say)."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None


def shortened(outcome: BaseModel, message: str) -> str:
    """The JSON of an outcome with as much of ``message`` as the kubelet keeps."""
    while True:
        text = outcome.model_copy(update={"message": message}).model_dump_json(exclude_none=True)
        excess = len(text.encode()) - _BYTES_LIMIT
        if excess <= 0 or not message:
            return text
        # A character takes up to 6 bytes, so this never cuts more than it must.
        message = message[: -max(1, excess // 6)]
