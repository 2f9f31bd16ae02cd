"""Never more than one serving replica away at a time, when nodes are drained."""

from ..names import child_name, revision_selector
from ..objects import DISRUPTION_BUDGET, Object
from ..world import World
from .metadata import child


def build(world: World, revision: str) -> Object:
    """A PodDisruptionBudget over the revision that gets the traffic.

    It counts what may be away and not what must be there, so that a model with one replica does
    not block the drain of its node.
    """
    return {
        **child(DISRUPTION_BUDGET, world, child_name(world.name)),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": revision_selector(world.name, revision)},
        },
    }
