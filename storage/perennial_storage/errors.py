"""Errors of every store: a reason for programs, a message for people."""

from perennial_contracts.wire.outcome import LoadFailure

MODEL_FIELD = "spec.model.uri"
"""The setting that holds a served model's URI, for messages."""


class StorageError(Exception):
    """An object could not be read, written or verified.

    Programs read ``reason``, never the message.
    """

    def __init__(
        self, reason: LoadFailure, uri: str, detail: str, hint: str = "", field: str = ""
    ) -> None:
        """Describe a failure.

        Args:
            reason: the reason of the condition that reports it.
            uri: the object's URI or path, without secrets.
            detail: the problem and its facts.
            hint: what to do about it; one sentence or several, without the last full stop.
            field: the setting that holds the URI, by its full path; empty if it does not matter.
        """
        super().__init__(reason, uri, detail, hint, field)
        self.reason = reason
        self.uri = uri
        self.detail = detail
        self.hint = hint
        self.field = field

    @property
    def message(self) -> str:
        """The text for people: the URI, the problem, then what to do."""
        return f"{self.uri}: {self.detail}" + (f". {self.hint}" if self.hint else "")

    @property
    def is_retryable(self) -> bool:
        """True if another attempt may succeed."""
        return self.reason is LoadFailure.STORE_UNREACHABLE

    def __str__(self) -> str:
        return self.message


class OverwrittenError(StorageError):
    """The object changed during its download, which must start over."""

    def __init__(self, uri: str) -> None:
        super().__init__(
            LoadFailure.STORE_UNREACHABLE,
            uri,
            "the object was overwritten during its download",
            "Publish changed models under a new URI",
        )


def not_found(uri: str, detail: str, field: str) -> StorageError:
    """Return the error for a URI where nothing exists, or that is malformed."""
    return StorageError(LoadFailure.MODEL_NOT_FOUND, uri, detail, f"Check {field}", field)


def cut_off(uri: str, expected: int, received: int) -> StorageError:
    """Return the error for a connection that ended before all bytes had arrived."""
    return StorageError(
        LoadFailure.STORE_UNREACHABLE,
        uri,
        f"expected {expected} bytes, got {received} before the connection ended",
    )
