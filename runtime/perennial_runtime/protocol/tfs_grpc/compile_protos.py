"""Compiles ``protos/*.proto`` into the descriptors beside them. Needs grpcio-tools.

``python -m perennial_runtime.protocol.tfs_grpc.compile_protos``
"""

import tempfile
from importlib import resources
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

PROTOS = Path(__file__).parent / "protos"
FILES = ("tensorflow.proto", "tensorflow_error.proto", "tensorflow_serving.proto")
"""Each before those that import it."""


def compiled() -> FileDescriptorSet:
    """The descriptors as the files say now."""
    from grpc_tools import protoc  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "set"
        paths = [f"-I{PROTOS}", f"-I{resources.files('grpc_tools') / '_proto'}"]
        if protoc.main(["protoc", *paths, f"--descriptor_set_out={target}", *FILES]) != 0:
            raise SystemExit("protoc says above what is wrong")
        return FileDescriptorSet.FromString(target.read_bytes())


if __name__ == "__main__":
    data = compiled().SerializeToString(deterministic=True)
    (PROTOS / "descriptors.binpb").write_bytes(data)
