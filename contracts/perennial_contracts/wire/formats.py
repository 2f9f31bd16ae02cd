"""Detect the format of a trained model by its content.

Pure: the caller reads the first HEAD_BYTES of each file, and of those that start with ZIP_MAGIC
also the last TAIL_BYTES, in which a zip lists its members. A store gives both by ranged reads.
"""

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal, get_args

Format = Literal[
    "Onnx", "SkLearn", "XGBoost", "LightGBM", "Keras", "SavedModel", "TFLite", "PyTorch", "MLflow"
]
Variant = Literal["tabular", "tf", "torch"]

FORMATS: tuple[Format, ...] = get_args(Format)
VARIANT_OF: Mapping[Format, Variant] = MappingProxyType(
    {
        "Onnx": "tabular",
        "SkLearn": "tabular",
        "XGBoost": "tabular",
        "LightGBM": "tabular",
        "MLflow": "tabular",
        "Keras": "tf",
        "SavedModel": "tf",
        "TFLite": "tf",
        "PyTorch": "torch",
    }
)
"""Variant of the trainer image that converts each format. An MLflow directory contains a model of
another format; :func:`flavor_variant` reads it from the MLmodel file."""

HEAD_BYTES = 4096
TAIL_BYTES = 65536
ZIP_MAGIC = b"PK\x03\x04"
MLMODEL, SAVED_MODEL = "MLmodel", "saved_model.pb"
SUPPORTED = (
    "ONNX (.onnx), scikit-learn (.skops; .joblib or .pkl where it is trusted), XGBoost (.json, "
    ".ubj), LightGBM (.txt), Keras 3 (.keras), a SavedModel directory, TFLite (.tflite), PyTorch "
    "(.pt2 of torch.export.save), an MLflow model directory"
)
_MLFLOW_VARIANTS: Mapping[str, Variant] = {"keras": "tf", "tensorflow": "tf", "pytorch": "torch"}
_GZIP_MAGIC = b"\x1f\x8b"
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_MEMBER = re.compile(rb"PK(?:\x03\x04(.{26})|\x01\x02(.{42}))", re.DOTALL)
_MAX_SHOWN = 10


@dataclass(frozen=True)
class Detected:
    """A detected model."""

    format: Format
    path: str
    """Path of the file, or of the directory if the format is one; ``.`` is the root."""
    pickled: bool
    """True if reading it can run code inside it, so its source must be trusted."""
    why: str
    """Evidence for the format, for people."""


def detect(files: Mapping[str, bytes], tails: Mapping[str, bytes] | None = None) -> Detected | None:
    """Return the only model among some files; None if there is none or more than one.

    Args:
        files: the first HEAD_BYTES of each file by relative path.
        tails: the last TAIL_BYTES of those that start with ZIP_MAGIC, by the same paths. Without
            them, only the members in the head of a zip are known.
    """
    found = candidates(files, tails)
    return found[0] if len(found) == 1 else None


def candidates(
    files: Mapping[str, bytes], tails: Mapping[str, bytes] | None = None
) -> list[Detected]:
    """Return all models among some files, sorted by path. Arguments as in ``detect``.

    A directory that is a model hides the files in it.
    """
    for name, format_, why in (
        (MLMODEL, "MLflow", "has an MLmodel file"),
        (SAVED_MODEL, "SavedModel", "has a saved_model.pb"),
    ):
        roots = sorted(
            (PurePosixPath(path).parent for path in files if PurePosixPath(path).name == name),
            key=lambda root: (len(root.parts), str(root)),
        )
        outer = [root for root in roots if not any(above in root.parents for above in roots)]
        if outer:
            return [Detected(format_, str(root), False, why) for root in outer]  # type: ignore[arg-type]
    found = (_of_file(path, files[path], (tails or {}).get(path, b"")) for path in sorted(files))
    return [model for model in found if model is not None]


def explain(files: Mapping[str, bytes], tails: Mapping[str, bytes] | None = None) -> str:
    """Return why ``detect`` returned None: the models found and the formats supported."""
    found = candidates(files, tails)
    if len(found) > 1:
        each = ", ".join(f"{model.path} ({model.format})" for model in found[:_MAX_SHOWN])
        return f"expected one model, got {len(found)}: {each}. Give the path of one of them"
    if not files:
        return f"expected a model, got no files. Supported are {SUPPORTED}"
    names = sorted(files)
    more = f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else ""
    hint = ""
    if any(head.startswith(_HDF5_MAGIC) for head in files.values()):
        hint = ". HDF5 is the old format of Keras: save the model as .keras"
    elif not any(files.values()):
        hint = ", which is empty (0 bytes): upload it again"
    elif any(head.startswith(_GZIP_MAGIC) for head in files.values()):
        hint = ". Of gzip files only pickles can be read: upload the file uncompressed"
    shown = ", ".join(names[:_MAX_SHOWN])
    return f"expected a model, got {shown}{more}{hint}. Supported are {SUPPORTED}"


def flavor_variant(mlmodel: str) -> Variant:
    """Return the image variant for an MLflow directory, given its MLmodel file."""
    flavors = re.findall(r"^  (\w+):", mlmodel, re.MULTILINE)
    return next((_MLFLOW_VARIANTS[name] for name in flavors if name in _MLFLOW_VARIANTS), "tabular")


def _of_file(path: str, head: bytes, tail: bytes) -> Detected | None:
    for format_, pickled, why, matches in _CONTENTS:
        if matches(head):
            return Detected(format_, path, pickled, why)
    if head.startswith(ZIP_MAGIC):
        return _of_zip(path, members(head) | members(tail))
    return None


def members(part: bytes) -> set[str]:
    """Return names of zip members in a part: local headers or the directory."""
    names = set()
    for match in _MEMBER.finditer(part):
        local, central = match.groups()
        fields = local if local is not None else central
        # Offset of the length of the name: APPNOTE.TXT 4.3.7 and 4.3.12.
        offset = 22 if local is not None else 24
        length = int.from_bytes(fields[offset : offset + 2], "little")
        name = part[match.end() : match.end() + length]
        if 0 < len(name) == length:
            names.add(name.decode("utf-8", "replace"))
    return names


def _of_zip(path: str, names: set[str]) -> Detected | None:
    last = {PurePosixPath(name).name for name in names}
    if "schema.json" in names:
        return Detected("SkLearn", path, False, "is a zip with schema.json: skops")
    if {"metadata.json", "config.json"} <= names:
        return Detected("Keras", path, False, "is a zip with metadata.json and config.json: Keras")
    if last & {"archive_format", "serialized_exported_program.json"}:
        return Detected("PyTorch", path, False, "is a zip of torch.export.save")
    if "data.pkl" in last:
        return Detected("PyTorch", path, True, "is a zip with data.pkl: torch.save")
    return None


def _is_pickle(head: bytes) -> bool:
    """Return whether this is a pickle of protocol 2 or newer, or one of joblib."""
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return True
    if head[:2] in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b"):
        try:
            inner = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(head, 2)
        except zlib.error:
            return False
        return len(inner) == 2 and inner[0] == 0x80 and 2 <= inner[1] <= 5
    return False


def _is_onnx(head: bytes) -> bool:
    """Return whether this is a ModelProto: ir_version >= 3, then another field."""
    return len(head) > 2 and head[0] == 0x08 and 3 <= head[1] <= 64 and head[2] in _ONNX_TAGS


_ONNX_TAGS = frozenset({0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42})
_XGBOOST_UBJSON = re.compile(rb"\{(?:L.{7}|l.{3}|I.{1}|[iU])\x07learner", re.DOTALL)
_CONTENTS: tuple[tuple[Format, bool, str, Callable[[bytes], bool]], ...] = (
    ("TFLite", False, "has the identifier TFL3", lambda head: head[4:8] == b"TFL3"),
    (
        "LightGBM", False, "is a text file of trees",
        lambda head: re.match(rb"tree\r?\nversion=", head) is not None,
    ),
    (
        "XGBoost", False, "is JSON with a learner",
        lambda head: re.match(rb'\s*\{\s*"learner"\s*:', head) is not None,
    ),
    (
        "XGBoost", False, "is UBJSON with a learner",
        lambda head: _XGBOOST_UBJSON.match(head) is not None,
    ),
    ("SkLearn", True, "is a pickle", _is_pickle),
    ("Onnx", False, "is a ModelProto", _is_onnx),
)  # fmt: skip
