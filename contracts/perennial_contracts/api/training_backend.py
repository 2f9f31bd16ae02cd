"""Backend of a RetrainJob's training: a Job with one pod, or Kubeflow's TrainJob."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from .common import ApiModel, ObjectName, rules

_SIZE = "string(self).matches('^[1-9][0-9]{0,11}(k|M|G|T|Ki|Mi|Gi|Ti)?$')"
_NEEDS = "{path}: type: TrainJob requires runtimeRef.name and workspace.size"
_ONLY = (
    "{path}: runtimeRef, workspace, nodes and command require type: TrainJob. "
    "Set it, or remove them"
)
_SHARED = (
    "{path}.workspace.accessModes: expected [ReadWriteMany], because several nodes share the "
    "workspace"
)


class RuntimeReference(ApiModel):
    """Reference to a runtime of Kubeflow Trainer."""

    name: ObjectName
    """Name of the runtime, such as torch-distributed. Its job and its container must be named
    node."""
    kind: Literal["ClusterTrainingRuntime", "TrainingRuntime"] = "ClusterTrainingRuntime"
    """Kind of the runtime. A TrainingRuntime must be in the namespace of the RetrainJob."""


class Workspace(ApiModel):
    """Volume for the files between the steps, deleted with the pods of the run."""

    size: Annotated[
        int | Annotated[str, Field(max_length=14)],
        Field(json_schema_extra=rules((_SIZE, "expected a size in bytes such as 20Gi"))),
    ]
    """Requested size in bytes, such as 20Gi."""
    storageClassName: Annotated[str | None, Field(max_length=253)] = None
    """StorageClass of the volume claim. Defaults to the default class of the cluster."""
    accessModes: Annotated[
        list[Literal["ReadWriteOnce", "ReadWriteMany"]],
        Field(default_factory=lambda: ["ReadWriteOnce"], min_length=1, max_length=2),
    ]
    """Access modes of the volume claim. Several nodes require [ReadWriteMany]. Defaults to
    [ReadWriteOnce]."""


class TrainingBackend(ApiModel):
    """Backend of the training step."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("self.type != 'TrainJob' || (has(self.runtimeRef) && has(self.workspace))", _NEEDS),
            (
                "self.type == 'TrainJob' || !(has(self.runtimeRef) || has(self.workspace) || "
                "has(self.command) || self.nodes > 1)",
                _ONLY,
            ),
            (
                "self.nodes == 1 || !has(self.workspace) || "
                "'ReadWriteMany' in self.workspace.accessModes",
                _SHARED,
            ),
        )
    )

    type: Literal["Job", "TrainJob"] = "Job"
    """Job runs all steps in one pod. TrainJob runs the training with Kubeflow Trainer, on one or
    more nodes, between two Jobs for the other steps."""
    runtimeRef: RuntimeReference | None = None
    """Runtime of the TrainJob. Required for type: TrainJob."""
    nodes: Annotated[int, Field(ge=1, le=1000)] = 1
    """Number of nodes that train, each with the resources of the spec. All read the rows, and one
    writes the model."""
    command: Annotated[
        list[Annotated[str, Field(max_length=4096)]] | None, Field(min_length=1, max_length=64)
    ] = None
    """Command in the image, such as [torchrun, train.py]. Defaults to the command of the runtime or
    the image."""
    workspace: Workspace | None = None
    """Volume for the files between the steps. Required for type: TrainJob."""
