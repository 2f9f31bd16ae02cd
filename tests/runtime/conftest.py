"""Small real models, real servers in their own processes, and a faulty web server."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.runtime import Runtime, servers, without_settings
from support.stores import azure_server, s3_server, variables, web  # noqa: F401

from perennial_contracts.wire.bundle import Bundle, Tensor, describe_files


def to_bytes(nodes, inputs, outputs, initializers=(), opset=17) -> bytes:
    """Return an ONNX model of some nodes."""
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializer=list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return model.SerializeToString()


@pytest.fixture(scope="session")
def affine() -> bytes:
    """Y = 2 X + 1, for rows of two."""
    constants = [
        numpy_helper.from_array(np.array(2.0, dtype=np.float32), "two"),
        numpy_helper.from_array(np.array(1.0, dtype=np.float32), "one"),
    ]
    nodes = [
        helper.make_node("Mul", ["X", "two"], ["XX"]),
        helper.make_node("Add", ["XX", "one"], ["Y"]),
    ]
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 2])
    y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", 2])
    return to_bytes(nodes, [x], [y], constants)


@pytest.fixture(scope="session")
def identity() -> Callable[..., bytes]:
    """Function that builds a model whose outputs are its inputs.

    ``identity(a=(TensorProto.INT8, ["N"]), ...)`` has the output a_out for the input a.
    """

    def build(**tensors: tuple[int, list[Any]]) -> bytes:
        return to_bytes(
            [helper.make_node("Identity", [name], [f"{name}_out"]) for name in tensors],
            [helper.make_tensor_value_info(n, t, s) for n, (t, s) in tensors.items()],
            [helper.make_tensor_value_info(f"{n}_out", t, s) for n, (t, s) in tensors.items()],
        )

    return build


@pytest.fixture(scope="session")
def slow() -> bytes:
    """A product of two large matrices, repeated: about a tenth of a second and more."""
    weights = numpy_helper.from_array(np.full((600, 600), 1e-3, dtype=np.float32), "W")
    names = ["X", *(f"h{i}" for i in range(40)), "Y"]
    nodes = [helper.make_node("MatMul", [a, "W"], [b]) for a, b in pairwise(names)]
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 600])
    y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", 600])
    return to_bytes(nodes, [x], [y], [weights])


@pytest.fixture(scope="session")
def bundle_files(affine: bytes) -> dict[str, bytes]:
    """A bundle with one more file than the model, by path."""
    contents = {"model.onnx": affine, "notes/readme.txt": b"two times x plus one"}
    bundle = Bundle(
        files=describe_files(contents),
        inputs=[Tensor(name="X", datatype="FP32", shape=[-1, 2])],
        outputs=[Tensor(name="Y", datatype="FP32", shape=[-1, 2])],
    )
    return {**contents, "bundle.json": bundle.to_bytes()}


@pytest.fixture(scope="session")
def flights() -> Callable[..., dict[str, bytes]]:
    """Function that builds a bundle of a classifier.

    A row is late if amount + (1 if carrier is AA) > 0.

    Features: amount (FP32), carrier (BYTES), seats (INT64), shape [-1, 1], and weekend (BOOL),
    shape [-1]; the last two change nothing. ``flights(classes=["no", "yes"])`` returns texts;
    the fields of the manifest and of the profile can be changed; ``profile=None`` leaves it out.
    """

    def build(
        classes: list[Any] | None = None,
        profile: dict[str, Any] | str | None = "fitting",
        **manifest: Any,
    ) -> dict[str, bytes]:
        names = classes or [0, 1]
        contents = {"model.onnx": _late(names)}
        labels = [str(name) for name in names]
        if profile is not None:
            changes = {} if profile == "fitting" else profile
            contents["profile.json"] = json.dumps({**_profile(labels), **changes}).encode()
        fields = {"labels": labels, "positive": labels[1], **manifest}
        bundle = Bundle(files=describe_files(contents), **fields)
        return {**contents, "bundle.json": bundle.to_bytes()}

    return build


def _profile(labels: list[str]) -> dict[str, Any]:
    return {
        "rows": 100,
        "features": [
            {"name": "amount", "edges": [-1.0, 0.1], "counts": [30, 30, 30, 10]},
            {"name": "carrier", "categories": ["AA", "BB"], "counts": [40, 40, 10, 10]},
            {"name": "seats", "edges": [100.0], "counts": [50, 50, 0]},
            {"name": "weekend", "categories": ["False", "True"], "counts": [70, 30, 0, 0]},
        ],
        "score": {"name": "score", "edges": [0.5], "counts": [50, 50, 0]},
        "label": {"name": "label", "categories": labels, "counts": [50, 50, 0, 0]},
        "positive": labels[1],
    }


def _late(classes: list[Any]) -> bytes:
    is_text = isinstance(classes[0], str)
    kind = TensorProto.STRING if is_text else TensorProto.INT64
    names = np.array(classes, object if is_text else np.int64)
    constants = [
        numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
        numpy_helper.from_array(np.ones(1, np.float32), "one"),
        numpy_helper.from_array(np.array([-1], np.int64), "flat"),
        numpy_helper.from_array(names, "names"),
    ]
    encode = {"keys_strings": ["AA"], "values_floats": [1.0], "default_float": 0.0}
    nodes = [
        helper.make_node("IsNaN", ["amount"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "amount"], ["known"]),
        helper.make_node("LabelEncoder", ["carrier"], ["bad"], domain="ai.onnx.ml", **encode),
        helper.make_node("Add", ["known", "bad"], ["late"]),
        helper.make_node("Sigmoid", ["late"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
        helper.make_node("Greater", ["late", "zero"], ["is_late"]),
        helper.make_node("Cast", ["is_late"], ["place"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["place", "flat"], ["places"]),
        helper.make_node("Gather", ["names", "places"], ["label"]),
    ]
    info = helper.make_tensor_value_info
    inputs = [
        info("amount", TensorProto.FLOAT, ["N", 1]),
        info("carrier", TensorProto.STRING, ["N", 1]),
        info("seats", TensorProto.INT64, ["N", 1]),
        info("weekend", TensorProto.BOOL, ["N"]),
    ]
    outputs = [info("label", kind, ["N"]), info("probabilities", TensorProto.FLOAT, ["N", 2])]
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializer=constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return model.SerializeToString()


@pytest.fixture
def write_files(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """Writes files by relative path into a fresh directory, and gives it."""

    def write(files: dict[str, bytes]) -> Path:
        directory = tmp_path / f"files-{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        for name, data in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return directory

    return write


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """The environment without what could steer the runtime or its S3 client."""
    return without_settings()


@pytest.fixture(scope="module")
def start(clean_environment: dict[str, str]) -> Iterator[Callable[..., Runtime]]:
    """Starts servers on free ports, and ends them with the module."""
    with servers(clean_environment) as run:
        yield run


@pytest.fixture
def external_data_model() -> bytes:
    """A model whose weights are declared to be in another file."""
    weights = numpy_helper.from_array(np.ones((2, 2), dtype=np.float32), "W")
    onnx.external_data_helper.set_external_data(weights, "weights.bin")
    weights.ClearField("raw_data")
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 2])
    y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["N", 2])
    return to_bytes([helper.make_node("MatMul", ["X", "W"], ["Y"])], [x], [y], [weights])
