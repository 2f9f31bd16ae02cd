"""Small ONNX models that tests compress, and rows for them."""

import warnings
from collections.abc import Callable

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from perennial_trainer.compression.network import Layer, fit, initial
from perennial_trainer.compression.samples import Samples

OPSETS = {"": 18, "ai.onnx.ml": 3}


def rings(count: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of eight numbers in three classes, by the norm of the first three."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 8)).astype(np.float32)
    length = np.linalg.norm(rows[:, :3], axis=1)
    return rows, np.digitize(length, [1.2, 1.9])


def trees(model: BaseEstimator, rows: np.ndarray, truth: np.ndarray) -> bytes:
    """Return a fitted model of trees as ONNX, with the input ``X``."""
    with threadpool_limits(1):  # threads wait for each other on a busy machine
        model.fit(rows, truth)
    options = {"zipmap": False} if hasattr(model, "predict_proba") else None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto.ints", DeprecationWarning)
        made = to_onnx(model, rows[:1], options=options, target_opset=OPSETS)
    return made.SerializeToString()


def mlp(layers: list[Layer], name: str = "X") -> bytes:
    """Return a dense network as ONNX, with the output ``logits``."""
    nodes, weights, tensor = [], [], name
    for place, layer in enumerate(layers):
        for kind, values in (("w", layer.weight), ("b", layer.bias)):
            weights.append(numpy_helper.from_array(values, f"{kind}{place}"))
        last = place == len(layers) - 1
        after = "logits" if last else f"linear{place}"
        nodes.append(helper.make_node("Gemm", [tensor, f"w{place}", f"b{place}"], [after]))
        if layer.activation and not last:
            nodes.append(helper.make_node(layer.activation, [after], [f"active{place}"]))
            tensor = f"active{place}"
    return model(nodes, weights, [layers[0].weight.shape[0]], layers[-1].weight.shape[1], name)


def trained_mlp(rows: np.ndarray, truth: np.ndarray, hidden: int = 64) -> bytes:
    """Return a trained network with one hidden layer."""
    wide = initial([rows.shape[1], hidden, 3], 0)
    return mlp(fit(wide, rows, np.eye(3)[truth], "cross_entropy", 0, steps=600))


def cnn(channels: int = 8, seed: int = 0) -> bytes:
    """Return a network for 1 x 6 x 6: two convolutions, normalization, a dense head."""
    random = np.random.default_rng(seed)

    def tensor(name: str, *shape: int) -> object:
        values = random.normal(size=shape).astype(np.float32) / np.sqrt(np.prod(shape[1:]) or 1)
        return numpy_helper.from_array(values.astype(np.float32), name)

    norm = [
        numpy_helper.from_array(values.astype(np.float32), name)
        for name, values in {
            "scale": random.uniform(0.5, 2, channels),
            "shift": random.normal(size=channels),
            "mean": random.normal(size=channels),
            "variance": random.uniform(0.5, 2, channels),
        }.items()
    ]
    nodes = [
        helper.make_node("Conv", ["X", "f0"], ["c0"], pads=[1] * 4),
        helper.make_node(
            "BatchNormalization", ["c0", "scale", "shift", "mean", "variance"], ["n0"]
        ),
        helper.make_node("Relu", ["n0"], ["r0"]),
        helper.make_node("Conv", ["r0", "f1", "g1"], ["c1"], pads=[1] * 4),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p1"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w0", "b0"], ["l0"]),
        helper.make_node("Relu", ["l0"], ["a0"]),
        helper.make_node("Gemm", ["a0", "w1", "b1"], ["logits"]),
    ]
    weights = [
        tensor("f0", channels, 1, 3, 3), *norm, tensor("f1", channels, channels, 3, 3),
        tensor("g1", channels), tensor("w0", channels * 9, 32), tensor("b0", 32),
        tensor("w1", 32, 3), tensor("b1", 3),
    ]  # fmt: skip
    return model(nodes, weights, [1, 6, 6], 3, "X")


def model(nodes: list, weights: list, shape: list[int], width: int, name: str) -> bytes:
    """Return a graph from one tensor to ``logits`` as ONNX."""
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", width])],
        weights,
    )
    opset = helper.make_opsetid("", 18)
    return helper.make_model(graph, opset_imports=[opset], ir_version=10).SerializeToString()


def samples(
    rows: np.ndarray,
    truth: np.ndarray,
    said: Callable[[dict[str, np.ndarray]], np.ndarray] = lambda given: given["label"],
    learn: int = 400,
) -> Samples:
    """Return samples: the first rows for training, the others for the accuracy."""
    return Samples(
        learn={"X": rows[:learn]},
        held_out={"X": rows[learn:]},
        score=lambda given: float((said(given) == truth[learn:]).mean()),
        metric="accuracy",
        higher_is_better=True,
        learn_truth=truth[:learn],
    )


def likeliest(given: dict[str, np.ndarray]) -> np.ndarray:
    """Return the class of the largest logit."""
    return given["logits"].argmax(axis=1)
