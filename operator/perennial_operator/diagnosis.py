"""Why pods do not serve, told from their status.

Ordered checks; the first that finds something speaks. Every message ends in what to do.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from perennial_contracts.api.conditions import PodFailure
from perennial_contracts.wire.outcome import LoadFailure, Outcome

from .objects import Object


class Diagnosis(NamedTuple):
    """A reason in one word, and a message that says what to do."""

    reason: str
    message: str

    @property
    def blames_model(self) -> bool:
        """Whether the model or its store is the cause, and not the pod around it."""
        return self.reason in set(LoadFailure)


@dataclass(frozen=True)
class Fields:
    """What the fields are called that a message tells to look at."""

    resources: str
    scheduling: str
    claim: str
    image: str
    pull_secrets: str
    secret: str


MODEL_DEPLOYMENT_FIELDS = Fields(
    resources="spec.serving.resources",
    scheduling="spec.serving.scheduling",
    claim="spec.model.uri",
    image="spec.serving.image",
    pull_secrets="spec.serving.imagePullSecrets",
    secret="spec.model.secretRef",
)
PACKAGING_FIELDS = Fields(
    resources="spec.packaging.resources",
    scheduling="spec.packaging.scheduling",
    claim="spec.model.uri",
    image="spec.packaging.image",
    pull_secrets="spec.packaging.imagePullSecrets",
    secret="spec.packaging.secretRef or spec.model.secretRef",
)
RETRAIN_JOB_FIELDS = Fields(
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
    fields: Fields = MODEL_DEPLOYMENT_FIELDS,
) -> Diagnosis | None:
    """The first failure among pods, or of the Deployment to make them; None if none shows."""
    for pod in pods:
        for check in _CHECKS:
            if found := check(pod, fields):
                return found
    return _pods_refused(deployment) if deployment else None


def _unschedulable(pod: Object, fields: Fields) -> Diagnosis | None:
    condition = condition_of(pod, "PodScheduled")
    if not condition or condition.get("reason") != "Unschedulable":
        return None
    said = condition.get("message", "").rstrip(".")
    hint = f"Free a node or add one, or change {fields.resources} or {fields.scheduling}."
    if "persistentvolumeclaim" in said:
        hint = f"Check the claim's name in {fields.claim}, and that the claim is bound."
    elif "nvidia.com/gpu" in said:
        hint = f"Free a GPU or add a node with one, or lower {fields.resources}.limits."
    return Diagnosis(PodFailure.UNSCHEDULABLE, f"No node takes the pod: {said}. {hint}")


_IMAGE_REASONS = {
    "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
    "ImageInspectError", "RegistryUnavailable",
}  # fmt: skip
_IMAGE_NAME = re.compile('image "([^"]+)"')


def _image_pull(pod: Object, fields: Fields) -> Diagnosis | None:
    for status in _container_statuses(pod):
        waiting = status.get("state", {}).get("waiting") or {}
        if waiting.get("reason") in _IMAGE_REASONS:
            own = status.get("image", "")
            said = waiting.get("message") or waiting["reason"]
            # A container also waits so for an image that is mounted. The kubelet writes names out.
            named = _IMAGE_NAME.search(said)
            image = own if named is None or own in named[1] else named[1]
            field = fields.image if image == own else fields.claim
            return Diagnosis(
                PodFailure.IMAGE_PULL_FAILED,
                f"The node cannot pull {image}: {_short(said)}. "
                f"Check {field} and {fields.pull_secrets}.",
            )
    return None


def _config_error(pod: Object, fields: Fields) -> Diagnosis | None:
    for status in _container_statuses(pod):
        waiting = status.get("state", {}).get("waiting") or {}
        if waiting.get("reason") in ("CreateContainerConfigError", "CreateContainerError"):
            return Diagnosis(
                PodFailure.CONTAINER_CONFIG_ERROR,
                f"The container cannot be made: {_short(waiting.get('message', ''))}. "
                f"Check that the Secret in {fields.secret} exists in this namespace.",
            )
    return None


def _terminated(pod: Object, fields: Fields) -> Diagnosis | None:
    """A container that ended badly, now or before its present restart."""
    for status in _container_statuses(pod):
        if status.get("ready"):
            continue
        ended = status.get("state", {}).get("terminated") or {}
        if not ended:
            ended = status.get("lastState", {}).get("terminated") or {}
        if not ended or ended.get("exitCode", 0) == 0:
            continue
        if ended.get("reason") == "OOMKilled":
            return Diagnosis(
                PodFailure.OUT_OF_MEMORY,
                f"The container {status['name']} was killed for using more memory than its limit. "
                f"Raise {fields.resources}.limits.memory.",
            )
        outcome = Outcome.from_text(ended.get("message", ""))
        if outcome and outcome.reason:
            return Diagnosis(outcome.reason, outcome.message)
        return Diagnosis(
            PodFailure.RUNTIME_CRASHED,
            f"The container {status['name']} ended with exit code {ended.get('exitCode')}: "
            f"{_short(ended.get('message') or ended.get('reason') or 'no message')}. "
            f"See kubectl logs {pod['metadata']['name']} -c {status['name']} --previous.",
        )
    return None


def _pods_refused(deployment: Object) -> Diagnosis | None:
    condition = condition_of(deployment, "ReplicaFailure")
    if not condition or condition.get("status") != "True":
        return None
    return Diagnosis(
        PodFailure.PODS_REFUSED,
        f"The API server refuses the pods: {_short(condition.get('message', ''))}. "
        "Check the namespace's quota and policies.",
    )


_CHECKS: tuple[Callable[[Object, Fields], Diagnosis | None], ...] = (
    _unschedulable,
    _image_pull,
    _config_error,
    _terminated,
)


def _container_statuses(pod: Object) -> list[Object]:
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def condition_of(obj: Object, type_: str) -> Object | None:
    """The condition of a type in the status of a built-in kind."""
    for condition in obj.get("status", {}).get("conditions") or ():
        if condition.get("type") == type_:
            found: Object = condition
            return found
    return None


def _short(text: str, limit: int = 600) -> str:
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= limit else f"…{text[-limit:]}"
