"""What runs the training step of a RetrainJob: a Job of one pod, or a TrainJob of Kubeflow."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from .common import ApiModel, ObjectName, rules

_SIZE = "string(self).matches('^[1-9][0-9]{0,11}(k|M|G|T|Ki|Mi|Gi|Ti)?$')"
_NEEDS = "backend: TrainJob needs runtimeRef.name and workspace.size"
_ONLY = "backend: runtimeRef, workspace, nodes and command are for type: TrainJob; add it"
_SHARED = "backend.nodes: several nodes share the workspace; add accessModes: [ReadWriteMany]"


class RuntimeReference(ApiModel):
    """A runtime of Kubeflow Trainer."""

    name: ObjectName
    """Name of the runtime, such as torch-distributed. Its job and its container are called node."""
    kind: Literal["ClusterTrainingRuntime", "TrainingRuntime"] = "ClusterTrainingRuntime"
    """A TrainingRuntime is looked for in this namespace."""


class Workspace(ApiModel):
    """The volume through which the steps hand on their files. It goes when the pods of the run
    go."""

    size: Annotated[
        int | Annotated[str, Field(max_length=14)],
        Field(json_schema_extra=rules((_SIZE, "expected a size in bytes such as 20Gi"))),
    ]
    """How much room is asked for, such as 20Gi."""
    storageClassName: Annotated[str | None, Field(max_length=253)] = None
    """StorageClass of the claim; the cluster's own where absent."""
    accessModes: Annotated[
        list[Literal["ReadWriteOnce", "ReadWriteMany"]],
        Field(default_factory=lambda: ["ReadWriteOnce"], min_length=1, max_length=2),
    ]
    """ReadWriteMany where several nodes train."""


class Backend(ApiModel):
    """What runs the training step."""

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
    """Job: one pod. TrainJob: Kubeflow Trainer runs the training, on one node or many, and a Job
    before and one after it assemble and judge."""
    runtimeRef: RuntimeReference | None = None
    """The runtime that the TrainJob is made from."""
    nodes: Annotated[int, Field(ge=1, le=1000)] = 1
    """Nodes that train; each gets spec.resources. All find the rows, and one of them leaves the
    model."""
    command: Annotated[
        list[Annotated[str, Field(max_length=4096)]] | None, Field(min_length=1, max_length=64)
    ] = None
    """What is run in spec.image, such as [torchrun, train.py]; what the runtime or the image says
    where absent."""
    workspace: Workspace | None = None
    """The volume through which the steps hand on their files."""
