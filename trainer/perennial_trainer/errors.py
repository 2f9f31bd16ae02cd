"""Why a step ends without what it was to make."""

from perennial_contracts.wire.outcome import LoadFailure, Outcome
from perennial_contracts.wire.run_plan import RETRY_EXIT_CODE, TrainingFailure


class StepError(Exception):
    """A step failed; ``reason`` becomes the reason of the RetrainJob's condition."""

    def __init__(self, reason: TrainingFailure | LoadFailure, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def exit_code(self) -> int:
        """RETRY_EXIT_CODE where another attempt may mend it, else 1."""
        return RETRY_EXIT_CODE if self.reason is LoadFailure.STORE_UNREACHABLE else 1

    @property
    def outcome(self) -> Outcome:
        """The termination message."""
        return Outcome(reason=self.reason.value, message=self.message)
