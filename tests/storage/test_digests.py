"""Digests of files, and the errors if they differ from the expected ones."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_storage import digests
from perennial_storage.digests import PrefixHash, check_digest, check_pin, check_size, file_digest
from perennial_storage.errors import StorageError

ONE, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a model")
    assert file_digest(tmp_path / "file") == digest_of(b"a model")


def test_equal_digests_and_no_pin_pass() -> None:
    check_pin(ONE, None, "s3://models/x")
    check_pin(ONE, ONE, "s3://models/x")
    check_size("model.onnx", 5, 5, "s3://models/x")
    check_digest("model.onnx", ONE, ONE, "s3://models/x")


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (
            lambda: check_pin(ONE, OTHER, "s3://models/x"),
            f"s3://models/x: expected digest {OTHER}, got {ONE}. The model was overwritten in "
            "place: restore it, or change spec.model.digest",
        ),
        (
            lambda: check_size("model.onnx", 5, 4, "s3://models/x"),
            "s3://models/x: model.onnx: expected 5 bytes, got 4. The file was changed after the "
            "bundle was made: upload it again",
        ),
        (
            lambda: check_digest("model.onnx", ONE, OTHER, "s3://models/x"),
            f"s3://models/x: model.onnx: expected digest {ONE}, got {OTHER}. The file was changed "
            "after the bundle was made: upload it again",
        ),
    ],
    ids=["pin", "size", "digest"],
)
def test_a_mismatch_names_both_values_and_the_fix(check, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(StorageError) as caught:
        check()
    assert caught.value.reason is LoadFailure.DIGEST_MISMATCH
    assert caught.value.message == message


@given(st.binary(max_size=40), st.lists(st.integers(0, 40)))
def test_a_prefix_hash_that_advances_in_steps_is_the_digest(data: bytes, ends: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(digests, "STEP_BYTES", 7)
        path = Path(folder) / "file"
        path.write_bytes(data)
        prefix = PrefixHash(path)
        for end in [*ends, len(data)]:
            while prefix.step(min(end, len(data))):
                pass
        assert prefix.digest == digest_of(data)


def test_a_truncated_file_is_an_internal_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    with pytest.raises(StorageError, match="another process truncated the file") as caught:
        PrefixHash(tmp_path / "file").step(4)
    assert caught.value.reason is LoadFailure.INTERNAL_ERROR
