"""Build the claim in which the steps of a run share files across their pods."""

from perennial_contracts.api.training_backend import Workspace
from perennial_contracts.wire.run_plan import (
    ASSEMBLE,
    HOLDOUT_FOLDER,
    INPUT_FOLDER,
    JUDGE,
    OUTPUT_FOLDER,
    TRAIN,
)

from ..names import child_name
from ..objects import CLAIM, Object
from ..world import RunWorld
from .metadata import child

FOLDERS = {
    ASSEMBLE: {"input": INPUT_FOLDER, "holdout": HOLDOUT_FOLDER},
    # Training must not see the rows that the models are judged on.
    TRAIN: {"input": INPUT_FOLDER, "output": OUTPUT_FOLDER},
    JUDGE: {"input": INPUT_FOLDER, "holdout": HOLDOUT_FOLDER, "output": OUTPUT_FOLDER},
}
"""Mount paths for each step, by the name of the volume or of the folder in the claim."""
VOLUME = "work"
_ROOT = "/perennial"
"""Parent of all folders of the steps."""
_SHARED = "shared"
"""The folder of the claim that training can read."""


def claim_name(world: RunWorld) -> str:
    """Return the name of the claim of a run."""
    return child_name(world.name, "work")


def build(world: RunWorld, workspace: Workspace) -> Object:
    """Return the claim. Kubernetes deletes it with the run, once no pod uses it."""
    spec: Object = {
        "accessModes": list(workspace.accessModes),
        "resources": {"requests": {"storage": str(workspace.size)}},
    }
    if workspace.storageClassName is not None:
        spec["storageClassName"] = workspace.storageClassName
    return {**child(CLAIM, world, claim_name(world)), "spec": spec}


def volume(world: RunWorld) -> Object:
    """Return the claim as a volume of a pod."""
    return {"name": VOLUME, "persistentVolumeClaim": {"claimName": claim_name(world)}}


def mounts(step: str) -> list[Object]:
    """Return the mounts of a step for its folders of the claim.

    Training has one mount, since a TrainJob allows only one mount for each volume. Assembling
    mounts the output folder too, which creates it.
    """
    if step == TRAIN:
        return [{"name": VOLUME, "mountPath": _ROOT, "subPath": _SHARED}]
    names = [*FOLDERS[step], "output"] if step == ASSEMBLE else list(FOLDERS[step])
    return [
        {
            "name": VOLUME,
            "mountPath": f"{_ROOT}/{name}",
            "subPath": name if name == "holdout" else f"{_SHARED}/{name}",
        }
        for name in names
    ]
