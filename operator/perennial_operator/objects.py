"""Kubernetes objects as plain dictionaries, and the kinds that the operator knows."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from perennial_contracts.api import modeldeployment, retrainjob
from perennial_contracts.api.common import GROUP, VERSION

Object = dict[str, Any]
"""A Kubernetes object, decoded from JSON."""


@dataclass(frozen=True)
class Kind:
    """A kind and its location in the API."""

    group: str
    version: str
    name: str
    plural: str

    @property
    def api_version(self) -> str:
        """Group and version, as objects name them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None, name: str = "", subresource: str = "") -> str:
        """Return the URL path of an object; of the collection if there is no name."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if namespace is not None:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)


MODEL_DEPLOYMENT = Kind(GROUP, VERSION, modeldeployment.KIND, modeldeployment.PLURAL)
RETRAIN_JOB = Kind(GROUP, VERSION, retrainjob.KIND, retrainjob.PLURAL)
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
SERVICE = Kind("", "v1", "Service", "services")
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts")
DISRUPTION_BUDGET = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
JOB = Kind("batch", "v1", "Job", "jobs")
POD = Kind("", "v1", "Pod", "pods")
CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
TRAIN_JOB = Kind("trainer.kubeflow.org", "v1alpha1", "TrainJob", "trainjobs")
EVENT = Kind("", "v1", "Event", "events")

RESOURCE_KINDS = (MODEL_DEPLOYMENT, RETRAIN_JOB)
"""The kinds that the operator reconciles."""
CHILD_KINDS = (SERVICE_ACCOUNT, SERVICE, DISRUPTION_BUDGET, DEPLOYMENT, JOB)
"""The kinds that the operator creates, RetrainJobs aside. Watches select them by their labels."""
UNWATCHED_KINDS = (CLAIM, TRAIN_JOB)
"""The kinds that a RetrainJob's backend may create. They are not watched, since TrainJobs exist
only if Kubeflow Trainer is installed. The operator gets them by name when a decision needs them."""

KIND_BY_NAME = {kind.name: kind for kind in (*RESOURCE_KINDS, *CHILD_KINDS, *UNWATCHED_KINDS, POD)}


class Key(NamedTuple):
    """Namespace, name and kind of a resource: the unit of reconciliation."""

    namespace: str
    name: str
    kind: str = MODEL_DEPLOYMENT.name

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def name_of(obj: Object) -> str:
    """Return the name of an object."""
    name: str = obj["metadata"]["name"]
    return name


def labels_of(obj: Object) -> dict[str, str]:
    """Return the labels of an object."""
    return obj["metadata"].get("labels") or {}


def annotations_of(obj: Object) -> dict[str, str]:
    """Return the annotations of an object."""
    return obj["metadata"].get("annotations") or {}


def is_owned_by(obj: Object, uid: str) -> bool:
    """Return whether the resource with a uid is the controller of an object."""
    return any(
        owner.get("controller") and owner.get("uid") == uid
        for owner in obj["metadata"].get("ownerReferences") or ()
    )
