"""All that a decision may know about one resource, gathered before anything is decided."""

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
    """A resource with its children and pods, as the cache had them at one moment."""

    namespace: str
    name: str
    uid: str
    generation: int
    children: dict[tuple[str, str], Object] = field(default_factory=dict, kw_only=True)
    """Live children by (kind, name); only those that it controls."""
    pods: tuple[Object, ...] = field(default=(), kw_only=True)
    """Live pods that its children made."""

    @property
    def kind(self) -> Kind:
        raise NotImplementedError

    @property
    def model(self) -> str:
        """Name of the ModelDeployment that it is, or is about."""
        raise NotImplementedError

    def child(self, kind: Kind, name: str) -> Object | None:
        return self.children.get((kind.name, name))

    def jobs(self) -> list[Object]:
        return self._children_of(JOB)

    def _children_of(self, kind: Kind) -> list[Object]:
        return [child for (name, _), child in self.children.items() if name == kind.name]


@dataclass(frozen=True)
class LiveRun:
    """A RetrainJob as its ModelDeployment sees it."""

    name: str
    created: str
    spec: RetrainJobSpec
    status: RetrainJobStatus


@dataclass(frozen=True)
class World(Resource):
    """A ModelDeployment."""

    spec: ModelDeploymentSpec
    status: ModelDeploymentStatus
    annotations: dict[str, str] = field(default_factory=dict)
    runs: tuple[LiveRun, ...] = ()
    """The RetrainJobs that refer to it, its own and those made by hand, the oldest first."""
    observation: Observation | None = None
    """What its pods have counted lately; None where nothing is known yet."""

    @property
    def kind(self) -> Kind:
        return MODEL_DEPLOYMENT

    @property
    def model(self) -> str:
        return self.name

    def deployment_of(self, revision: str) -> Object | None:
        """The Deployment of a revision, found by its label."""
        for deployment in self._children_of(DEPLOYMENT):
            if labels_of(deployment).get(REVISION_LABEL) == revision:
                return deployment
        return None

    def pods_of(self, label: str, value: str) -> list[Object]:
        """Pods that carry a label, those being deleted left out."""
        return [
            pod
            for pod in self.pods
            if labels_of(pod).get(label) == value and "deletionTimestamp" not in pod["metadata"]
        ]


@dataclass(frozen=True)
class TrainingWorld(Resource):
    """A RetrainJob, with the ModelDeployment that it refers to."""

    spec: RetrainJobSpec
    status: RetrainJobStatus
    deployed: tuple[ModelDeploymentSpec, ModelDeploymentStatus] | None = None
    """Spec and status of the ModelDeployment; None where there is none."""
    progress: Progress | None = None
    """What its trainer said last; None where nothing is known."""
    unserved: frozenset[str] = frozenset()
    """Kinds that were asked for and that this cluster does not have."""

    @property
    def kind(self) -> Kind:
        return RETRAIN_JOB

    @property
    def model(self) -> str:
        return self.spec.modelRef.name
