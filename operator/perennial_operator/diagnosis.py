"""Find out why pods do not run, from their status.

The checks are ordered, and the first failure that one finds is reported. Every message ends with
the field to change or the command to run.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from perennial_contracts.api.conditions import PodFailure
from perennial_contracts.wire.outcome import LoadFailure, Outcome

from .objects import Object
from .pods import condition_of, container_statuses


class Diagnosis(NamedTuple):
    """A failure: its reason in one word, and a message with the facts and the fix."""

    reason: str
    message: str

    @property
    def blames_model(self) -> bool:
        """True if the model or its store is the cause, False if it is the pod around it."""
        return self.reason in set(LoadFailure)


@dataclass(frozen=True)
class FieldPaths:
    """Full paths of the fields that messages name."""

    resources: str
    scheduling: str
    claim: str
    image: str
    pull_secrets: str
    secret: str


MODEL_DEPLOYMENT_FIELDS = FieldPaths(
    resources="spec.serving.resources",
    scheduling="spec.serving.scheduling",
    claim="spec.model.uri",
    image="spec.serving.image",
    pull_secrets="spec.serving.imagePullSecrets",
    secret="spec.model.secretRef",
)
PACKAGING_FIELDS = FieldPaths(
    resources="spec.packaging.resources",
    scheduling="spec.packaging.scheduling",
    claim="spec.model.uri",
    image="spec.packaging.image",
    pull_secrets="spec.packaging.imagePullSecrets",
    secret="spec.packaging.secretRef or spec.model.secretRef",
)
RETRAIN_JOB_FIELDS = FieldPaths(
    resources="spec.resources",
    scheduling="spec.scheduling",
    claim="the ModelDeployment's spec.monitoring.capture.uri",
    image="spec.image",
    pull_secrets="spec.imagePullSecrets",
    secret="spec.secretRef",
)


def diagnose(
    pods: Iterable[Object],
    deployment: Object | None = None,
    fields: FieldPaths = MODEL_DEPLOYMENT_FIELDS,
) -> Diagnosis | None:
    """Return the first failure of the pods or of their Deployment; None if none."""
    for pod in pods:
        for check in _CHECKS:
            if found := check(pod, fields):
                return found
    return _pods_refused(deployment) if deployment else None


def _unschedulable(pod: Object, fields: FieldPaths) -> Diagnosis | None:
    condition = condition_of(pod, "PodScheduled")
    if not condition or condition.get("reason") != "Unschedulable":
        return None
    facts = condition.get("message", "").rstrip(".") or "no message"
    hint = f"Free a node or add one, or change {fields.resources} or {fields.scheduling}."
    if "persistentvolumeclaim" in facts:
        hint = f"Check the claim's name in {fields.claim}, and that the claim is bound."
    elif "nvidia.com/gpu" in facts:
        hint = f"Free a GPU or add a node with one, or lower {fields.resources}.limits."
    return Diagnosis(PodFailure.UNSCHEDULABLE, f"The pod cannot be scheduled: {facts}. {hint}")


_IMAGE_REASONS = {
    "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
    "ImageInspectError", "RegistryUnavailable",
}  # fmt: skip
_IMAGE_NAME = re.compile('image "([^"]+)"')


def _image_pull(pod: Object, fields: FieldPaths) -> Diagnosis | None:
    for status in container_statuses(pod):
        waiting = status.get("state", {}).get("waiting") or {}
        if waiting.get("reason") in _IMAGE_REASONS:
            own = status.get("image", "")
            facts = waiting.get("message") or waiting["reason"]
            # The image may also be one that is mounted. The kubelet completes the names of images.
            named = _IMAGE_NAME.search(facts)
            image = own if named is None or own in named[1] else named[1]
            field = fields.image if image == own else fields.claim
            return Diagnosis(
                PodFailure.IMAGE_PULL_FAILED,
                f"The node cannot pull {image}: {_short(facts)}. "
                f"Check {field} and {fields.pull_secrets}.",
            )
    return None


def _config_error(pod: Object, fields: FieldPaths) -> Diagnosis | None:
    for status in container_statuses(pod):
        waiting = status.get("state", {}).get("waiting") or {}
        if waiting.get("reason") in ("CreateContainerConfigError", "CreateContainerError"):
            facts = _short(waiting.get("message") or "no message")
            return Diagnosis(
                PodFailure.CONTAINER_CONFIG_ERROR,
                f"The container cannot be created: {facts}. "
                f"Check that the Secret in {fields.secret} exists in this namespace.",
            )
    return None


def _terminated(pod: Object, fields: FieldPaths) -> Diagnosis | None:
    """Find a container that failed, now or before its latest restart."""
    for status in container_statuses(pod):
        if status.get("ready"):
            continue
        ended, previous = status.get("state", {}).get("terminated") or {}, ""
        if not ended:
            ended = status.get("lastState", {}).get("terminated") or {}
            previous = " --previous"
        if not ended or ended.get("exitCode", 0) == 0:
            continue
        if ended.get("reason") == "OOMKilled":
            return Diagnosis(
                PodFailure.OUT_OF_MEMORY,
                f"The container '{status['name']}' exceeded its memory limit and was killed. "
                f"Raise {fields.resources}.limits.memory.",
            )
        outcome = Outcome.from_text(ended.get("message", ""))
        if outcome and outcome.reason:
            return Diagnosis(outcome.reason, _sentence(outcome.message))
        facts = _short(ended.get("message") or ended.get("reason") or "no message")
        logs = f"kubectl logs {pod['metadata']['name']} -c {status['name']}{previous}"
        return Diagnosis(
            PodFailure.RUNTIME_CRASHED,
            f"The container '{status['name']}' failed with exit code {ended.get('exitCode')}: "
            f"{facts}. Run {logs} for details.",
        )
    return None


def _pods_refused(deployment: Object) -> Diagnosis | None:
    condition = condition_of(deployment, "ReplicaFailure")
    if not condition or condition.get("status") != "True":
        return None
    return Diagnosis(
        PodFailure.PODS_REFUSED,
        f"The API server rejects the pods: {_short(condition.get('message', ''))}. "
        "Check the quota and the policies of the namespace.",
    )


_CHECKS: tuple[Callable[[Object, FieldPaths], Diagnosis | None], ...] = (
    _unschedulable,
    _image_pull,
    _config_error,
    _terminated,
)


def _sentence(text: str) -> str:
    """Return the message of an outcome with its last full stop.

    Outcomes are written without it, and conditions append sentences.
    """
    return text if not text or text.endswith(".") else f"{text}."


def _short(text: str, limit: int = 600) -> str:
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= limit else f"…{text[-limit:]}"
