"""Detect a framework's format at a URI without a bundle or an ONNX model.

Reads only heads and tails of files, and executes nothing that they contain.
"""

from pathlib import Path
from typing import NamedTuple

from perennial_contracts.wire.formats import (
    HEAD_BYTES,
    MLMODEL,
    SAVED_MODEL,
    TAIL_BYTES,
    VARIANT_OF,
    ZIP_MAGIC,
    Format,
    Variant,
    detect,
    flavor_variant,
)
from perennial_storage.buckets import parse_bucket
from perennial_storage.errors import MODEL_FIELD, StorageError
from perennial_storage.location import locate
from perennial_storage.store import Span, Store

from . import log

MOST_LISTED = 1000
MOST_READ = 32
"""Files whose heads are read if the names alone are not enough."""
_LIST_SECONDS = 30.0


class RawArtifact(NamedTuple):
    """A model that must be converted into a bundle first."""

    format: Format
    variant: Variant
    """The variant of the trainer's image that converts it."""
    why: str
    """The evidence for the format."""


class _Ends(NamedTuple):
    """First and last bytes of files, by path."""

    heads: dict[str, bytes]
    tails: dict[str, bytes]


def find_raw(uri: str) -> RawArtifact | None:
    """Return the one model at a URI; None if there is none, or if reading fails."""
    try:
        ends = _read_local(Path(uri)) if "://" not in uri else _read_remote(uri)
    except (StorageError, OSError) as error:
        log.warning("cannot detect the format of the files at the URI", problem=str(error))
        return None
    found = detect(*ends)
    if found is None:
        return None
    variant = VARIANT_OF[found.format]
    if found.format == "MLflow":
        path = MLMODEL if found.path == "." else f"{found.path}/{MLMODEL}"
        variant = flavor_variant(ends.heads[path].decode("utf-8", "replace"))
    named = "it" if found.path == "." else found.path
    return RawArtifact(found.format, variant, f"{named} {found.why}")


def _read_local(path: Path) -> _Ends:
    root = path if path.is_dir() else path.parent
    files = (
        [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
    )
    ends = _Ends({}, {})
    for name in _worth_reading([file.relative_to(root).as_posix() for file in files]):
        with (root / name).open("rb") as file:
            ends.heads[name] = file.read(HEAD_BYTES)
            if ends.heads[name].startswith(ZIP_MAGIC):
                file.seek(max((root / name).stat().st_size - TAIL_BYTES, 0))
                ends.tails[name] = file.read()
    return ends


def _read_remote(uri: str) -> _Ends:
    parent, _, name = uri.partition("?")[0].rpartition("/")
    ends = _Ends({}, {})
    if name:
        # The folder of an ONNX file beside it is the folder of the file.
        store = locate(f"{parent}/model.onnx").store
        if store is not None:
            try:
                _read_ends(store, name, ends)
                return ends
            except StorageError as error:
                log.info("the URI is not that of a file", problem=error.message)
    if locate(uri).store is None or (bucket := parse_bucket(uri)) is None:
        return ends  # only a bucket lists its files
    from perennial_storage.object_store import BucketStore

    folder = BucketStore(*bucket, MODEL_FIELD, seconds=_LIST_SECONDS)
    for name in _worth_reading(sorted(folder.list("", MOST_LISTED))):
        _read_ends(folder, name, ends)
    return ends


def _worth_reading(names: list[str]) -> list[str]:
    """Return the names of files to read: one file identifies a model's directory."""
    markers = [name for name in names if name.rpartition("/")[2] in (MLMODEL, SAVED_MODEL)]
    return (markers or names)[:MOST_READ]


def _read_ends(store: Store, name: str, ends: _Ends) -> None:
    ends.heads[name], size = _read_span(store, name, Span(0, HEAD_BYTES))
    if ends.heads[name].startswith(ZIP_MAGIC) and size is not None and size > HEAD_BYTES:
        ends.tails[name] = _read_span(store, name, Span(max(size - TAIL_BYTES, 0), size))[0]


def _read_span(store: Store, name: str, span: Span) -> tuple[bytes, int | None]:
    """Return the bytes of a span; of the start, if the store cannot read spans."""
    data = bytearray()
    with store.open(name, span) as blob:
        for chunk in blob.chunks:
            data += chunk
            if len(data) >= span.end - span.start:
                break
    return bytes(data[: span.end - span.start]), blob.size
