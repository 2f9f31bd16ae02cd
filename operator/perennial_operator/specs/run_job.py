"""Build the Jobs of a run.

One Job assembles the rows, trains a challenger and judges it in one pod. If a TrainJob trains,
there is a Job that assembles and another one that judges.
"""

from perennial_contracts.api.common import LocalReference
from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.api.retrainjob_status import ModelReference
from perennial_contracts.wire.run_plan import ASSEMBLE, JUDGE, PROGRESS_PORT, TRAIN, Plan

from ..names import RUN_ANNOTATION, RUN_LABEL, STEP_LABEL, child_name
from ..objects import JOB, Object
from ..world import RunWorld
from . import run_plan, workspace
from .metadata import child
from .pod_parts import TMP, confined, pull_secrets, without_devices
from .step_job import step_container, step_job_spec

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
_TMP_VOLUME: Object = {"name": "tmp", "emptyDir": {}}


def step_name(world: RunWorld, step: str) -> str:
    """Return the name of the Job of a step. The first one has the name of the run."""
    return child_name(world.name, "" if step == ASSEMBLE else step)


def build(
    world: RunWorld,
    deployed: ModelDeploymentSpec,
    champion: ModelReference,
    trainer_image: str,
    now: str,
) -> Object:
    """Return the Job of all steps. They run one after the other until one fails."""
    spec = world.spec
    plan = run_plan.build(world, deployed, champion, now)
    claims = run_plan.claims(deployed, champion)
    secret = spec.secretRef or deployed.model.secretRef
    steps = {
        step: _step(world, step, plan, trainer_image, secret) for step in (ASSEMBLE, TRAIN, JUDGE)
    }
    for step, container in steps.items():
        container["volumeMounts"] += [
            {"name": name, "mountPath": path} for name, path in workspace.FOLDERS[step].items()
        ]
        if step != TRAIN:
            container["volumeMounts"] += [mount for _, mount in claims]
    queue = {QUEUE_LABEL: spec.queueName} if spec.queueName else {}
    job = child(JOB, world, child_name(world.name), {RUN_LABEL: child_name(world.name), **queue})
    job["spec"] = {
        # Kueue resumes the Job. The operator never updates a Job, so it does not undo that.
        **({"suspend": True} if queue else {}),
        "ttlSecondsAfterFinished": spec.ttlSecondsAfterFinished,
        **_job_spec(
            world,
            [steps[ASSEMBLE], steps[TRAIN], steps[JUDGE]],
            [
                *({"name": name, "emptyDir": {}} for name in ("input", "holdout", "output")),
                _TMP_VOLUME,
                *(volume for volume, _ in claims),
            ],
            {},
            spec.activeDeadlineSeconds,
            _pull_secrets(world, deployed, champion),
        ),
    }
    return job


def build_step(
    world: RunWorld,
    step: str,
    deployed: ModelDeploymentSpec,
    champion: ModelReference,
    trainer_image: str,
    now: str,
    deadline_seconds: int,
) -> Object:
    """Return the Job of one step, whose files are in the claim.

    It has no time to live, since the next step starts only if this Job exists. The operator deletes
    it.
    """
    plan = run_plan.build(world, deployed, champion, now)
    claims = run_plan.claims(deployed, champion)
    secret = world.spec.secretRef or deployed.model.secretRef
    container = _step(world, step, plan, trainer_image, secret)
    container["volumeMounts"] += [*workspace.mounts(step), *(mount for _, mount in claims)]
    job = child(JOB, world, step_name(world, step), {RUN_LABEL: child_name(world.name)})
    volumes = [workspace.volume(world), _TMP_VOLUME, *(volume for volume, _ in claims)]
    secrets = _pull_secrets(world, deployed, champion)
    labels = {STEP_LABEL: step}
    job["spec"] = _job_spec(world, [container], volumes, labels, deadline_seconds, secrets)
    return job


def _job_spec(
    world: RunWorld,
    containers: list[Object],
    volumes: list[Object],
    labels: dict[str, str],
    deadline_seconds: int,
    secrets: list[LocalReference],
) -> Object:
    return step_job_spec(
        model=world.model,
        steps=containers,
        volumes=volumes,
        labels={RUN_LABEL: child_name(world.name), **labels},
        annotations={RUN_ANNOTATION: world.name},
        scheduling=world.spec.scheduling,
        pull_secrets=secrets,
        deadline_seconds=deadline_seconds,
    )


def _pull_secrets(
    world: RunWorld, deployed: ModelDeploymentSpec, champion: ModelReference
) -> list[LocalReference]:
    return pull_secrets(
        champion.uri, world.spec.imagePullSecrets, deployed.serving.imagePullSecrets
    )


def _step(
    world: RunWorld, step: str, plan: Plan, trainer_image: str, secret: LocalReference | None
) -> Object:
    image = world.spec.image if step == TRAIN else None
    resources = world.spec.resources.model_dump(exclude_none=True)
    container = step_container(
        step,
        image or trainer_image,
        plan,
        resources if step == TRAIN else without_devices(resources),
    )
    container["volumeMounts"] = [{"name": "tmp", "mountPath": TMP}]
    if image:
        # A custom image may need to write anywhere.
        container["securityContext"] = confined(read_only=False)
    else:
        container["args"] = [step]
    if step == TRAIN:
        container["ports"] = [{"name": "progress", "containerPort": PROGRESS_PORT}]
    elif secret:
        container["envFrom"] = [{"secretRef": {"name": secret.name}}]
    return container
