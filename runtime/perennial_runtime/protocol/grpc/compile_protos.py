"""Compile ``protos/*.proto`` to the descriptors beside them. Needs grpcio-tools.

``python -m perennial_runtime.protocol.grpc.compile_protos`` writes them, ``--check`` only compares.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from .schema import FILES, PROTOS


def compiled(name: str) -> FileDescriptorProto:
    """Return the descriptor of one file, by its name without the suffix."""
    from grpc_tools import protoc  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "set"
        source = f"{name}.proto"
        if protoc.main(["protoc", f"-I{PROTOS}", f"--descriptor_set_out={target}", source]) != 0:
            raise SystemExit(f"{source}: protoc failed; see its message above")
        (file,) = FileDescriptorSet.FromString(target.read_bytes()).file
    return file


def stale() -> list[str]:
    """Return the names of the files whose descriptors are not up to date."""
    return [
        name
        for name in FILES
        if FileDescriptorProto.FromString((PROTOS / f"{name}.binpb").read_bytes()) != compiled(name)
    ]


def main() -> int:
    """Write the descriptors, or compare them; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="compare, and fail if a descriptor is out of date"
    )
    if parser.parse_args().check:
        names = stale()
        for name in names:
            print(f"{name}.binpb differs from {name}.proto. Fix: run this without --check")
        return 1 if names else 0
    for name in FILES:
        (PROTOS / f"{name}.binpb").write_bytes(compiled(name).SerializeToString(deterministic=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
