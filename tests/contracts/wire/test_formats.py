"""Formats of models, found by content."""

import gzip
import io
import pickle
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.wire.formats import (
    FORMATS,
    HEAD_BYTES,
    TAIL_BYTES,
    VARIANT_OF,
    candidates,
    detect,
    explain,
    flavor_variant,
    members,
)


def zipped(*names: str, filler: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(filler):
            archive.writestr(f"{number}.npy", b"0" * 200)
        for name in names:
            archive.writestr(name, b"{}")
    return buffer.getvalue()


KNOWN = {
    "TFLite": b"\x1c\0\0\0TFL3" + bytes(20),
    "LightGBM": b"tree\nversion=v4\nnum_class=1\n",
    "XGBoost": b'{"learner":{"attributes":{}}}',
    "Onnx": b"\x08\x08\x12\x08skl2onnx",
    "SkLearn": zipped("schema.json"),
    "Keras": zipped("metadata.json", "config.json", "model.weights.h5"),
    "PyTorch": zipped("m/archive_format", "m/models/model.json"),
}


@pytest.mark.parametrize("format_", KNOWN)
def test_a_file_is_recognised_by_content_not_by_name(format_: str) -> None:
    found = detect({"model.bin": KNOWN[format_], "README.md": b"# a model"})
    assert found is not None
    assert (found.format, found.path, found.pickled) == (format_, "model.bin", False)


def test_binary_json_of_xgboost_is_recognised() -> None:
    found = detect({"m": b"{L\0\0\0\0\0\0\0\x07learner{"})
    assert found is not None
    assert found.format == "XGBoost"


@pytest.mark.parametrize("pack", [bytes, zlib.compress, gzip.compress])
def test_a_pickle_is_recognised_compressed_or_not(pack) -> None:  # type: ignore[no-untyped-def]
    found = detect({"m": pack(pickle.dumps([1, 2, 3]))})
    assert found is not None
    assert (found.format, found.pickled) == ("SkLearn", True)


def test_weights_of_torch_save_are_pickled() -> None:
    found = detect({"m.pt": zipped("m/data.pkl", "m/version")})
    assert found is not None
    assert (found.format, found.pickled) == ("PyTorch", True)


def test_a_zip_is_recognised_by_a_member_in_its_tail() -> None:
    data = zipped("schema.json", filler=300)
    assert detect({"m": data[:HEAD_BYTES]}) is None
    found = detect({"m": data[:HEAD_BYTES]}, {"m": data[-TAIL_BYTES:]})
    assert found is not None
    assert found.format == "SkLearn"


def test_a_directory_that_is_a_model_hides_the_files_in_it() -> None:
    saved = {"1/saved_model.pb": b"\x08\x01\x12\x00", "1/assets/m.onnx": KNOWN["Onnx"]}
    found = detect(saved)
    assert found is not None
    assert (found.format, found.path) == ("SavedModel", "1")
    found = detect({"MLmodel": b"flavors:\n", "data/model/saved_model.pb": b"\x08\x01"})
    assert found is not None
    assert (found.format, found.path) == ("MLflow", ".")


def test_of_two_models_none_is_chosen_and_the_message_names_both() -> None:
    files = {"a.onnx": KNOWN["Onnx"], "b.txt": KNOWN["LightGBM"]}
    assert detect(files) is None
    assert "got 2: a.onnx (Onnx), b.txt (LightGBM)" in explain(files)


def test_files_that_are_not_models_are_listed_with_the_supported_formats() -> None:
    message = explain({"notes.txt": b"hello"})
    assert "got notes.txt. Supported are ONNX" in message
    assert "save the model as .keras" in explain({"m.h5": b"\x89HDF\r\n\x1a\n"})
    assert "no files" in explain({})


def test_the_message_for_empty_and_compressed_files_has_a_fix() -> None:
    assert "got model.bin, which is empty (0 bytes): upload it again" in explain({"model.bin": b""})
    packed = gzip.compress(b"tree\nversion=v4\n")
    assert "got m.txt.gz. Of gzip files only pickles can be read" in explain({"m.txt.gz": packed})


def test_every_format_has_an_image_variant() -> None:
    assert set(VARIANT_OF) == set(FORMATS)


def test_an_mlflow_directory_needs_the_image_of_its_flavor() -> None:
    assert flavor_variant("flavors:\n  keras:\n    data: data\n  python_function:\n") == "tf"
    assert flavor_variant("flavors:\n  sklearn:\n    code: null\n") == "tabular"


@given(
    st.dictionaries(st.text(max_size=20), st.binary(max_size=200), max_size=4),
    st.binary(max_size=200),
)
def test_no_bytes_raise_an_error(files: dict[str, bytes], tail: bytes) -> None:
    tails = dict.fromkeys(files, tail)
    found = detect(files, tails)
    assert (found is None) == (len(candidates(files, tails)) != 1)
    assert explain(files, tails)


@given(st.sampled_from(sorted(KNOWN)), st.integers(0, 300), st.binary(max_size=40))
def test_truncated_or_extended_files_raise_no_error(format_: str, cut: int, rubbish: bytes) -> None:
    detect({"m": KNOWN[format_][:cut] + rubbish}, {"m": KNOWN[format_][cut:]})


@given(st.lists(st.text("abc/.", min_size=1, max_size=8), unique=True, max_size=5))
def test_the_members_of_a_zip_are_found(names: list[str]) -> None:
    assert members(zipped(*names)) == set(names)
