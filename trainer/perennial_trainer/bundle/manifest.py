"""The bundle: the model's file, its drift profile, and ``bundle.json`` that pins both."""

from collections.abc import Mapping
from importlib.metadata import version
from types import MappingProxyType

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME, Bundle, describe_files
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.profile import PROFILE_NAME, Profile

from ..evaluation.task import Task
from ..model.onnx_model import OnnxModel

PACKAGES = ("scikit-learn", "skl2onnx", "onnx", "numpy")
"""Those that decide what comes out; their versions are kept with it."""


def pack(
    model: OnnxModel,
    profile: Profile,
    task: Task,
    metrics: Mapping[str, float],
    lineage: Mapping[str, str],
    extra: Mapping[str, bytes] = MappingProxyType({}),
) -> dict[str, bytes]:
    """The files of a bundle, by path. The same model makes the same bytes, whenever it is packed.

    Args:
        model: the model, with its labels.
        profile: what it looked like on held-out rows.
        task: the classes, or that numbers are told.
        metrics: its scores on held-out rows.
        lineage: where it comes from; the packages' versions are added.
        extra: files that the next training finds beside the champion, by path.
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
    """The digest of ``bundle.json``, which holds the digests of all other files."""
    return digest_of(files[MANIFEST_NAME])
