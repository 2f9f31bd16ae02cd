"""All that a decision may know about one ModelDeployment, gathered before anything is decided."""

from dataclasses import dataclass, field

from perennial_contracts.modeldeployment import ModelDeploymentSpec, ModelDeploymentStatus

from .names import REVISION_LABEL
from .objects import DEPLOYMENT, JOB, Kind, Object, labels_of


@dataclass(frozen=True)
class World:
    """A ModelDeployment with its children and pods, as the cache had them at one moment."""

    namespace: str
    name: str
    uid: str
    generation: int
    spec: ModelDeploymentSpec
    status: ModelDeploymentStatus
    children: dict[tuple[str, str], Object] = field(default_factory=dict)
    """Live children by (kind, name); only those that it controls."""
    pods: tuple[Object, ...] = ()
    """Live pods of its revisions and of its resolver."""

    def child(self, kind: Kind, name: str) -> Object | None:
        return self.children.get((kind.name, name))

    def deployment_of(self, revision: str) -> Object | None:
        """The Deployment of a revision, found by its label."""
        for deployment in self._children_of(DEPLOYMENT):
            if labels_of(deployment).get(REVISION_LABEL) == revision:
                return deployment
        return None

    def jobs(self) -> list[Object]:
        return self._children_of(JOB)

    def pods_of(self, label: str, value: str) -> list[Object]:
        """Pods that carry a label, those being deleted left out."""
        return [
            pod
            for pod in self.pods
            if labels_of(pod).get(label) == value and "deletionTimestamp" not in pod["metadata"]
        ]

    def _children_of(self, kind: Kind) -> list[Object]:
        return [child for (name, _), child in self.children.items() if name == kind.name]
