"""The message classes, from compiled descriptors.

They have a descriptor pool of their own, because TensorFlow in the same process registers the same
names in protobuf's default pool. Descriptors, unlike generated code, work with every version of
protobuf.
"""

from pathlib import Path
from typing import Any

from google.protobuf import any_pb2, wrappers_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

DESCRIPTORS = Path(__file__).parent / "protos" / "descriptors.binpb"

PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
MODEL_SERVICE = "tensorflow.serving.ModelService"
SERVICES = (PREDICTION_SERVICE, MODEL_SERVICE)


POOL = DescriptorPool()
for _import in (any_pb2, wrappers_pb2):
    POOL.AddSerializedFile(_import.DESCRIPTOR.serialized_pb)
_COMPILED = FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file
for _file in _COMPILED:
    POOL.AddSerializedFile(_file.SerializeToString())

FILES = (
    any_pb2.DESCRIPTOR.name,
    wrappers_pb2.DESCRIPTOR.name,
    *(str(_file.name) for _file in _COMPILED),
)
"""Names of the files, with those of their imports."""


def message_class(name: str) -> Any:
    """Return the class of a message, by its full name."""
    return GetMessageClass(POOL.FindMessageTypeByName(name))
