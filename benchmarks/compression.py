"""Measure every compression method on small models: size, time, loss, decision.

    .venv/bin/python -m benchmarks.compression

trains a convolutional network and a dense one (64-512-512-10) on the handwritten digits, forests
of 300 trees on digits, breast cancer and wine, boosted trees on digits and diabetes, and a tiny
dense network on breast cancer, on 60 % of the rows. Every method then learns from those rows, and
the gate judges on the others (5 thousandths of accuracy; no loss if it is strict; 2 % of the mean
absolute error). One thread; times are processor time, in rounds in which all models take turns.
Prints the table and writes build/benchmarks/compression.json. About two minutes on a core.
"""

import argparse
import json
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from perennial_contracts.api.compression import Compression
from perennial_contracts.wire.modelcard import CompressionTrial
from perennial_trainer.compression.compress import compress
from perennial_trainer.compression.network import fit, initial
from perennial_trainer.compression.samples import Samples

ROOT = Path(__file__).parents[1]
SEED = 7
METHODS = ("Int8Dynamic", "Int8Static", "Float16", "Prune", "Distill")
OPSETS = {"": 18, "ai.onnx.ml": 3}
FILTERS = (32, 64)
HIDDEN = 256

Case = tuple[bytes, Samples]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each time")
    parser.add_argument("--only", nargs="+", choices=sorted(CASES), default=sorted(CASES))
    options = parser.parse_args()
    with threadpool_limits(1):
        results = {name: run(name, options.rounds) for name in CASES if name in options.only}
    target = ROOT / "build" / "benchmarks" / "compression.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    facts = {"processor": platform.processor(), "onnxruntime": onnxruntime.__version__}
    target.write_text(json.dumps({"environment": facts, "models": results}, indent=1) + "\n")


def run(name: str, rounds: int) -> list[dict[str, object]]:
    """Try all methods on a model, and print the results."""
    begun = time.monotonic()
    model, samples = CASES[name]()
    wanted = Compression.model_validate(
        {
            "methods": [{"type": method} for method in METHODS],
            "gate": {"metric": samples.metric, "maxLossPermille": LIMITS.get(name, 5)},
        }
    )
    made = compress(model, wanted, samples, seed=SEED, log=lambda line: None, rounds=rounds)
    print(f"\n{name} ({time.monotonic() - begun:.0f} s), {samples.metric}")
    for trial in made.trials:
        print(_row(trial))
        if trial.method != "Original":
            print(f"              {trial.why}")
    return [trial.model_dump(mode="json") for trial in made.trials]


def _row(trial: CompressionTrial) -> str:
    head = f"  {trial.method:<11} {trial.status:<13}"
    if trial.size_bytes is None:
        return head
    control = "" if trial.control is None else f"  taught the truth alone {trial.control:.4f}"
    return (
        f"{head} {trial.size_bytes / 1000:9.1f} kB  gz {(trial.transfer_bytes or 0) / 1000:8.1f} kB"
        f"  1 row {trial.p50_microseconds:7.1f} µs (p95 {trial.p95_microseconds:7.1f})"
        f"  {trial.batch_rows} rows {trial.batch_p50_microseconds:8.1f} µs"
        f"  {trial.value:.4f}{control}"
    )


# --- models ---


def forest(load: Callable[..., tuple[np.ndarray, np.ndarray]]) -> Case:
    """Return a forest of 300 trees."""
    rows, labels = load(return_X_y=True)
    model = RandomForestClassifier(300, random_state=SEED, n_jobs=1)
    return _converted(model, rows.astype(np.float32), labels.astype(np.int64))


def tiny() -> Case:
    """Return a dense network that is too small for most methods, 30-24-2."""
    rows, labels = load_breast_cancer(return_X_y=True)
    model = MLPClassifier((24,), max_iter=1000, random_state=SEED, alpha=1.0)
    scaled = StandardScaler().fit_transform(rows)
    return _converted(model, scaled.astype(np.float32), labels.astype(np.int64))


def boosted_digits() -> Case:
    """Return boosted trees for ten classes."""
    rows, labels = load_digits(return_X_y=True)
    model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, random_state=SEED)
    return _converted(model, rows.astype(np.float32), labels.astype(np.int64))


def boosted() -> Case:
    """Return boosted trees for a regression."""
    rows, values = load_diabetes(return_X_y=True)
    model = HistGradientBoostingRegressor(max_iter=200, learning_rate=0.05, random_state=SEED)
    return _converted(model, rows.astype(np.float32), values.astype(np.float32))


def _converted(model: BaseEstimator, rows: np.ndarray, truth: np.ndarray) -> Case:
    parts = _halves(rows, truth)
    model.fit(parts[0], parts[2])
    options = {"zipmap": False} if hasattr(model, "predict_proba") else None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto.ints", DeprecationWarning)
        made = to_onnx(model, rows[:1], options=options, target_opset=OPSETS)
    name = made.graph.input[0].name
    if options:
        return made.SerializeToString(), _classified(name, parts, lambda given: given["label"])
    output = made.graph.output[0].name
    learn, held_out, truth, held_truth = parts
    return made.SerializeToString(), Samples(
        learn={name: learn},
        held_out={name: held_out},
        score=lambda given: float(np.abs(given[output].reshape(-1) - held_truth).mean()),
        metric="mae",
        higher_is_better=False,
        learn_truth=truth,
    )


def _halves(rows: np.ndarray, truth: np.ndarray) -> list[np.ndarray]:
    """Split rows and labels for training and the gate."""
    stratify = truth if truth.dtype.kind == "i" else None
    return list(train_test_split(rows, truth, test_size=0.4, random_state=SEED, stratify=stratify))


def _classified(
    name: str, parts: list[np.ndarray], said: Callable[[dict[str, np.ndarray]], np.ndarray]
) -> Samples:
    learn, held_out, truth, held_truth = parts
    return Samples(
        learn={name: learn},
        held_out={name: held_out},
        score=lambda given: float((said(given) == held_truth).mean()),
        metric="accuracy",
        higher_is_better=True,
        learn_truth=truth,
    )


def dense() -> Case:
    """Return a dense network, 64-512-512-10."""
    rows, labels = load_digits(return_X_y=True)
    parts = _halves(rows.astype(np.float32) / 16, labels.astype(np.int64))
    layers = fit(
        initial([64, 512, 512, 10], SEED), parts[0], np.eye(10)[parts[2]], "cross_entropy", SEED
    )
    nodes, weights, tensor = [], [], "image"
    for place, layer in enumerate(layers):
        names = [f"w{place}", f"b{place}"]
        weights += [
            numpy_helper.from_array(values, weight)
            for weight, values in zip(names, (layer.weight, layer.bias), strict=True)
        ]
        after = "logits" if place == 2 else f"linear{place}"
        nodes.append(helper.make_node("Gemm", [tensor, *names], [after]))
        if place < 2:
            nodes.append(helper.make_node("Relu", [after], [f"active{place}"]))
        tensor = f"active{place}"
    return _network(nodes, weights, [64], parts)


def convolutional() -> Case:
    """Return a network of two convolutions and a dense head.

    The filters are principal components of patches, then random. The head is trained with NumPy.
    Such features are sufficient for digits, and the cost of a convolution does not depend on the
    origin of its filters.
    """
    images, labels = load_digits(return_X_y=True)
    parts = _halves(images.reshape(-1, 1, 8, 8).astype(np.float32) / 16, labels.astype(np.int64))
    random = np.random.default_rng(SEED)
    patches = np.lib.stride_tricks.sliding_window_view(parts[0][:, 0], (3, 3), (1, 2))
    _, _, axes = np.linalg.svd(patches.reshape(-1, 9) - patches.mean(), full_matrices=False)
    mixed = random.normal(size=(FILTERS[0], 9)) @ axes
    weights = {
        "f0": mixed.reshape(FILTERS[0], 1, 3, 3) / 2,
        "c0": random.normal(size=FILTERS[0]) * 0.1,
        "f1": random.normal(size=(FILTERS[1], FILTERS[0], 3, 3)) / np.sqrt(9 * FILTERS[0] / 2),
        "c1": np.zeros(FILTERS[1]),
    }
    nodes = [
        helper.make_node("Conv", ["image", "f0", "c0"], ["conv0"], pads=[1] * 4),
        helper.make_node("Relu", ["conv0"], ["relu0"]),
        helper.make_node("Conv", ["relu0", "f1", "c1"], ["conv1"], pads=[1] * 4),
        helper.make_node("Relu", ["conv1"], ["relu1"]),
        helper.make_node("MaxPool", ["relu1"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
    ]
    tensors = [
        numpy_helper.from_array(values.astype(np.float32), name) for name, values in weights.items()
    ]
    body = _model(nodes, tensors, [1, 8, 8], "flat", FILTERS[1] * 16)
    session = onnxruntime.InferenceSession(body.SerializeToString())
    features = session.run(None, {"image": parts[0]})[0]
    head = fit(
        initial([features.shape[1], HIDDEN, 10], SEED),
        features, np.eye(10)[parts[2]], "cross_entropy", SEED,
    )  # fmt: skip
    for place, layer in enumerate(head):
        tensors.append(numpy_helper.from_array(layer.weight, f"w{place}"))
        tensors.append(numpy_helper.from_array(layer.bias, f"b{place}"))
    nodes += [
        helper.make_node("Gemm", ["flat", "w0", "b0"], ["linear0"]),
        helper.make_node("Relu", ["linear0"], ["active0"]),
        helper.make_node("Gemm", ["active0", "w1", "b1"], ["logits"]),
    ]
    return _network(nodes, tensors, [1, 8, 8], parts)


def _network(
    nodes: list[onnx.NodeProto],
    weights: list[onnx.TensorProto],
    shape: list[int],
    parts: list[np.ndarray],
) -> Case:
    model = _model(nodes, weights, shape, "logits", 10)
    samples = _classified("image", parts, lambda given: given["logits"].argmax(axis=1))
    return model.SerializeToString(), samples


def _model(
    nodes: list[onnx.NodeProto],
    weights: list[onnx.TensorProto],
    shape: list[int],
    output: str,
    width: int,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", *shape])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", width])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


CASES: dict[str, Callable[[], Case]] = {
    "digits-cnn": convolutional,
    "digits-mlp": dense,
    "digits-mlp-strict": dense,
    "digits-forest": lambda: forest(load_digits),
    "digits-boosted": boosted_digits,
    "cancer-mlp": tiny,
    "cancer-forest": lambda: forest(load_breast_cancer),
    "wine-forest": lambda: forest(load_wine),
    "diabetes-boosted": boosted,
}

LIMITS = {"digits-mlp-strict": 0, "diabetes-boosted": 20}

if __name__ == "__main__":
    main()
