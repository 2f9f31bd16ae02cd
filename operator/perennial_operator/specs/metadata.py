"""The metadata that every child has."""

from ..names import model_labels
from ..objects import Kind, Object
from ..world import Resource


def child(kind: Kind, owner: Resource, name: str, labels: dict[str, str] | None = None) -> Object:
    """A child without its spec; it goes when its owner goes."""
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
