"""Looking an unpinned model up: what the Job has found, or why it found nothing."""

from datetime import datetime

from perennial_contracts.api.conditions import ResolvedReason
from perennial_contracts.api.modeldeployment_status import Detection, Resolution
from perennial_contracts.wire.formats import FORMATS, VARIANT_OF
from perennial_contracts.wire.outcome import LoadFailure, Outcome

from ...diagnosis import Diagnosis, diagnose
from ...names import RESOLVER_LABEL
from ...objects import Object
from ...revision import source_name
from ...specs import resolve_job as resolver
from ...world import World
from .attempts import ending_of, job_of, last_failure, seconds_left
from .result import Packaging

_WITHOUT_PACKAGING = (
    "Write spec.packaging.output.uri, a folder such as s3://BUCKET/PATH in which the bundle is "
    "kept that is made of it, or give spec.model.uri a bundle or an ONNX model."
)


def decide(world: World, image: str, now: datetime) -> Packaging:
    """What the lookup has found, or how far it is. ``image`` is the runtime's."""
    source = source_name(world.spec.model)
    recorded = world.status.resolution
    if recorded and recorded.source == source:
        return _found(recorded)
    pods = world.pods_of(RESOLVER_LABEL, source)
    for pod in pods:
        if digest := _digest_of(pod):
            return _found(Resolution(source=source, digest=digest))
    return _look_up(world, image, pods, now)


def detection(world: World) -> Detection | None:
    """The raw artifact that a lookup of this spec.model has come upon, now or before."""
    source = source_name(world.spec.model)
    recorded = world.status.detected
    if recorded and recorded.source == source:
        return recorded
    for pod in world.pods_of(RESOLVER_LABEL, source):
        for outcome in _outcomes(pod):
            if outcome.reason != LoadFailure.NEEDS_PACKAGING:
                continue
            for known in FORMATS:
                if outcome.format == known:
                    variant = "tf" if outcome.variant == "tf" else VARIANT_OF[known]
                    variant = "torch" if outcome.variant == "torch" else variant
                    return Detection(source=source, format=known, variant=variant)
    return None


def _found(resolution: Resolution) -> Packaging:
    return Packaging(
        resolution.digest,
        resolution,
        ResolvedReason.RESOLVED,
        f"Found {resolution.digest}; it is held to until spec.model changes.",
    )


def _look_up(world: World, image: str, pods: list[Object], now: datetime) -> Packaging:
    job = job_of(world, RESOLVER_LABEL, source_name(world.spec.model))
    wanted = resolver.build(world, image)
    found = _advised(diagnose(pods))
    ending = ending_of(job) if job else None
    if not ending:
        # While it is looked up again the last failure stands: it is still what is known, and the
        # condition goes on telling since when.
        if found := found or last_failure(world):
            return Packaging(None, None, *found, job=wanted)
        message = f"Looking up {world.spec.model.uri}."
        return Packaging(None, None, ResolvedReason.RESOLVING, message, wanted)
    found = found or Diagnosis(LoadFailure.INTERNAL_ERROR, "The lookup ended without a result.")
    message = f"{found.message} It is looked up again every while, and when spec.model changes."
    wait = seconds_left(world, ending[0], now)
    # Without the Job in the plan it is deleted; the event of that brings the next one.
    return Packaging(
        None,
        None,
        found.reason,
        message,
        job=wanted if wait > 0 else None,
        look_again=wait if wait > 0 else None,
    )


def _advised(found: Diagnosis | None) -> Diagnosis | None:
    if found and found.reason == LoadFailure.NEEDS_PACKAGING:
        return Diagnosis(found.reason, f"{found.message.rstrip('.')}. {_WITHOUT_PACKAGING}")
    return found


def _digest_of(pod: Object) -> str | None:
    return next((outcome.digest for outcome in _outcomes(pod) if not outcome.reason), None)


def _outcomes(pod: Object) -> list[Outcome]:
    """What its containers left as they ended, well or badly."""
    ended = (
        status.get("state", {}).get("terminated") or {}
        for status in pod.get("status", {}).get("containerStatuses") or ()
    )
    read = ((end, Outcome.from_text(end.get("message", ""))) for end in ended)
    return [said for end, said in read if said and (end.get("exitCode") == 0 or said.reason)]
