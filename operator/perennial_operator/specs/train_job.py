"""Build the TrainJob of a run, which Kubeflow Trainer runs on one or more nodes.

A TrainJob can set the image, the command and the environment of the container of its training
runtime, and patch volumes, mounts and security of the pods. The training runtime determines
everything else. Trainer calls both the job and the container ``node``.
"""

from perennial_contracts.wire.run_plan import TRAIN, Plan

from ..names import RUN_ANNOTATION, RUN_LABEL, STEP_LABEL, child_name, model_labels
from ..objects import TRAIN_JOB, Object
from ..world import RunWorld
from . import workspace
from .metadata import child
from .pod_parts import TMP, confined, hardened
from .step_job import step_environment

NODE = "node"
"""Name of the job and of the container that train."""
_TRAINER = "perennial-trainer"
_NAME_LIMIT = 40
"""The names of the pods, which must be DNS labels, are longer than that of their TrainJob."""
_PATCHABLE = ("nodeSelector", "affinity", "tolerations")


def job_name(world: RunWorld) -> str:
    """Return the name of the TrainJob of a run."""
    return child_name(world.name, limit=_NAME_LIMIT)


def build(world: RunWorld, plan: Plan, trainer_image: str, deadline_seconds: int) -> Object:
    """Return the TrainJob.

    Args:
        world: the run.
        plan: the plan of the run.
        trainer_image: the image that trains if the spec names none.
        deadline_seconds: longest duration of the TrainJob.
    """
    spec = world.spec
    backend = spec.backend
    assert backend.runtimeRef is not None
    own = {"command": backend.command} if backend.command else {}
    trainer: Object = {
        "image": spec.image or trainer_image,
        # The command of the training runtime is for images of its own kind.
        **(own if spec.image else {"command": [_TRAINER], "args": [TRAIN]}),
        "numNodes": backend.nodes,
        "env": step_environment(plan),
    }
    if resources := spec.resources.model_dump(exclude_none=True):
        trainer["resourcesPerNode"] = resources
    job = child(TRAIN_JOB, world, job_name(world))
    job["spec"] = {
        "runtimeRef": {
            "apiGroup": TRAIN_JOB.group,
            "kind": backend.runtimeRef.kind,
            "name": backend.runtimeRef.name,
        },
        "trainer": trainer,
        "activeDeadlineSeconds": deadline_seconds,
        "runtimePatches": [
            {
                "manager": "perennial.dev/operator",
                "trainingRuntimeSpec": {
                    "template": {
                        "spec": {
                            "replicatedJobs": [
                                {"name": NODE, "template": {"spec": {"template": _pod(world)}}}
                            ]
                        }
                    }
                },
            }
        ],
    }
    return job


def _pod(world: RunWorld) -> Object:
    spec = world.spec
    scheduling = spec.scheduling.model_dump(exclude_none=True)
    safety = hardened(child_name(world.model))
    pod: Object = {
        **{name: safety[name] for name in ("serviceAccountName", "securityContext")},
        "volumes": [workspace.volume(world), {"name": "tmp", "emptyDir": {}}],
        "containers": [
            {
                "name": NODE,
                "volumeMounts": [*workspace.mounts(TRAIN), {"name": "tmp", "mountPath": TMP}],
                # A custom image may need to write anywhere.
                "securityContext": confined(read_only=not spec.image),
            }
        ],
        **{name: scheduling[name] for name in _PATCHABLE if name in scheduling},
    }
    if spec.imagePullSecrets:
        pod["imagePullSecrets"] = [secret.model_dump() for secret in spec.imagePullSecrets]
    return {
        "metadata": {
            "labels": {
                **model_labels(world.model),
                RUN_LABEL: child_name(world.name),
                STEP_LABEL: TRAIN,
            },
            "annotations": {RUN_ANNOTATION: world.name},
        },
        "spec": pod,
    }
