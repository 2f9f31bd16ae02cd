"""Turn a raw artifact into a bundle with a Job, and report its progress."""

from collections.abc import Mapping
from datetime import datetime

from perennial_contracts.api.conditions import PodFailure, ResolvedReason
from perennial_contracts.api.modeldeployment import ModelSource
from perennial_contracts.api.modeldeployment_status import Detection, Resolution
from perennial_contracts.api.packaging import ModelFormat
from perennial_contracts.wire.formats import VARIANT_OF, Variant
from perennial_contracts.wire.outcome import LoadFailure, Outcome
from perennial_contracts.wire.prepare_plan import CONVERT, FETCH, PUBLISH
from perennial_contracts.wire.run_plan import TrainingFailure

from ...diagnosis import PACKAGING_FIELDS, Diagnosis, diagnose
from ...images import Images
from ...names import PREPARE_LABEL
from ...objects import Object
from ...pods import ending_of, is_running, termination_of
from ...revision import attempt_name, credentials, prepared_name
from ...specs import prepare_job
from ...world import World
from .result import ArtifactResult, job_of, recorded_failure, seconds_to_retry

FINAL = frozenset(
    {
        TrainingFailure.CONVERSION_FAILED,
        TrainingFailure.PARITY_FAILED,
        TrainingFailure.WRONG_SIGNATURE,
        TrainingFailure.UNTRUSTED_MODEL,
        TrainingFailure.CONVERTER_NOT_INSTALLED,
        LoadFailure.UNSUPPORTED_MODEL,
        PodFailure.OUT_OF_MEMORY,
    }
)
"""Failures that the same artifact with the same settings causes again. Their Job is kept as a
record; a change of its inputs leads to a Job of another name."""
FLAG_OF: Mapping[Variant, str] = {
    "tabular": "--trainer-image", "tf": "--trainer-tf-image", "torch": "--trainer-torch-image",
}  # fmt: skip
_RETRYING = " Retrying with back-off; changing spec.model or spec.packaging retries at once."


def decide(
    world: World, detected: Detection | None, images: Images, now: datetime
) -> ArtifactResult:
    """Return the prepared bundle, or the Job that prepares it.

    Args:
        world: a ModelDeployment whose spec has packaging.
        detected: the detected format, if spec.model.format does not name it.
        images: images for pods whose spec names none.
        now: the current time.
    """
    source = prepared_name(world.spec)
    recorded = world.status.resolution
    if recorded and is_recorded(world):
        return _prepared(world, recorded, detected)
    pods = world.pods_of(PREPARE_LABEL, attempt_name(world.spec))
    for pod in pods:
        if resolution := _resolution_of(pod, source):
            return _prepared(world, resolution, detected)
    format_: ModelFormat = detected.format if detected else world.spec.model.format
    variant = detected.variant if detected else _variant_of(format_)
    packaging = world.spec.packaging
    image = (packaging and packaging.image) or images.converter(variant)
    if not image:
        return _no_converter(format_, variant, detected)
    job = prepare_job.build(world, image, format_)
    return _unprepared(world, pods, job, format_, detected, now)


def is_recorded(world: World) -> bool:
    """Return whether the status records a bundle that was prepared for this very spec."""
    recorded = world.status.resolution
    return bool(recorded and recorded.uri and recorded.source == prepared_name(world.spec))


def _variant_of(format_: ModelFormat) -> Variant:
    """Return the variant that prepares a format. Auto means ONNX here, which all read."""
    return "tabular" if format_ == "Auto" else VARIANT_OF[format_]


def _no_converter(
    format_: ModelFormat, variant: Variant, detected: Detection | None
) -> ArtifactResult:
    flag = FLAG_OF[variant]
    variable = "PERENNIAL_" + flag.removeprefix("--").replace("-", "_").upper()
    message = (
        f"The operator has no image that converts {format_} models. Set spec.packaging.image, or "
        f"start the operator with {flag} or {variable}."
    )
    reason = ResolvedReason.CONVERTER_NOT_INSTALLED
    return ArtifactResult(None, None, reason, message, detected=detected, final=True)


def _unprepared(
    world: World,
    pods: list[Object],
    job: Object,
    format_: ModelFormat,
    detected: Detection | None,
    now: datetime,
) -> ArtifactResult:
    live = job_of(world, PREPARE_LABEL, attempt_name(world.spec))
    failure = diagnose(pods, fields=PACKAGING_FIELDS)
    ending = ending_of(live) if live else None
    if not ending:
        failure = failure or (recorded_failure(world) if not pods else None)
        reason, message = failure or (ResolvedReason.PACKAGING, _progress(pods, world, format_))
        return ArtifactResult(None, None, reason, message, job, detected=detected)
    if ending.reason == ResolvedReason.DEADLINE_EXCEEDED:
        limit = world.spec.packaging.activeDeadlineSeconds if world.spec.packaging else 0
        failure = Diagnosis(
            ResolvedReason.DEADLINE_EXCEEDED,
            f"Preparing the bundle took longer than {limit} s. Raise "
            "spec.packaging.activeDeadlineSeconds or spec.packaging.resources.",
        )
    known = failure or recorded_failure(world)
    if known and known.reason in FINAL:
        return ArtifactResult(None, None, *known, job=job, detected=detected, final=True)
    if known is None:
        failure = known = Diagnosis(
            LoadFailure.INTERNAL_ERROR, "The Job that prepares the bundle has no result."
        )
    wait = seconds_to_retry(world, ending.time, now)
    return ArtifactResult(
        None,
        None,
        known.reason,
        f"{failure.message}{_RETRYING}" if failure else known.message,
        job=job if wait > 0 else None,
        detected=detected,
        look_again=wait if wait > 0 else None,
    )


def _prepared(world: World, resolution: Resolution, detected: Detection | None) -> ArtifactResult:
    secret = credentials(world.spec, resolution.uri or "")
    changes = {
        "uri": resolution.uri, "digest": resolution.digest, "format": "Auto", "secretRef": secret,
    }  # fmt: skip
    bundle: ModelSource = world.spec.model.model_copy(update=changes)
    origin = f" from {resolution.format}" if resolution.format else ""
    return ArtifactResult(
        resolution.digest,
        resolution,
        ResolvedReason.PACKAGED,
        f"Prepared bundle {resolution.digest}{origin}. It is served until spec.model, "
        "spec.packaging or spec.compression changes.",
        detected=detected,
        bundle=bundle,
    )


def _progress(pods: list[Object], world: World, format_: ModelFormat) -> str:
    """Return a message that names the step which runs."""
    if format_ == "Onnx":
        verb = "Compressing" if world.spec.compression else "Checking"
        converting = f"{verb} the model."
    else:
        verb = "Reading" if format_ == "Auto" else "Converting"
        compressing = " and compressing" if world.spec.compression else ""
        origin = "" if format_ == "Auto" else f" from {format_}"
        converting = f"{verb}{compressing} the model{origin}."
    messages = {
        PUBLISH: "Publishing the bundle.",
        CONVERT: converting,
        FETCH: f"Fetching {world.spec.model.uri}.",
    }
    for container, message in messages.items():
        if any(is_running(pod, container) for pod in pods):
            return message
    return "Starting the pod that prepares the bundle."


def _resolution_of(pod: Object, source: str) -> Resolution | None:
    """Return the bundle that the last step has published, if it succeeded."""
    ending = termination_of(pod, PUBLISH)
    if not ending or ending.get("exitCode") != 0:
        return None
    outcome = Outcome.from_text(ending.get("message", ""))
    if not outcome or not outcome.digest or not outcome.uri:
        return None
    result = outcome.model_dump(include={"digest", "uri", "artifact", "format", "report"})
    return Resolution.model_validate({"source": source, **result})
