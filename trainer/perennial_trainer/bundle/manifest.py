"""The manifest of a bundle, ``bundle.json``, which pins all other files by digest."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME, Bundle, describe_files
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.profile import PROFILE_NAME, Profile

from ..evaluation.task import Task
from ..model.onnx_model import OnnxModel

PACKAGES = ("scikit-learn", "skl2onnx", "onnx", "numpy")
"""Packages that the bytes of a model depend on; the bundle records their versions."""


def pack(
    model: OnnxModel,
    profile: Profile,
    task: Task,
    metrics: Mapping[str, float],
    lineage: Mapping[str, str],
    extra: Mapping[str, bytes] = MappingProxyType({}),
) -> dict[str, bytes]:
    """Return the files of a bundle, by path; the same model makes the same bytes.

    Args:
        model: the model, with its labels.
        profile: its drift profile.
        task: the task.
        metrics: its scores on held-out rows.
        lineage: its origin; the versions of packages are added.
        extra: files for the next training, by path.
    """
    contents = {MODEL_NAME: model.data, PROFILE_NAME: profile.to_bytes(), **extra}
    manifest = Bundle(
        files=describe_files(contents),
        inputs=model.inputs,
        outputs=model.outputs,
        task=task.kind,
        labels=model.labels,
        positive=task.positive,
        metrics=dict(metrics),
        lineage={**lineage, **{package: version(package) for package in PACKAGES}},
    )
    return {**contents, MANIFEST_NAME: manifest.to_bytes()}


def digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of ``bundle.json``, which contains all other digests."""
    return digest_of(files[MANIFEST_NAME])


def read_versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of Python and of the packages that are installed."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
