"""Find the digest of an unpinned model with a Job, or report why there is none."""

from datetime import datetime

from perennial_contracts.api.conditions import ResolvedReason
from perennial_contracts.api.modeldeployment_status import Detection, Resolution
from perennial_contracts.wire.formats import FORMATS, VARIANT_OF
from perennial_contracts.wire.outcome import LoadFailure, Outcome

from ...diagnosis import Diagnosis, diagnose
from ...names import RESOLVER_LABEL
from ...objects import Object
from ...pods import container_statuses, ending_of
from ...revision import source_name
from ...specs import resolve_job
from ...world import World
from .result import ArtifactResult, job_of, recorded_failure, seconds_to_retry

_RETRYING = " Retrying with back-off; changing spec.model retries at once."
_SET_PACKAGING = (
    "Set spec.packaging.output.uri to a folder for the bundle, such as s3://BUCKET/PATH, or set "
    "spec.model.uri to a bundle or an ONNX model."
)


def decide(world: World, runtime_image: str, now: datetime) -> ArtifactResult:
    """Return the digest that was found, or the Job that looks for it."""
    source = source_name(world.spec.model)
    recorded = world.status.resolution
    if recorded and recorded.source == source:
        return _resolved(recorded)
    pods = world.pods_of(RESOLVER_LABEL, source)
    for pod in pods:
        if digest := _digest_of(pod):
            return _resolved(Resolution(source=source, digest=digest))
    return _unresolved(world, runtime_image, pods, now)


def detection(world: World) -> Detection | None:
    """Return the format of the raw artifact at spec.model.uri, if it was detected."""
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


def _resolved(resolution: Resolution) -> ArtifactResult:
    return ArtifactResult(
        resolution.digest,
        resolution,
        ResolvedReason.RESOLVED,
        f"Pinned to {resolution.digest} until spec.model changes.",
    )


def _unresolved(
    world: World, runtime_image: str, pods: list[Object], now: datetime
) -> ArtifactResult:
    live = job_of(world, RESOLVER_LABEL, source_name(world.spec.model))
    job = resolve_job.build(world, runtime_image)
    failure = _with_advice(diagnose(pods))
    ending = ending_of(live) if live else None
    if not ending:
        # The recorded failure stays while the next attempt runs: nothing newer is known, and the
        # time of its condition says since when.
        if failure := failure or recorded_failure(world):
            return ArtifactResult(None, None, *failure, job=job)
        message = f"Resolving {world.spec.model.uri}."
        return ArtifactResult(None, None, ResolvedReason.RESOLVING, message, job)
    failure = failure or Diagnosis(
        LoadFailure.INTERNAL_ERROR, f"The Job that resolves {world.spec.model.uri} has no result."
    )
    wait = seconds_to_retry(world, ending.time, now)
    # A Job that is not in the plan is deleted, and the event of its deletion starts the next one.
    return ArtifactResult(
        None,
        None,
        failure.reason,
        f"{failure.message}{_RETRYING}",
        job=job if wait > 0 else None,
        look_again=wait if wait > 0 else None,
    )


def _with_advice(failure: Diagnosis | None) -> Diagnosis | None:
    if failure and failure.reason == LoadFailure.NEEDS_PACKAGING:
        return Diagnosis(failure.reason, f"{failure.message.rstrip('.')}. {_SET_PACKAGING}")
    return failure


def _digest_of(pod: Object) -> str | None:
    return next((outcome.digest for outcome in _outcomes(pod) if not outcome.reason), None)


def _outcomes(pod: Object) -> list[Outcome]:
    """Return the outcomes of the containers that have ended."""
    endings = [
        status.get("state", {}).get("terminated") or {}
        for status in container_statuses(pod, init=False)
    ]
    outcomes = [(ending, Outcome.from_text(ending.get("message", ""))) for ending in endings]
    return [
        outcome
        for ending, outcome in outcomes
        if outcome and (ending.get("exitCode") == 0 or outcome.reason)
    ]
