"""Settings of pods, named as in a pod: resources, scheduling, pull secrets."""

from typing import Annotated, Any, Literal

from pydantic import Field

from .common import ApiModel, LocalReference, list_map, rules

Quantities = Annotated[
    dict[Annotated[str, Field(max_length=317)], int | Annotated[str, Field(max_length=64)]],
    Field(max_length=16),
]


class Resources(ApiModel):
    """Compute resources of a container, as in a pod."""

    requests: Quantities | None = None
    """Amounts that the scheduler reserves, such as cpu: 500m."""
    limits: Quantities | None = None
    """Largest amounts that the container may use, such as nvidia.com/gpu: 1."""


class Toleration(ApiModel):
    """Toleration, as in a pod."""

    key: Annotated[str | None, Field(max_length=316)] = None
    """Key of the taint. If unset, all keys match."""
    operator: Literal["Exists", "Equal"] | None = None
    """Exists or Equal. Defaults to Equal."""
    value: Annotated[str | None, Field(max_length=63)] = None
    """Value of the taint, for Equal."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint. If unset, all effects match."""
    tolerationSeconds: Annotated[int | None, Field(ge=0)] = None
    """Seconds for which a NoExecute taint is tolerated. If unset, forever."""


class Scheduling(ApiModel):
    """Constraints for the nodes of the pods."""

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
    """Name of the PriorityClass of the pods."""
    runtimeClassName: Annotated[str | None, Field(max_length=253)] = None
    """Name of the RuntimeClass of the pods."""


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
                "{path}.limits[nvidia.com/gpu]: expected a whole number of GPUs, such as 1",
            ),
            (
                "!has(self.requests) || !('nvidia.com/gpu' in self.requests) || "
                "(has(self.limits) && 'nvidia.com/gpu' in self.limits && "
                "string(self.limits['nvidia.com/gpu']) == "
                "string(self.requests['nvidia.com/gpu']))",
                "{path}.requests[nvidia.com/gpu]: expected the same number as in limits. "
                "Set GPUs under limits only",
            ),
        ),
    ),
]
