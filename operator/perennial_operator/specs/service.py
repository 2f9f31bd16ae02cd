"""The address of a model: it always leads to one revision."""

from ..names import child_name, revision_selector
from ..objects import SERVICE, Object
from ..world import World
from .metadata import child
from .pod import HTTP_PORT_NAME

PORT = 80
GRPC_PORT = 8081
"""Both lead to one port of the pods, which speaks HTTP and gRPC; the name and the protocol tell
meshes and clients what to speak."""


def build(world: World, revision: str) -> Object:
    """A Service that selects the pods of one revision; promotion is a change of its selector."""
    return {
        **child(SERVICE, world, child_name(world.name)),
        "spec": {
            "type": "ClusterIP",
            "selector": revision_selector(world.name, revision),
            "ports": [
                {
                    "name": "http",
                    "port": PORT,
                    "protocol": "TCP",
                    "targetPort": HTTP_PORT_NAME,
                    "appProtocol": "http",
                },
                {
                    "name": "grpc",
                    "port": GRPC_PORT,
                    "protocol": "TCP",
                    "targetPort": HTTP_PORT_NAME,
                    "appProtocol": "kubernetes.io/h2c",
                },
            ],
        },
    }


def url(world: World) -> str:
    """Where the Service answers inside the cluster."""
    return f"http://{child_name(world.name)}.{world.namespace}.svc"
