"""What a spec says about pods, in the words of a pod: resources, placement, pull secrets."""

from typing import Annotated, Any, Literal

from pydantic import Field

from .common import ApiModel, LocalReference, list_map, rules

Quantities = Annotated[
    dict[Annotated[str, Field(max_length=317)], int | Annotated[str, Field(max_length=64)]],
    Field(max_length=16),
]


class Resources(ApiModel):
    """Compute resources of each replica, as in a container."""

    requests: Quantities | None = None
    """What the scheduler sets aside."""
    limits: Quantities | None = None
    """What a replica may not exceed. GPUs are asked for here: nvidia.com/gpu: 1."""


class Toleration(ApiModel):
    """Lets the pods onto nodes with a taint, as in a pod."""

    key: Annotated[str | None, Field(max_length=316)] = None
    """Taint key; all keys where absent."""
    operator: Literal["Exists", "Equal"] | None = None
    """Exists or Equal (the default)."""
    value: Annotated[str | None, Field(max_length=63)] = None
    """Taint value to match."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Taint effect to match; all effects where absent."""
    tolerationSeconds: Annotated[int | None, Field(ge=0)] = None
    """How long a NoExecute taint is tolerated."""


class Scheduling(ApiModel):
    """Where the pods may run."""

    nodeSelector: Annotated[
        dict[Annotated[str, Field(max_length=317)], Annotated[str, Field(max_length=63)]] | None,
        Field(max_length=32),
    ] = None
    """Labels that a node must have."""
    tolerations: Annotated[list[Toleration] | None, Field(max_length=32)] = None
    """Taints that the pods tolerate."""
    affinity: Annotated[
        dict[str, Any] | None,
        Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True}),
    ] = None
    """Node and pod affinity, as in a pod."""
    priorityClassName: Annotated[str | None, Field(max_length=253)] = None
    """PriorityClass of the pods."""
    runtimeClassName: Annotated[str | None, Field(max_length=253)] = None
    """RuntimeClass of the pods."""


PullSecrets = Annotated[
    list[LocalReference] | None,
    Field(max_length=8, json_schema_extra=list_map("name")),
]
PodResources = Annotated[
    Resources,
    Field(
        default_factory=Resources,
        json_schema_extra=rules(
            (
                "!has(self.limits) || !('nvidia.com/gpu' in self.limits) || "
                "string(self.limits['nvidia.com/gpu']).matches('^[0-9]+$')",
                "nvidia.com/gpu: expected a whole number of GPUs, such as 1",
            ),
            (
                "!has(self.requests) || !('nvidia.com/gpu' in self.requests) || "
                "(has(self.limits) && 'nvidia.com/gpu' in self.limits && "
                "string(self.limits['nvidia.com/gpu']) == "
                "string(self.requests['nvidia.com/gpu']))",
                "nvidia.com/gpu: expected the same number under limits; "
                "write GPUs under limits only",
            ),
        ),
    ),
]
