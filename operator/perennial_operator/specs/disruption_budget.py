"""Build the PodDisruptionBudget: a drain evicts one serving replica at a time."""

from ..names import child_name, revision_selector
from ..objects import DISRUPTION_BUDGET, Object
from ..world import World
from .metadata import child


def build(world: World, revision: str) -> Object:
    """Return a PodDisruptionBudget for the revision that receives the traffic.

    It limits how many pods may be unavailable instead of how many must be available. So a model
    with one replica does not block the drain of its node.
    """
    return {
        **child(DISRUPTION_BUDGET, world, child_name(world.name)),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": revision_selector(world.name, revision)},
        },
    }
