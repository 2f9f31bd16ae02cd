"""The metadata that every child has."""

from ..names import model_labels
from ..objects import MODEL_DEPLOYMENT, Kind, Object
from ..world import World


def child(kind: Kind, world: World, name: str, labels: dict[str, str] | None = None) -> Object:
    """A child without its spec; it goes when its ModelDeployment goes."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {
            "name": name,
            "namespace": world.namespace,
            "labels": {**model_labels(world.name), **(labels or {})},
            "ownerReferences": [
                {
                    "apiVersion": MODEL_DEPLOYMENT.api_version,
                    "kind": MODEL_DEPLOYMENT.name,
                    "name": world.name,
                    "uid": world.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
    }
