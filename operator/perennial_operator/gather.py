"""From the cache to the world of one ModelDeployment."""

from perennial_contracts.api import PAUSED_ANNOTATION
from perennial_contracts.modeldeployment import ModelDeploymentSpec, ModelDeploymentStatus

from .cache import Cache
from .names import OWNER_ANNOTATION
from .objects import MODEL_DEPLOYMENT, POD, Key, Object, is_owned_by, name_of
from .world import World


def gather(cache: Cache, key: Key) -> World | None:
    """The world of a key; None where there is nothing to do: gone, going, or paused."""
    resource = cache.get(MODEL_DEPLOYMENT, key.namespace, key.name)
    if not resource or "deletionTimestamp" in resource["metadata"] or _is_paused(resource):
        return None
    metadata = resource["metadata"]
    children: dict[tuple[str, str], Object] = {}
    pods: list[Object] = []
    for kind, obj in cache.belonging_to(key):
        if kind == POD.name:
            if (obj["metadata"].get("annotations") or {}).get(OWNER_ANNOTATION) == key.name:
                pods.append(obj)
        elif is_owned_by(obj, metadata["uid"]):
            children[kind, name_of(obj)] = obj
    return World(
        namespace=key.namespace,
        name=key.name,
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        spec=ModelDeploymentSpec.model_validate(resource["spec"]),
        status=ModelDeploymentStatus.model_validate(resource.get("status") or {}),
        children=children,
        pods=tuple(sorted(pods, key=name_of)),
    )


def _is_paused(resource: Object) -> bool:
    annotations = resource["metadata"].get("annotations") or {}
    return bool(annotations.get(PAUSED_ANNOTATION) == "true")
