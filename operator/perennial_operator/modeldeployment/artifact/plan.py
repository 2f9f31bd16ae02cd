"""Decide which model is served: the pinned, resolved, prepared or promoted one."""

from dataclasses import replace
from datetime import datetime

from perennial_contracts.api.conditions import ResolvedReason
from perennial_contracts.api.modeldeployment_status import Promotion, Resolution

from ...images import Images
from ...revision import promotion_source
from ...world import World
from . import prepare, resolve
from .result import ArtifactResult


def decide(
    world: World, images: Images, now: datetime, promotion: Promotion | None = None
) -> ArtifactResult:
    """Return the model to serve, or the Job that resolves or prepares it.

    Args:
        world: the ModelDeployment.
        images: images for pods whose spec names none.
        now: the current time.
        promotion: a model that another decision has just put in place of spec.model.
    """
    spec = world.spec
    promoted = promotion or world.status.promoted
    if promoted and promoted.source == promotion_source(spec.model):
        return _promoted(promoted, world.status.resolution)
    compressed = spec.packaging is not None and spec.compression is not None
    served_as_is = ("Auto",) if compressed else ("Auto", "Onnx")
    if spec.packaging and spec.model.format not in served_as_is:
        return prepare.decide(world, None, images, now)
    if spec.model.digest and not compressed:
        message = f"Pinned to {spec.model.digest} by spec.model.digest."
        return ArtifactResult(spec.model.digest, None, ResolvedReason.PINNED, message)
    detected = resolve.detection(world) if spec.packaging else None
    if detected or (compressed and prepare.is_recorded(world)):
        return prepare.decide(world, detected, images, now)
    resolved = resolve.decide(world, spec.serving.image or images.runtime, now)
    if not compressed or resolved.digest is None:
        return resolved
    # The model is ONNX, which the image of any variant compresses. Until the bundle is made, the
    # resolution is recorded, so that the model is not resolved again.
    prepared = prepare.decide(world, None, images, now)
    return replace(prepared, resolution=prepared.resolution or resolved.resolution)


def _promoted(promoted: Promotion, resolution: Resolution | None) -> ArtifactResult:
    run = promoted.lineage.retrainJob if promoted.lineage else ""
    message = (
        f"Promoted {promoted.digest}, which RetrainJob {run} trained. It replaces spec.model until "
        "spec.model changes."
    )
    if promoted.reason == "RolledBack":
        message = f"Rolled back to {promoted.digest} until spec.model changes."
    return ArtifactResult(
        promoted.digest, resolution, ResolvedReason(promoted.reason), message, promoted=promoted
    )
