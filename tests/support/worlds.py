"""Builders of worlds for the operator's decisions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus, Revision
from perennial_contracts.wire.formats import Variant
from perennial_contracts.wire.outcome import Outcome
from perennial_operator.clock import to_text
from perennial_operator.images import Images
from perennial_operator.modeldeployment.plan import ModelDeploymentPlan, decide
from perennial_operator.names import RESOLVER_LABEL, REVISION_LABEL, revision_selector
from perennial_operator.objects import Object
from perennial_operator.revision import revision_name, source_name
from perennial_operator.specs import deployment as deployment_child
from perennial_operator.world import World

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64
IMAGE = "runtime:1"
IMAGES = Images(runtime=IMAGE, trainer="trainer:1")


def spec(**fields: Any) -> ModelDeploymentSpec:
    """Return a spec with a pinned model; ``model`` fields are merged into it."""
    model = {"uri": "s3://models/delays/1/", "digest": DIGEST} | fields.pop("model", {})
    return ModelDeploymentSpec.model_validate({"model": model, **fields})


def revision(of: ModelDeploymentSpec, digest: str = DIGEST, since: datetime = NOW) -> Revision:
    """Return the revision of a spec with the default image."""
    image = of.serving.image or IMAGE
    return Revision(
        name=revision_name(of, digest, image),
        uri=of.model.uri,
        digest=digest,
        image=image,
        since=to_text(since),
    )


def world(
    of: ModelDeploymentSpec | None = None,
    status: ModelDeploymentStatus | None = None,
    children: list[Object] | None = None,
    pods: list[Object] | None = None,
    name: str = "delays",
    **more: Any,
) -> World:
    return World(
        namespace="default",
        name=name,
        uid="uid-1",
        generation=3,
        spec=of or spec(),
        status=status or ModelDeploymentStatus(),
        children={(child["kind"], child["metadata"]["name"]): child for child in children or ()},
        pods=tuple(pods or ()),
        **more,
    )


def live_deployment(around: World, of: Revision, replicas: int, ready: int) -> Object:
    """Return a Deployment as in the API server, with an up-to-date status."""
    built = deployment_child.build(around, of, replicas)
    built["metadata"] |= {"generation": 1, "uid": f"uid-{of.name}"}
    built["status"] = {
        "observedGeneration": 1,
        "replicas": replicas,
        "updatedReplicas": replicas,
        "availableReplicas": ready,
    }
    return built


def pod(labels: dict[str, str], **status: Any) -> Object:
    return {
        "kind": "Pod",
        "metadata": {"name": "pod-1", "namespace": "default", "labels": labels},
        "status": status,
    }


def revision_pod(of: Revision, **status: Any) -> Object:
    return pod({REVISION_LABEL: of.name, **revision_selector("delays", of.name)}, **status)


def resolver_pod(of: ModelDeploymentSpec, **status: Any) -> Object:
    return pod({RESOLVER_LABEL: source_name(of.model)}, **status)


def ended(outcome: Outcome | None = None, code: int = 1, **more: Any) -> list[Object]:
    """Return the container statuses of a terminated container."""
    message = outcome.to_text() if outcome else ""
    terminated = {"exitCode": code, "message": message} | more
    return [{"name": "runtime", "ready": False, "state": {"terminated": terminated}}]


def waiting(reason: str, message: str = "") -> list[Object]:
    return [
        {
            "name": "runtime",
            "image": "runtime:1",
            "ready": False,
            "state": {"waiting": {"reason": reason, "message": message}},
        }
    ]


def images(trainers: Mapping[Variant, str]) -> Images:
    """Return images with the trainers of some variants only."""
    return Images(
        IMAGE, trainers.get("tabular", ""), trainers.get("tf", ""), trainers.get("torch", "")
    )


def planned(around: World, seconds: float = 0, image: str = IMAGE) -> ModelDeploymentPlan:
    """Return the plan for a world some seconds after NOW."""
    return decide(around, replace(IMAGES, runtime=image), NOW + timedelta(seconds=seconds))


def condition(plan: ModelDeploymentPlan, type_: str) -> tuple[str, str, str]:
    """Return status, reason and message of a condition."""
    found = next(each for each in plan.status.conditions if each.type == type_)
    return found.status, found.reason, found.message


def kinds(plan: ModelDeploymentPlan) -> list[str]:
    return [child["kind"] for child in plan.children]


def child(plan: ModelDeploymentPlan, kind: str, name: str = "") -> Object:
    return next(
        each for each in plan.children if each["kind"] == kind and name in each["metadata"]["name"]
    )
