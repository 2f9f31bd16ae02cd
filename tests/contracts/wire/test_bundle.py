import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from perennial_contracts.wire.bundle import Bundle, BundleFile, describe_files
from perennial_contracts.wire.digest import digest_of, is_digest
from perennial_contracts.wire.outcome import MESSAGE_LIMIT, Outcome


def test_a_bundle_lists_each_file_with_size_and_digest() -> None:
    (file,) = describe_files({"model.onnx": b"abc"})
    assert file == BundleFile(
        path="model.onnx", size=3, digest="sha256:" + hashlib.sha256(b"abc").hexdigest()
    )


def test_a_bundle_reads_back_as_it_was_written() -> None:
    bundle = Bundle(files=describe_files({"model.onnx": b"abc"}), labels=["no", "yes"])
    assert Bundle.model_validate_json(bundle.to_bytes()) == bundle


@pytest.mark.parametrize("path", ["../up.onnx", "/etc/passwd", "a/../../b", "bundle.json"])
def test_a_path_outside_the_bundle_is_rejected(path: str) -> None:
    with pytest.raises(ValidationError, match="expected a path inside the bundle"):
        BundleFile(path=path, size=0, digest=digest_of(b""))


def test_a_bundle_without_a_model_is_rejected() -> None:
    with pytest.raises(ValidationError, match=r"expected a file model\.onnx, got other"):
        Bundle(files=describe_files({"other": b""}))


@given(st.binary())
def test_a_digest_is_recognised(data: bytes) -> None:
    assert is_digest(digest_of(data))
    assert not is_digest(digest_of(data).upper())


@given(st.text(max_size=5000))
def test_an_outcome_survives_the_termination_message(message: str) -> None:
    text = Outcome(reason="ModelCorrupt", message=message).to_text()
    read = Outcome.from_text(text)
    assert read is not None
    assert message[:MESSAGE_LIMIT].startswith(read.message)
    assert read.message == message[:MESSAGE_LIMIT] or len(text.encode()) > 4096 - 6
    assert len(text.encode()) <= 4096


def test_another_programs_termination_message_is_not_an_outcome() -> None:
    assert Outcome.from_text("Traceback (most recent call last)") is None
    assert Outcome.from_text("") is None
