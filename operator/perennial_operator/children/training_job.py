"""The Job of a RetrainJob: one pod that assembles the rows, trains a challenger and judges it."""

from perennial_contracts.api import GROUP
from perennial_contracts.modeldeployment import ModelDeploymentSpec
from perennial_contracts.runstatus import ModelReference
from perennial_contracts.training import (
    ASSEMBLE,
    HOLDOUT_FOLDER,
    INPUT_FOLDER,
    JUDGE,
    OUTPUT_FOLDER,
    PROGRESS_PORT,
    TRAIN,
    Model,
    Plan,
)

from ..names import RUN_ANNOTATION, child_name
from ..objects import JOB, Object
from ..world import TrainingWorld
from .metadata import child
from .pod_parts import TMP, confined, locate, without_devices
from .step_job import step_container, step_job_spec

RUN_LABEL = f"{GROUP}/run"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
_CAPTURE = "/var/lib/perennial/capture"
_MODEL = "/var/lib/perennial/model"
_FOLDERS = {
    ASSEMBLE: {"input": INPUT_FOLDER, "holdout": HOLDOUT_FOLDER},
    # Training cannot see what the models are judged on.
    TRAIN: {"input": INPUT_FOLDER, "output": OUTPUT_FOLDER},
    JUDGE: {"input": INPUT_FOLDER, "holdout": HOLDOUT_FOLDER, "output": OUTPUT_FOLDER},
}


def build(
    world: TrainingWorld,
    deployed: ModelDeploymentSpec,
    champion: ModelReference,
    trainer_image: str,
    now: str,
) -> Object:
    """The Job; the steps run one after the other, and any that fails ends it."""
    spec = world.spec
    captured, claims = _claims(deployed, champion)
    plan = Plan(
        namespace=world.namespace,
        model=world.model,
        job=world.name,
        champion=Model(uri=locate(champion.uri, _MODEL)[0], digest=champion.digest),
        captured=captured,
        trigger=spec.trigger,
        data=spec.data,
        compression=spec.compression,
        search=spec.search,
        gate=spec.gate,
        budget=spec.budget,
        output=spec.output.uri,
        now=now,
    )
    steps = {
        step: _step(world, step, plan, trainer_image, deployed) for step in (ASSEMBLE, TRAIN, JUDGE)
    }
    for step in (ASSEMBLE, JUDGE):
        steps[step]["volumeMounts"] += [mount for _, mount in claims]
    labels = {RUN_LABEL: child_name(world.name)}
    queue = {QUEUE_LABEL: spec.queueName} if spec.queueName else {}
    job = child(JOB, world, child_name(world.name), {**labels, **queue})
    job["spec"] = {
        # Whoever keeps the queue lets it go on. A Job is never written again, so nobody undoes it.
        **({"suspend": True} if queue else {}),
        "ttlSecondsAfterFinished": spec.ttlSecondsAfterFinished,
        **step_job_spec(
            model=world.model,
            steps=[steps[ASSEMBLE], steps[TRAIN], steps[JUDGE]],
            volumes=[
                *({"name": name, "emptyDir": {}} for name in ("input", "holdout", "output")),
                {"name": "tmp", "emptyDir": {}},
                *(volume for volume, _ in claims),
            ],
            labels=labels,
            annotations={RUN_ANNOTATION: world.name},
            scheduling=spec.scheduling,
            pull_secrets=spec.imagePullSecrets,
            deadline_seconds=spec.activeDeadlineSeconds,
        ),
    }
    return job


def _step(
    world: TrainingWorld, step: str, plan: Plan, trainer_image: str, deployed: ModelDeploymentSpec
) -> Object:
    image = world.spec.image if step == TRAIN else None
    resources = world.spec.resources.model_dump(exclude_none=True)
    container = step_container(
        step,
        image or trainer_image,
        plan,
        resources if step == TRAIN else without_devices(resources),
    )
    container["volumeMounts"] = [
        *({"name": name, "mountPath": path} for name, path in _FOLDERS[step].items()),
        {"name": "tmp", "mountPath": TMP},
    ]
    if image:
        # Whose it is may write where it likes.
        container["securityContext"] = confined(read_only=False)
    else:
        container["args"] = [step]
    if step == TRAIN:
        container["ports"] = [{"name": "progress", "containerPort": PROGRESS_PORT}]
    secret = world.spec.secretRef or deployed.model.secretRef
    if secret and step != TRAIN:
        container["envFrom"] = [{"secretRef": {"name": secret.name}}]
    return container


def _claims(
    deployed: ModelDeploymentSpec, champion: ModelReference
) -> tuple[str | None, list[tuple[Object, Object]]]:
    """Where the captured files lie for a container, and the volumes with their mounts."""
    capture = deployed.monitoring.capture if deployed.monitoring else None
    captured, capture_claim = locate(capture.uri, _CAPTURE) if capture else (None, None)
    _, model_claim = locate(champion.uri, _MODEL)
    claims: list[tuple[Object, Object]] = []
    for name, claim, path in (
        ("capture", capture_claim, _CAPTURE),
        ("model", model_claim, _MODEL),
    ):
        if claim:
            mount = {"name": name, "mountPath": path, "readOnly": True}
            claims.append(({"name": name, **claim}, mount))
    return captured, claims
