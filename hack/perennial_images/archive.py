"""OCI image archives: write images of a few files, and read the name of any image.

An image FROM scratch is a tar of its files and two JSON documents, so that no builder is needed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perennial_build.errors import ReportedError

NONROOT = 65532
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
REFERENCE = "io.containerd.image.name"
TAG = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class ArchivedImage:
    """The image in an archive: its name, and the digest of its manifest."""

    reference: str
    digest: str


def write_scratch_image(
    target: Path,
    reference: str,
    files: Mapping[str, Path],
    entrypoint: Sequence[str],
    *,
    folders: Sequence[str] = (),
    arguments: Sequence[str] = (),
) -> None:
    """Write an image of these files and folders that does not run as root.

    Its user owns the folders, so that this user can write to a volume that is mounted there.
    """
    layer = _layer(files, folders)
    packed = gzip.compress(layer, compresslevel=6, mtime=0)
    architecture = ARCHITECTURES.get(platform.machine(), platform.machine())
    config = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {
                "User": f"{NONROOT}:{NONROOT}",
                "Entrypoint": list(entrypoint),
                "Cmd": list(arguments),
                "Env": ["PATH=/"],
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
            "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar+gzip", packed)],
        }
    )
    index = {
        "schemaVersion": 2,
        "manifests": [
            {
                **_descriptor("application/vnd.oci.image.manifest.v1+json", manifest),
                "annotations": {REFERENCE: reference, TAG: reference},
                "platform": {"architecture": architecture, "os": "linux"},
            }
        ],
    }
    with tarfile.open(target, "w") as archive:
        _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(archive, "index.json", _json(index))
        for blob in (packed, config, manifest):
            _add(archive, f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}", blob)


def read_archive(path: Path) -> ArchivedImage:
    """Return the name and digest of the image in an OCI archive."""
    try:
        with tarfile.open(path) as archive:
            member = archive.extractfile("index.json")
            index: dict[str, Any] = json.load(member) if member else {}
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        cause = str(error).partition("\n")[0]
        raise ReportedError(
            f"{path} is not an OCI image archive ({cause}): expected a tar with an index.json,"
            " as `perennial-images build` or `docker save` of Docker 25 or newer writes it"
        ) from None
    manifests = index.get("manifests", [])
    if len(manifests) != 1:
        raise ReportedError(
            f"{path} contains {len(manifests)} images: expected one image in an archive"
        )
    annotations = manifests[0].get("annotations", {})
    reference = annotations.get(REFERENCE) or annotations.get(TAG)
    if not reference:
        raise ReportedError(f"{path} has no name for its image. Fix: save it with a name and a tag")
    return ArchivedImage(reference, manifests[0]["digest"])


def _layer(files: Mapping[str, Path], folders: Sequence[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as layer:
        for folder in folders:
            entry = tarfile.TarInfo(folder.strip("/"))
            entry.type = tarfile.DIRTYPE
            entry.mode = 0o755
            entry.uid = entry.gid = NONROOT
            layer.addfile(entry)
        for inside, outside in files.items():
            _add(layer, inside.strip("/"), outside.read_bytes(), mode=0o755)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = mode
    archive.addfile(entry, io.BytesIO(content))


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}
