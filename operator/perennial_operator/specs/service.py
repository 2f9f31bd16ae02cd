"""Build the Service of a model. It always selects one revision."""

from ..names import child_name, revision_selector
from ..objects import SERVICE, Object
from ..world import World
from .metadata import child
from .pod import HTTP_PORT_NAME

PORT = 80
GRPC_PORT = 8081
"""Both ports lead to the same port of the pods, which serves HTTP and gRPC. Service meshes and
clients choose the protocol by the name of the port and its appProtocol."""


def build(world: World, revision: str) -> Object:
    """Return a Service for the pods of one revision. A promotion changes its selector."""
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
    """Return the URL of the Service inside the cluster."""
    return f"http://{child_name(world.name)}.{world.namespace}.svc"
