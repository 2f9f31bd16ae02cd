"""Everything that a decision may read about one resource: its world.

The world is gathered before anything is decided, and does not change during a decision.
"""

from dataclasses import dataclass, field

from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.retrainjob import RetrainJobSpec
from perennial_contracts.api.retrainjob_status import RetrainJobStatus
from perennial_contracts.wire.run_plan import Progress

from .monitoring.windows import Observation
from .names import REVISION_LABEL
from .objects import (
    DEPLOYMENT,
    JOB,
    MODEL_DEPLOYMENT,
    RETRAIN_JOB,
    Kind,
    Object,
    labels_of,
)


@dataclass(frozen=True)
class Resource:
    """A resource with its children and pods, as they were in the cache at one moment."""

    namespace: str
    name: str
    uid: str
    generation: int
    children: dict[tuple[str, str], Object] = field(default_factory=dict, kw_only=True)
    """Live children by (kind, name); only those that the resource controls."""
    pods: tuple[Object, ...] = field(default=(), kw_only=True)
    """Live pods of its children."""

    @property
    def kind(self) -> Kind:
        """Kind of the resource."""
        raise NotImplementedError

    @property
    def model(self) -> str:
        """Name of the ModelDeployment: the resource itself, or the one it refers to."""
        raise NotImplementedError

    def child(self, kind: Kind, name: str) -> Object | None:
        """Return a child by kind and name."""
        return self.children.get((kind.name, name))

    def jobs(self) -> list[Object]:
        """Return the Jobs among the children."""
        return self._children_of(JOB)

    def _children_of(self, kind: Kind) -> list[Object]:
        return [child for (name, _), child in self.children.items() if name == kind.name]


@dataclass(frozen=True)
class LiveRun:
    """A RetrainJob in the world of its ModelDeployment."""

    name: str
    created: str
    spec: RetrainJobSpec
    status: RetrainJobStatus


@dataclass(frozen=True)
class World(Resource):
    """The world of a ModelDeployment."""

    spec: ModelDeploymentSpec
    status: ModelDeploymentStatus
    annotations: dict[str, str] = field(default_factory=dict)
    runs: tuple[LiveRun, ...] = ()
    """The RetrainJobs that refer to it, created by the operator or by hand, oldest first."""
    observation: Observation | None = None
    """Recent counters of its pods; None if none were read since the operator started."""

    @property
    def kind(self) -> Kind:
        """ModelDeployment."""
        return MODEL_DEPLOYMENT

    @property
    def model(self) -> str:
        """Its own name."""
        return self.name

    def deployment_of(self, revision: str) -> Object | None:
        """Return the Deployment of a revision, found by its label."""
        for deployment in self._children_of(DEPLOYMENT):
            if labels_of(deployment).get(REVISION_LABEL) == revision:
                return deployment
        return None

    def pods_of(self, label: str, value: str) -> list[Object]:
        """Return the pods with a label, without those that are being deleted."""
        return [
            pod
            for pod in self.pods
            if labels_of(pod).get(label) == value and "deletionTimestamp" not in pod["metadata"]
        ]


@dataclass(frozen=True)
class RunWorld(Resource):
    """The world of a RetrainJob, including the ModelDeployment that it refers to."""

    spec: RetrainJobSpec
    status: RetrainJobStatus
    deployed: tuple[ModelDeploymentSpec, ModelDeploymentStatus] | None = None
    """Spec and status of the ModelDeployment; None if it does not exist."""
    progress: Progress | None = None
    """The latest report of its trainer; None if there is none."""
    missing_kinds: frozenset[str] = frozenset()
    """Kinds that were looked for and that the API server does not serve."""

    @property
    def kind(self) -> Kind:
        """RetrainJob."""
        return RETRAIN_JOB

    @property
    def model(self) -> str:
        """Name of the ModelDeployment that it refers to."""
        return self.spec.modelRef.name
