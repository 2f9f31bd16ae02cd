"""Making a bundle of an artifact: how far the Job is, what it made, or why it made nothing."""

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
from ...names import PREPARE_LABEL
from ...objects import Object
from ...revision import attempt_name, prepared_name, serving_secret
from ...specs import prepare_job
from ...world import World
from .attempts import ending_of, job_of, last_failure, seconds_left
from .result import Packaging

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
"""What the same artifact and the same settings bring about again. The Job is kept as the record of
it: a change of what it was made from has another name."""
FLAG_OF: Mapping[Variant, str] = {
    "tabular": "--trainer-image", "tf": "--trainer-tf-image", "torch": "--trainer-torch-image",
}  # fmt: skip


def decide(
    world: World, detected: Detection | None, images: Mapping[Variant, str], now: datetime
) -> Packaging:
    """What is to be served of it, or what is to be done for that.

    Args:
        world: what there is; its spec has packaging.
        detected: what a lookup has found, where spec.model.format does not say it.
        images: the trainer's, by variant, those that there are.
        now: the time.
    """
    source = prepared_name(world.spec)
    recorded = world.status.resolution
    if recorded and is_made(world):
        return _made(world, recorded, detected)
    attempt = attempt_name(world.spec)
    pods = world.pods_of(PREPARE_LABEL, attempt)
    for pod in pods:
        if made := _outcome_of(pod, source):
            return _made(world, made, detected)
    format_: ModelFormat = detected.format if detected else world.spec.model.format
    variant = detected.variant if detected else _variant_of(format_)
    packaging = world.spec.packaging
    image = (packaging and packaging.image) or images.get(variant)
    if not image:
        flag = FLAG_OF[variant]
        name = "PERENNIAL_" + flag.removeprefix("--").replace("-", "_").upper()
        message = (
            f"The model is {format_}, and the operator has no image that converts it. Give the "
            f"operator {flag} or {name}, or name an image in spec.packaging.image."
        )
        reason = ResolvedReason.CONVERTER_NOT_INSTALLED
        return Packaging(None, None, reason, message, detected=detected, final=True)
    return _follow(world, pods, prepare_job.build(world, image, format_), format_, detected, now)


def is_made(world: World) -> bool:
    """Whether a bundle was made of just this spec, and recorded."""
    recorded = world.status.resolution
    return bool(recorded and recorded.uri and recorded.source == prepared_name(world.spec))


def _variant_of(format_: ModelFormat) -> Variant:
    """What a lookup found to be served as it is, where nobody says more, is ONNX."""
    return "tabular" if format_ == "Auto" else VARIANT_OF[format_]


def _follow(
    world: World,
    pods: list[Object],
    wanted: Object,
    format_: ModelFormat,
    detected: Detection | None,
    now: datetime,
) -> Packaging:
    job = job_of(world, PREPARE_LABEL, attempt_name(world.spec))
    found = diagnose(pods, fields=PACKAGING_FIELDS)
    ending = ending_of(job) if job else None
    if not ending:
        found = found or (last_failure(world) if not pods else None)
        reason, message = found or (ResolvedReason.PACKAGING, _progress(pods, world, format_))
        return Packaging(None, None, reason, message, wanted, detected=detected)
    ended, why = ending
    if why == ResolvedReason.DEADLINE_EXCEEDED:
        seconds = world.spec.packaging.activeDeadlineSeconds if world.spec.packaging else 0
        found = Diagnosis(
            ResolvedReason.DEADLINE_EXCEEDED,
            f"Packaging took longer than {seconds} s. Raise "
            "spec.packaging.activeDeadlineSeconds or spec.packaging.resources.",
        )
    found = found or last_failure(world)
    found = found or Diagnosis(LoadFailure.INTERNAL_ERROR, "Packaging ended without a result.")
    if found.reason in FINAL:
        return Packaging(None, None, *found, job=wanted, detected=detected, final=True)
    wait = seconds_left(world, ended, now)
    return Packaging(
        None,
        None,
        found.reason,
        f"{found.message.removesuffix(_AGAIN)}{_AGAIN}",
        job=wanted if wait > 0 else None,
        detected=detected,
        look_again=wait if wait > 0 else None,
    )


_AGAIN = " It is tried again every while, and when spec.model or spec.packaging changes."


def _made(world: World, resolution: Resolution, detected: Detection | None) -> Packaging:
    served = {"uri": resolution.uri, "digest": resolution.digest, "format": "Auto"}
    secret = serving_secret(world.spec, resolution.uri or "")
    source: ModelSource = world.spec.model.model_copy(update={**served, "secretRef": secret})
    of = f" of {resolution.format}" if resolution.format else ""
    return Packaging(
        resolution.digest,
        resolution,
        ResolvedReason.PACKAGED,
        f"Made {resolution.digest}{of}; it is held to until spec.model, spec.packaging or "
        "spec.compression changes.",
        detected=detected,
        source=source,
    )


def _progress(pods: list[Object], world: World, format_: ModelFormat) -> str:
    """Which container runs."""
    packed = "and compressed" if world.spec.compression else ""
    converted = "read" if format_ == "Auto" else f"converted from {format_}"
    if format_ == "Onnx":
        converted, packed = ("compressed", "") if packed else ("checked", "")
    told = {
        PUBLISH: "The bundle is being published.",
        CONVERT: f"The model is being {converted} {packed}".rstrip() + ".",
        FETCH: f"{world.spec.model.uri} is being fetched.",
    }
    for container, message in told.items():
        if any(_runs(pod, container) for pod in pods):
            return message
    return "The pod that makes the bundle is being started."


def _runs(pod: Object, container: str) -> bool:
    return any(
        status["name"] == container and "running" in (status.get("state") or {})
        for status in _statuses(pod)
    )


def _statuses(pod: Object) -> list[Object]:
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _outcome_of(pod: Object, source: str) -> Resolution | None:
    """What the last step left, where it ended well."""
    for status in _statuses(pod):
        ended = (status.get("state") or {}).get("terminated") or {}
        if status["name"] != PUBLISH or ended.get("exitCode") != 0:
            continue
        outcome = Outcome.from_text(ended.get("message", ""))
        if outcome and outcome.digest and outcome.uri:
            made = outcome.model_dump(include={"digest", "uri", "artifact", "format", "report"})
            return Resolution.model_validate({"source": source, **made})
    return None
