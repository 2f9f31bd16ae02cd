"""What lies at a URI where no bundle and no ONNX model was found: perhaps what a framework saved.

Only heads and tails of files are read, and nothing that they hold is run.
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

from .. import log
from ..errors import LoadError
from ..store import Source, Span, locate
from ..store.buckets import bucket_of

MOST_LISTED = 1000
MOST_READ = 32
"""Files whose heads are read where the names alone do not tell."""
_SECONDS = 30.0


class Raw(NamedTuple):
    """A model that must be made into a bundle first."""

    format: Format
    variant: Variant
    """Which of the trainer's images converts it."""
    why: str
    """What gave it away."""


class _Parts(NamedTuple):
    heads: dict[str, bytes]
    tails: dict[str, bytes]


def find_raw(uri: str) -> Raw | None:
    """The one model at a URI; None where there is none, or where it cannot be looked for."""
    try:
        parts = _local(Path(uri)) if "://" not in uri else _remote(uri)
    except (LoadError, OSError) as error:
        log.warning("it cannot be told what lies there", problem=str(error))
        return None
    found = detect(*parts)
    if found is None:
        return None
    variant = VARIANT_OF[found.format]
    if found.format == "MLflow":
        path = MLMODEL if found.path == "." else f"{found.path}/{MLMODEL}"
        variant = flavor_variant(parts.heads[path].decode("utf-8", "replace"))
    named = "it" if found.path == "." else found.path
    return Raw(found.format, variant, f"{named} {found.why}")


def _local(path: Path) -> _Parts:
    root = path if path.is_dir() else path.parent
    files = [path] if path.is_file() else [one for one in sorted(path.rglob("*")) if one.is_file()]
    parts = _Parts({}, {})
    for name in _worth_reading([one.relative_to(root).as_posix() for one in files]):
        with (root / name).open("rb") as file:
            parts.heads[name] = file.read(HEAD_BYTES)
            if parts.heads[name].startswith(ZIP_MAGIC):
                file.seek(max((root / name).stat().st_size - TAIL_BYTES, 0))
                parts.tails[name] = file.read()
    return parts


def _remote(uri: str) -> _Parts:
    parent, _, name = uri.partition("?")[0].rpartition("/")
    parts = _Parts({}, {})
    if name:
        # The folder of an ONNX file beside it is the folder of the file.
        source = locate(f"{parent}/model.onnx").source
        if source is not None:
            try:
                _read(source, name, parts)
                return parts
            except LoadError as error:
                log.info("it is no file", problem=error.message)
    bucket = bucket_of(uri)
    source = locate(uri).source
    if bucket is None or source is None:
        return parts
    place, key = bucket
    prefix = f"{key}/" if key else ""
    names: list[str] = []
    try:
        for chunk in place.connect(_SECONDS).list(prefix):
            names += [str(entry["path"])[len(prefix) :] for entry in chunk]
            if len(names) >= MOST_LISTED:
                break
    except LoadError:
        raise
    except Exception as error:
        raise place.failure(prefix, error) from error
    for name in _worth_reading(sorted(names)):
        _read(source, name, parts)
    return parts


def _worth_reading(names: list[str]) -> list[str]:
    """A directory that is a model is known by one file in it."""
    telling = [name for name in names if name.rpartition("/")[2] in (MLMODEL, SAVED_MODEL)]
    return (telling or names)[:MOST_READ]


def _read(source: Source, name: str, parts: _Parts) -> None:
    parts.heads[name], size = _span(source, name, Span(0, HEAD_BYTES))
    if parts.heads[name].startswith(ZIP_MAGIC) and size is not None and size > HEAD_BYTES:
        parts.tails[name] = _span(source, name, Span(max(size - TAIL_BYTES, 0), size))[0]


def _span(source: Source, name: str, span: Span) -> tuple[bytes, int | None]:
    """The bytes of a span, or as many of the whole where the store gives only that."""
    data = bytearray()
    with source.open(name, span) as blob:
        for chunk in blob.chunks:
            data += chunk
            if len(data) >= span.end - span.start:
                break
    return bytes(data[: span.end - span.start]), blob.size
