"""The claim through which the steps of a run hand on their files, where they are several pods."""

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
from ..world import TrainingWorld
from .metadata import child

FOLDERS = {
    ASSEMBLE: {"input": INPUT_FOLDER, "holdout": HOLDOUT_FOLDER},
    # Training cannot see what the models are judged on.
    TRAIN: {"input": INPUT_FOLDER, "output": OUTPUT_FOLDER},
    JUDGE: {"input": INPUT_FOLDER, "holdout": HOLDOUT_FOLDER, "output": OUTPUT_FOLDER},
}
"""What each step finds where, by the name of the volume or of the folder in the claim."""
VOLUME = "work"
_ROOT = "/perennial"
"""All folders of the steps lie here."""
_SHARED = "shared"
"""The folder of the claim that training sees."""


def claim_name(world: TrainingWorld) -> str:
    return child_name(world.name, "work")


def build(world: TrainingWorld, workspace: Workspace) -> Object:
    """The claim. It goes with the run, and when no pod of the run is left."""
    spec: Object = {
        "accessModes": list(workspace.accessModes),
        "resources": {"requests": {"storage": str(workspace.size)}},
    }
    if workspace.storageClassName is not None:
        spec["storageClassName"] = workspace.storageClassName
    return {**child(CLAIM, world, claim_name(world)), "spec": spec}


def volume(world: TrainingWorld) -> Object:
    """The claim as a volume of a pod."""
    return {"name": VOLUME, "persistentVolumeClaim": {"claimName": claim_name(world)}}


def mounts(step: str) -> list[Object]:
    """Where a step finds its folders of the claim.

    Training has one mount: a TrainJob takes no second one of the same volume. Assembling mounts
    the output as well, so that the folder is there.
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
