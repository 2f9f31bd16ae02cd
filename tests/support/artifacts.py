"""Builders of models that are resolved or prepared, and of the Jobs that do it."""

from datetime import timedelta
from typing import Any

from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.wire.formats import Variant
from perennial_contracts.wire.outcome import Outcome
from perennial_operator.clock import to_text
from perennial_operator.modeldeployment.plan import ModelDeploymentPlan, decide
from perennial_operator.names import PREPARE_LABEL
from perennial_operator.objects import Object
from perennial_operator.revision import attempt_name
from perennial_operator.specs import prepare_job, resolve_job
from perennial_operator.world import World
from support.worlds import (
    DIGEST,
    NOW,
    OTHER_DIGEST,
    ended,
    images,
    pod,
    resolver_pod,
    spec,
    world,
)

TRAINERS: dict[Variant, str] = {
    "tabular": "trainer:1", "tf": "trainer-tf:1", "torch": "trainer-torch:1",
}  # fmt: skip
OUTPUT: dict[str, Any] = {"output": {"uri": "s3://models/bundles"}}
BUNDLE = f"s3://models/bundles/{OTHER_DIGEST[7:19]}/"
BUNDLE_OUTCOME = Outcome(
    digest=OTHER_DIGEST,
    uri=BUNDLE,
    artifact=DIGEST,
    format="SkLearn",
    report=f"{BUNDLE}report.html",
)
KERAS = ended(
    Outcome(reason="NeedsPackaging", format="Keras", variant="tf", message="model.keras is Keras")
)
UNPINNED = spec(model={"digest": None})
NOT_FOUND = resolver_pod(
    UNPINNED,
    containerStatuses=ended(Outcome(reason="ModelNotFound", message="nothing there")),
)


def raw(format_: str = "Keras", **packaging: Any) -> ModelDeploymentSpec:
    """Return a spec with a raw artifact."""
    model = {"digest": None, "uri": "s3://models/raw/model.bin", "format": format_}
    return spec(model=model, packaging={**OUTPUT, **packaging})


def compressed(**model: Any) -> ModelDeploymentSpec:
    """Return a spec whose model must be compressed."""
    gate = {"data": "s3://models/rows.parquet"}
    methods = [{"type": "Int8Dynamic"}]
    return spec(model=model, packaging=OUTPUT, compression={"methods": methods, "gate": gate})


def planned(
    around: World, seconds: float = 0, without: Variant | None = None
) -> ModelDeploymentPlan:
    """Return the plan with a trainer image for each variant, except for one."""
    trainers = {variant: image for variant, image in TRAINERS.items() if variant != without}
    return decide(around, images(trainers), NOW + timedelta(seconds=seconds))


def prepare_job_of(
    of: ModelDeploymentSpec, seconds_ago: float | None = None, reason: str = ""
) -> Object:
    """Return the Job that prepares a model; failed some seconds ago, or running."""
    job = prepare_job.build(world(of), "trainer:1", of.model.format)
    return job if seconds_ago is None else _failed(job, seconds_ago, reason)


def failed_resolve_job(seconds_ago: float) -> Object:
    """Return a Job that failed to resolve UNPINNED some seconds ago."""
    return _failed(resolve_job.build(world(UNPINNED), "runtime:1"), seconds_ago, "")


def _failed(job: Object, seconds_ago: float, reason: str) -> Object:
    moment = to_text(NOW - timedelta(seconds=seconds_ago))
    condition = {"type": "Failed", "status": "True", "reason": reason}
    job["status"] = {"conditions": [{**condition, "lastTransitionTime": moment}]}
    return job


def prepare_pod(of: ModelDeploymentSpec, init: list[Object], last: list[Object] = []) -> Object:  # noqa: B006
    """Return the pod of the Job that prepares a model."""
    labels = {PREPARE_LABEL: attempt_name(of)}
    return pod(labels, initContainerStatuses=init, containerStatuses=last)


def published_pod(of: ModelDeploymentSpec) -> Object:
    """Return a pod that has published BUNDLE."""
    return prepare_pod(of, [], [{**ended(BUNDLE_OUTCOME, code=0)[0], "name": "publish"}])


def failed_pod(of: ModelDeploymentSpec, name: str, outcome: Outcome | None, **more: Any) -> Object:
    """Return a pod whose step has failed."""
    (status,) = ended(outcome, **more)
    return prepare_pod(of, [{**status, "name": name}])


def step(name: str, **state: Any) -> Object:
    """Return the status of a step's container."""
    return {"name": name, "ready": False, "state": state}


def container(plan: ModelDeploymentPlan, name: str) -> Object:
    """Return a container of the planned Job."""
    job = planned_job(plan)
    inside = job["spec"]["template"]["spec"]
    found: Object = next(
        each for each in (*inside["initContainers"], *inside["containers"]) if each["name"] == name
    )
    return found


def planned_job(plan: ModelDeploymentPlan) -> Object:
    """Return the only planned Job."""
    (job,) = (child for child in plan.children if child["kind"] == "Job")
    return job
