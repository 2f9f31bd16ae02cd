"""The error that ends a step. Its parts stay apart until the edge renders them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from perennial_contracts.wire.names import RETRY_EXIT_CODE
from perennial_contracts.wire.outcome import LoadFailure, Outcome
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_storage.errors import StorageError


class StepError(Exception):
    """A failed step. Programs read its parts; its message is for people alone."""

    def __init__(
        self,
        reason: TrainingFailure | LoadFailure,
        detail: str,
        *,
        field: str = "",
        hint: str = "",
    ) -> None:
        """Store the parts of a failure.

        Args:
            reason: the reason of the RetrainJob's condition.
            detail: the problem and its facts, without a full stop at the end.
            field: path of the setting at fault, or its URI or file; empty if none is.
            hint: how to fix it, without a full stop at the end; empty if nothing is known.
        """
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.field = field
        self.hint = hint

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        """The parts as one text: field, problem, hint."""
        problem = f"{self.field}: {self.detail}" if self.field else self.detail
        return f"{problem}. {self.hint}" if self.hint else problem

    @classmethod
    def from_storage(cls, error: StorageError) -> "StepError":
        """Return the error of a step that ends because of a store."""
        return cls(error.reason, error.detail, field=error.uri, hint=error.hint)

    @property
    def exit_code(self) -> int:
        """RETRY_EXIT_CODE if another attempt can succeed, else 1."""
        return RETRY_EXIT_CODE if self.reason is LoadFailure.STORE_UNREACHABLE else 1

    @property
    def outcome(self) -> Outcome:
        """The termination message."""
        return Outcome(reason=self.reason.value, message=self.message)

    def with_reason(self, reason: TrainingFailure | LoadFailure) -> "StepError":
        """Return the same failure with another reason."""
        return StepError(reason, self.detail, field=self.field, hint=self.hint)

    def with_field(self, field: str) -> "StepError":
        """Return the same failure of another field."""
        return StepError(self.reason, self.detail, field=field, hint=self.hint)


@contextmanager
def name_fields(names: Mapping[str, str]) -> Iterator[None]:
    """Replace the fields of errors by the names that the user knows.

    Args:
        names: paths or flags by the name in the program; the one of "" is for errors without a
            field. Fields without a name stay.
    """
    try:
        yield
    except StepError as error:
        field = names.get(error.field, error.field)
        if field == error.field:
            raise
        raise error.with_field(field) from error


@contextmanager
def reading_data() -> Iterator[None]:
    """Report a missing object as DataUnreadable, because it is a table.

    Raises:
        StepError: DataUnreadable in place of a StorageError with ModelNotFound.
    """
    try:
        yield
    except StorageError as error:
        if error.reason is LoadFailure.MODEL_NOT_FOUND:
            failure = StepError.from_storage(error)
            raise failure.with_reason(TrainingFailure.DATA_UNREADABLE) from error
        raise
