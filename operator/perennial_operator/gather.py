"""Collect the world of one resource from the cache."""

from perennial_contracts.api.common import PAUSED_ANNOTATION
from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.retrainjob import RetrainJobSpec
from perennial_contracts.api.retrainjob_status import RetrainJobStatus
from perennial_contracts.wire.run_plan import Progress

from .cache import ObjectCache
from .monitoring.windows import Observation
from .names import OWNER_ANNOTATION, RUN_ANNOTATION
from .objects import (
    MODEL_DEPLOYMENT,
    POD,
    RETRAIN_JOB,
    Key,
    Kind,
    Object,
    annotations_of,
    is_owned_by,
    name_of,
)
from .world import LiveRun, RunWorld, World


def gather(cache: ObjectCache, key: Key, observation: Observation | None = None) -> World | None:
    """Return the world of a ModelDeployment; None if it is deleted or paused."""
    resource = _reconcilable(cache, MODEL_DEPLOYMENT, key)
    if not resource:
        return None
    metadata = resource["metadata"]
    children: dict[tuple[str, str], Object] = {}
    pods: list[Object] = []
    runs: list[LiveRun] = []
    for kind, obj in cache.about(key.namespace, key.name):
        if kind == POD.name:
            if annotations_of(obj).get(OWNER_ANNOTATION) == key.name:
                pods.append(obj)
            continue
        if kind == RETRAIN_JOB.name and obj["spec"]["modelRef"]["name"] == key.name:
            runs.append(_live_run(obj))
        if is_owned_by(obj, metadata["uid"]):
            children[kind, name_of(obj)] = obj
    return World(
        namespace=key.namespace,
        name=key.name,
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        children=children,
        pods=tuple(sorted(pods, key=name_of)),
        spec=ModelDeploymentSpec.model_validate(resource["spec"]),
        status=ModelDeploymentStatus.model_validate(resource.get("status") or {}),
        annotations=annotations_of(resource),
        runs=tuple(sorted(runs, key=lambda run: (run.created, run.name))),
        observation=observation,
    )


def gather_run(cache: ObjectCache, key: Key, progress: Progress | None = None) -> RunWorld | None:
    """Return the world of a RetrainJob; None if it is deleted or paused."""
    resource = _reconcilable(cache, RETRAIN_JOB, key)
    if not resource:
        return None
    metadata = resource["metadata"]
    spec = RetrainJobSpec.model_validate(resource["spec"])
    children: dict[tuple[str, str], Object] = {}
    pods: list[Object] = []
    for kind, obj in cache.about(key.namespace, spec.modelRef.name):
        if kind == POD.name:
            if annotations_of(obj).get(RUN_ANNOTATION) == key.name:
                pods.append(obj)
        elif is_owned_by(obj, metadata["uid"]):
            children[kind, name_of(obj)] = obj
    model = cache.get(MODEL_DEPLOYMENT, key.namespace, spec.modelRef.name)
    return RunWorld(
        namespace=key.namespace,
        name=key.name,
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        children=children,
        pods=tuple(sorted(pods, key=lambda pod: pod["metadata"].get("creationTimestamp", ""))),
        spec=spec,
        status=RetrainJobStatus.model_validate(resource.get("status") or {}),
        deployed=(
            ModelDeploymentSpec.model_validate(model["spec"]),
            ModelDeploymentStatus.model_validate(model.get("status") or {}),
        )
        if model
        else None,
        progress=progress,
    )


def _live_run(resource: Object) -> LiveRun:
    return LiveRun(
        name=name_of(resource),
        created=resource["metadata"]["creationTimestamp"],
        spec=RetrainJobSpec.model_validate(resource["spec"]),
        status=RetrainJobStatus.model_validate(resource.get("status") or {}),
    )


def _reconcilable(cache: ObjectCache, kind: Kind, key: Key) -> Object | None:
    resource = cache.get(kind, key.namespace, key.name)
    if not resource or "deletionTimestamp" in resource["metadata"]:
        return None
    return None if annotations_of(resource).get(PAUSED_ANNOTATION) == "true" else resource
