"""Compiles ``protos/*.proto`` into the descriptors beside them. Needs grpcio-tools.

``python -m perennial_runtime.protocol.grpc.compile_protos`` writes them, ``--check`` only compares.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from .schema import FILES, PROTOS


def compiled(name: str) -> FileDescriptorProto:
    """The descriptor of one file, by its name without the suffix."""
    from grpc_tools import protoc  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "set"
        source = f"{name}.proto"
        if protoc.main(["protoc", f"-I{PROTOS}", f"--descriptor_set_out={target}", source]) != 0:
            raise SystemExit(f"{source}: protoc says what is wrong with it, above")
        (file,) = FileDescriptorSet.FromString(target.read_bytes()).file
    return file


def stale() -> list[str]:
    """The names of those files whose descriptors say something else."""
    return [
        name
        for name in FILES
        if FileDescriptorProto.FromString((PROTOS / f"{name}.binpb").read_bytes()) != compiled(name)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    if parser.parse_args().check:
        names = stale()
        for name in names:
            print(f"{name}.binpb: not what {name}.proto says. Run this without --check")
        return 1 if names else 0
    for name in FILES:
        (PROTOS / f"{name}.binpb").write_bytes(compiled(name).SerializeToString(deterministic=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
