"""Build the metadata of every child."""

from ..names import model_labels
from ..objects import Kind, Object
from ..world import Resource


def child(kind: Kind, owner: Resource, name: str, labels: dict[str, str] | None = None) -> Object:
    """Return a child without its spec. Kubernetes deletes it together with its owner."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {
            "name": name,
            "namespace": owner.namespace,
            "labels": {**model_labels(owner.model), **(labels or {})},
            "ownerReferences": [
                {
                    "apiVersion": owner.kind.api_version,
                    "kind": owner.kind.name,
                    "name": owner.name,
                    "uid": owner.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
    }
