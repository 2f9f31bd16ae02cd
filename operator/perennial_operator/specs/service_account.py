"""Build the ServiceAccount of a model's pods, which has no rights."""

from ..names import child_name
from ..objects import SERVICE_ACCOUNT, Object
from ..world import World
from .metadata import child


def build(world: World) -> Object:
    """Return a ServiceAccount without rights, whose token is mounted nowhere."""
    return {
        **child(SERVICE_ACCOUNT, world, child_name(world.name)),
        "automountServiceAccountToken": False,
    }
