"""Errors: parts for programs, one text for people."""

import pytest

from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage.errors import OverwrittenError, StorageError, cut_off, not_found


@pytest.mark.parametrize(
    ("error", "message", "is_retryable"),
    [
        (
            not_found("s3://models/x", "no such object", "spec.model.uri"),
            "s3://models/x: no such object. Check spec.model.uri",
            False,
        ),
        (
            cut_off("s3://models/x", 10, 4),
            "s3://models/x: expected 10 bytes, got 4 before the connection ended",
            True,
        ),
        (
            OverwrittenError("s3://models/x"),
            "s3://models/x: the object was overwritten during its download. Publish changed "
            "models under a new URI",
            True,
        ),
        (StorageError(LoadFailure.ACCESS_DENIED, "/models", "denied"), "/models: denied", False),
    ],
    ids=["not found", "cut off", "overwritten", "without a hint"],
)
def test_the_message_is_the_uri_the_problem_and_the_fix(
    error: StorageError, message: str, is_retryable: bool
) -> None:
    assert (str(error), error.message) == (message, message)
    assert error.is_retryable == is_retryable
