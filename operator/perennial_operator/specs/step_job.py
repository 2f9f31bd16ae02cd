"""Build Jobs of the trainer: one pod whose steps run until one fails."""

from collections.abc import Sequence

from pydantic import BaseModel

from perennial_contracts.api.common import LocalReference
from perennial_contracts.api.pod_settings import Scheduling
from perennial_contracts.wire.outcome import TERMINATION_MESSAGE_PATH
from perennial_contracts.wire.run_plan import PLAN_VARIABLE

from ..names import child_name, model_labels
from ..objects import Object
from .pod_parts import FAIL_AT_ONCE, TMP, confined, hardened, placement


def step_environment(plan: BaseModel) -> list[Object]:
    """Return the environment variables of every step."""
    return [
        {"name": PLAN_VARIABLE, "value": plan.model_dump_json(exclude_none=True)},
        {"name": "HOME", "value": TMP},
    ]


def step_container(step: str, image: str, plan: BaseModel, resources: Object) -> Object:
    """Return a container that runs a step; its result is its termination message."""
    return {
        "name": step,
        "image": image,
        "env": step_environment(plan),
        "resources": resources,
        "terminationMessagePath": TERMINATION_MESSAGE_PATH,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": confined(),
    }


def step_job_spec(
    *,
    model: str,
    steps: Sequence[Object],
    volumes: Sequence[Object],
    labels: dict[str, str],
    annotations: dict[str, str],
    scheduling: Scheduling,
    pull_secrets: list[LocalReference] | None,
    deadline_seconds: int,
) -> Object:
    """Return the spec of the Job.

    Args:
        model: name of the ModelDeployment.
        steps: containers in order; all but the last become init containers.
        volumes: volumes of the pod.
        labels: labels of the pod, in addition to those of the model.
        annotations: annotations of the pod.
        scheduling: rules for the node of the pod.
        pull_secrets: Secrets for pulling the images.
        deadline_seconds: longest duration of the Job.
    """
    return {
        "backoffLimit": 2,
        "activeDeadlineSeconds": deadline_seconds,
        "podFailurePolicy": FAIL_AT_ONCE,
        "template": {
            "metadata": {
                "labels": {**model_labels(model), **labels},
                "annotations": annotations,
            },
            "spec": {
                **hardened(child_name(model)),
                "restartPolicy": "Never",
                "initContainers": list(steps[:-1]),
                "containers": [steps[-1]],
                "volumes": list(volumes),
                **placement(scheduling, pull_secrets),
            },
        },
    }
