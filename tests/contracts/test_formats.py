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
def test_a_file_is_known_by_what_is_in_it_whatever_its_name(format_: str) -> None:
    found = detect({"model.bin": KNOWN[format_], "README.md": b"# a model"})
    assert found is not None
    assert (found.format, found.path, found.pickled) == (format_, "model.bin", False)


def test_xgboosts_binary_json_is_known() -> None:
    found = detect({"m": b"{L\0\0\0\0\0\0\0\x07learner{"})
    assert found is not None
    assert found.format == "XGBoost"


@pytest.mark.parametrize("pack", [bytes, zlib.compress, gzip.compress])
def test_a_pickle_is_said_to_be_one_compressed_or_not(pack) -> None:  # type: ignore[no-untyped-def]
    found = detect({"m": pack(pickle.dumps([1, 2, 3]))})
    assert found is not None
    assert (found.format, found.pickled) == ("SkLearn", True)


def test_weights_of_torch_save_are_pickled() -> None:
    found = detect({"m.pt": zipped("m/data.pkl", "m/version")})
    assert found is not None
    assert (found.format, found.pickled) == ("PyTorch", True)


def test_a_zip_whose_telling_member_comes_last_is_known_by_its_tail() -> None:
    data = zipped("schema.json", filler=300)
    assert detect({"m": data[:HEAD_BYTES]}) is None
    found = detect({"m": data[:HEAD_BYTES]}, {"m": data[-TAIL_BYTES:]})
    assert found is not None
    assert found.format == "SkLearn"


def test_a_directory_that_is_a_model_hides_what_is_in_it() -> None:
    saved = {"1/saved_model.pb": b"\x08\x01\x12\x00", "1/assets/m.onnx": KNOWN["Onnx"]}
    found = detect(saved)
    assert found is not None
    assert (found.format, found.path) == ("SavedModel", "1")
    found = detect({"MLmodel": b"flavors:\n", "data/model/saved_model.pb": b"\x08\x01"})
    assert found is not None
    assert (found.format, found.path) == ("MLflow", ".")


def test_two_models_are_none_and_the_message_names_both() -> None:
    files = {"a.onnx": KNOWN["Onnx"], "b.txt": KNOWN["LightGBM"]}
    assert detect(files) is None
    assert "got 2: a.onnx (Onnx), b.txt (LightGBM)" in explain(files)


def test_what_is_no_model_is_listed_beside_what_is_supported() -> None:
    message = explain({"notes.txt": b"hello"})
    assert "got notes.txt. Supported are ONNX" in message
    assert "save the model again as .keras" in explain({"m.h5": b"\x89HDF\r\n\x1a\n"})
    assert "no files" in explain({})


def test_an_empty_file_and_a_packed_one_are_told_with_what_to_do() -> None:
    assert "got model.bin, which is empty (0 bytes): upload it again" in explain({"model.bin": b""})
    packed = gzip.compress(b"tree\nversion=v4\n")
    assert "got m.txt.gz. What is packed with gzip" in explain({"m.txt.gz": packed})


def test_every_format_has_an_image_variant() -> None:
    assert set(VARIANT_OF) == set(FORMATS)


def test_a_directory_of_mlflow_needs_what_its_flavor_needs() -> None:
    assert flavor_variant("flavors:\n  keras:\n    data: data\n  python_function:\n") == "tf"
    assert flavor_variant("flavors:\n  sklearn:\n    code: null\n") == "tabular"


@given(
    st.dictionaries(st.text(max_size=20), st.binary(max_size=200), max_size=4),
    st.binary(max_size=200),
)
def test_no_bytes_make_it_stumble(files: dict[str, bytes], tail: bytes) -> None:
    tails = dict.fromkeys(files, tail)
    found = detect(files, tails)
    assert (found is None) == (len(candidates(files, tails)) != 1)
    assert explain(files, tails)


@given(st.sampled_from(sorted(KNOWN)), st.integers(0, 300), st.binary(max_size=40))
def test_what_is_cut_short_or_followed_by_rubbish_makes_no_error(
    format_: str, cut: int, rubbish: bytes
) -> None:
    detect({"m": KNOWN[format_][:cut] + rubbish}, {"m": KNOWN[format_][cut:]})


@given(st.lists(st.text("abc/.", min_size=1, max_size=8), unique=True, max_size=5))
def test_the_members_of_a_zip_are_found(names: list[str]) -> None:
    assert members(zipped(*names)) == set(names)
