"""Compile ``protos/*.proto`` to the descriptors beside them. Needs grpcio-tools.

``python -m perennial_runtime.protocol.tfs_grpc.compile_protos``
"""

import tempfile
from importlib import resources
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

PROTOS = Path(__file__).parent / "protos"
FILES = ("tensorflow.proto", "tensorflow_error.proto", "tensorflow_serving.proto")
"""Files in the order of their imports."""


def compiled() -> FileDescriptorSet:
    """Return the descriptors of the present files."""
    from grpc_tools import protoc  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "set"
        paths = [f"-I{PROTOS}", f"-I{resources.files('grpc_tools') / '_proto'}"]
        if protoc.main(["protoc", *paths, f"--descriptor_set_out={target}", *FILES]) != 0:
            raise SystemExit("protoc failed; see its message above")
        return FileDescriptorSet.FromString(target.read_bytes())


if __name__ == "__main__":
    data = compiled().SerializeToString(deterministic=True)
    (PROTOS / "descriptors.binpb").write_bytes(data)
