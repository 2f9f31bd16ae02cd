"""Build the two models from seeds: a forest of 30 features, and a CNN for images.

The same versions of the libraries make the same bytes. Correct answers are computed by the model
itself, so nothing depends on that.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .works import ModelKind

FEATURES = 30
IMAGE = (3, 224, 224)
CLASSES = 1000
WIDTH = 0.5
"""Width of the CNN's layers as a share of MobileNet's: about 4 ms an image on one thread."""
BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *(5 * ((512, 1),)),
    *((1024, 2), (1024, 1)),
)
"""Output channels and stride of each pair of a depthwise and a pointwise convolution, as in
MobileNet (Howard et al. 2017, table 1)."""

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Model:
    """Model on disk, and requests for it."""

    path: Path
    input: str
    shape: tuple[int, ...]
    """Shape of one row, without the batch."""

    def batch(self, rows: int) -> NDArray[np.float32]:
        """Return the rows of the request, shape (rows, \\*shape), always the same."""
        random = np.random.default_rng(rows)
        # Few decimals, as in real data, so that JSON has a realistic length.
        return random.normal(size=(rows, *self.shape)).round(4).astype(np.float32)

    def expected(self, rows: int) -> Arrays:
        """Return the model's answers for that batch, by output."""
        session = onnxruntime.InferenceSession(self.path, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, {self.input: self.batch(rows)}), strict=True))


def make(folder: Path) -> dict[ModelKind, Model]:
    """Write both models to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    models: dict[ModelKind, Model] = {}
    for kind, content, name, shape in (
        ("tabular", forest(), "x", (FEATURES,)),
        ("image", cnn(), "image", IMAGE),
    ):
        path = folder / f"{kind}.onnx"
        path.write_bytes(content.SerializeToString())
        models[kind] = Model(path, name, shape)  # type: ignore[index]
    return models


def forest() -> onnx.ModelProto:
    """Return a forest of 100 trees of depth 8: x (N, 30) to label, probabilities."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.ensemble import RandomForestClassifier

    random = np.random.default_rng(0)
    x = random.normal(size=(4000, FEATURES)).astype(np.float32)
    y = (x[:, :6].sum(axis=1) + x[:, 6] * x[:, 7] + random.normal(size=len(x)) > 0).astype(int)
    model = RandomForestClassifier(100, max_depth=8, random_state=0).fit(x, y)
    converted: onnx.ModelProto = to_onnx(
        model,
        initial_types=[("x", FloatTensorType([None, FEATURES]))],
        options={"zipmap": False},
        target_opset=18,
    )
    return converted


def cnn() -> onnx.ModelProto:
    """Return an untrained half-width MobileNet: image (N, 3, 224, 224) to scores."""
    random = np.random.default_rng(0)
    nodes: list[onnx.NodeProto] = []
    weights = [
        numpy_helper.from_array(np.array(0, np.float32), "zero"),
        numpy_helper.from_array(np.array(6, np.float32), "six"),
    ]

    def convolve(source: str, name: str, size: int, out: int, stride: int, group: int) -> str:
        into = channels // group
        weight = random.normal(size=(out, into, size, size)) * np.sqrt(2 / (into * size * size))
        weights.append(numpy_helper.from_array(weight.astype(np.float32), f"{name}.weight"))
        weights.append(numpy_helper.from_array(np.zeros(out, np.float32), f"{name}.bias"))
        nodes.append(
            helper.make_node(
                "Conv",
                [source, f"{name}.weight", f"{name}.bias"],
                [name],
                kernel_shape=[size, size],
                pads=[size // 2] * 4,
                strides=[stride, stride],
                group=group,
            )
        )
        nodes.append(helper.make_node("Clip", [name, "zero", "six"], [f"{name}.relu6"]))
        return f"{name}.relu6"

    channels = 3
    x = convolve("image", "stem", 3, int(32 * WIDTH), 2, 1)
    channels = int(32 * WIDTH)
    for index, (wide, stride) in enumerate(BLOCKS):
        x = convolve(x, f"depthwise{index}", 3, channels, stride, channels)
        x = convolve(x, f"pointwise{index}", 1, int(wide * WIDTH), 1, 1)
        channels = int(wide * WIDTH)
    head = random.normal(scale=0.05, size=(channels, CLASSES)).astype(np.float32)
    weights.append(numpy_helper.from_array(head, "head.weight"))
    nodes += [
        helper.make_node("GlobalAveragePool", [x], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "head.weight"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "cnn",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", *IMAGE])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", CLASSES])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
