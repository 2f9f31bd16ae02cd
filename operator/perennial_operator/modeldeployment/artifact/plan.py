"""Which bytes are served: pinned, looked up, made of an artifact, or promoted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from perennial_contracts.api.conditions import ResolvedReason
from perennial_contracts.api.modeldeployment_status import Promotion, Resolution
from perennial_contracts.wire.formats import Variant

from ...revision import promotion_source
from ...world import World
from . import prepare as preparing
from . import resolve as lookup
from .result import Packaging


def decide(
    world: World,
    runtime_image: str,
    trainer_images: Mapping[Variant, str],
    now: datetime,
    promotion: Promotion | None = None,
) -> Packaging:
    """The digest that is to be served, or the Job that is to find or make it.

    Args:
        world: what there is.
        runtime_image: looks models up where the spec names none.
        trainer_images: make bundles; by variant, those that there are.
        now: the time.
        promotion: what another decision has just put in place of spec.model.
    """
    spec = world.spec
    promoted = promotion or world.status.promoted
    if promoted and promoted.source == promotion_source(spec.model):
        return _promoted(promoted, world.status.resolution)
    compressed = spec.packaging is not None and spec.compression is not None
    served_as_it_is = ("Auto",) if compressed else ("Auto", "Onnx")
    if spec.packaging and spec.model.format not in served_as_it_is:
        return preparing.decide(world, None, trainer_images, now)
    if spec.model.digest and not compressed:
        message = f"spec.model.digest says {spec.model.digest}."
        return Packaging(spec.model.digest, None, ResolvedReason.PINNED, message)
    detected = lookup.detection(world) if spec.packaging else None
    if detected or (compressed and preparing.is_made(world)):
        return preparing.decide(world, detected, trainer_images, now)
    found = lookup.decide(world, spec.serving.image or runtime_image, now)
    if not compressed or found.digest is None:
        return found
    # It is ONNX, which any variant compresses. What was found is recorded meanwhile: the lookup is
    # over.
    making = preparing.decide(world, None, trainer_images, now)
    return replace(making, resolution=making.resolution or found.resolution)


def _promoted(promoted: Promotion, resolution: Resolution | None) -> Packaging:
    run = promoted.lineage.retrainJob if promoted.lineage else ""
    message = f"RetrainJob {run} made {promoted.digest}"
    if promoted.reason == "RolledBack":
        message = f"Rolled back to {promoted.digest}"
    return Packaging(
        promoted.digest,
        resolution,
        ResolvedReason(promoted.reason),
        f"{message}; it is served until spec.model changes.",
        promoted=promoted,
    )
