"""The message classes, from compiled descriptors.

They have a descriptor pool of their own, because clients in the same process (in tests, in a
transformer) register the same names in protobuf's default pool. Descriptors, unlike generated code,
work with every version of protobuf.
"""

from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

PROTOS = Path(__file__).parent / "protos"
FILES = ("inference", "health", "reflection_v1", "reflection_v1alpha")

POOL = DescriptorPool()
for _name in FILES:
    POOL.AddSerializedFile((PROTOS / f"{_name}.binpb").read_bytes())

INFERENCE_SERVICE = "inference.GRPCInferenceService"
HEALTH_SERVICE = "grpc.health.v1.Health"
REFLECTION_SERVICES = (
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
)
SERVICES = (INFERENCE_SERVICE, HEALTH_SERVICE, *REFLECTION_SERVICES)


def message_class(name: str) -> Any:
    """Return the class of a message, by its full name."""
    return GetMessageClass(POOL.FindMessageTypeByName(name))
