"""Quantization to 8-bit integers: of weights alone, or of weights and activations."""

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

from .graph import CONVOLUTION, PRODUCTS, TREES, Weights, listed, operators, parse, serialize
from .method import NotApplicableError, Variant
from .running import Session
from .samples import Feeds, Samples, count, spread, take

CALIBRATION_ROWS = 200
CHUNK = 50
QUANTIZED = (
    CONVOLUTION, *PRODUCTS, "Add", "AveragePool", "Flatten", "GlobalAveragePool", "MaxPool",
    "Relu", "Reshape",
)  # fmt: skip
"""Products, and operators between them: floats in between would cost the gain."""


def make_dynamic(model: bytes, samples: Samples, seed: int) -> Iterator[Variant]:
    """Yield variants with 8-bit weights, scaled by tensor, then by column.

    Activations are quantized when the model runs. Convolutions stay as they are, because they
    become three to four times slower.

    Raises:
        NotApplicableError: if there is no product with fixed weights.
    """
    _require(parse(model), PRODUCTS)
    for per_channel, text in ((False, "8-bit weights"), (True, "8-bit weights, scaled by column")):
        with _prepared(model) as (source, target):
            quantize_dynamic(
                source,
                target,
                op_types_to_quantize=list(PRODUCTS),
                weight_type=QuantType.QInt8,
                per_channel=per_channel,
                reduce_range=True,  # larger sums overflow on processors without VNNI
                extra_options={"MatMulConstBOnly": True},
            )
            made = serialize(parse(target.read_bytes()))
        yield Variant(made, text)


def make_static(model: bytes, samples: Samples, seed: int) -> Iterator[Variant]:
    """Yield variants with 8-bit weights and activations, by tensor, then by channel.

    The ranges of the activations are those for some rows (QDQ).

    Raises:
        NotApplicableError: if nothing can be quantized, or there are no rows for the ranges.
    """
    _require(parse(model), (CONVOLUTION, *PRODUCTS))
    if not count(samples.learn):
        raise NotApplicableError("there are no rows to take the ranges of the activations from")
    rows = spread(samples.learn, CALIBRATION_ROWS)
    size = Session(model).fixed_rows or CHUNK
    text = f"8-bit weights and activations, ranges from {count(rows)} rows"
    for per_channel, description in ((False, text), (True, f"{text}, scaled by channel")):
        with _prepared(model) as (source, target):
            quantize_static(
                source,
                target,
                _CalibrationRows(rows, size),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=list(QUANTIZED),
                per_channel=per_channel,
                reduce_range=True,  # larger sums overflow on processors without VNNI
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                calibration_providers=["CPUExecutionProvider"],
            )
            made = serialize(parse(target.read_bytes()))
        yield Variant(made, description)


class _CalibrationRows(CalibrationDataReader):  # type: ignore[misc]
    """An iterator over parts of the rows, for ONNX Runtime."""

    def __init__(self, feeds: Feeds, size: int) -> None:
        whole = range(0, count(feeds) - count(feeds) % size or count(feeds), size)
        self._parts = iter([take(feeds, slice(start, start + size)) for start in whole])

    def get_next(self) -> Any:
        return next(self._parts, None)


def _require(model: onnx.ModelProto, kinds: Sequence[str]) -> None:
    """Check that the model has a node of these kinds with fixed float weights."""
    floats = Weights(model).floats()
    for node in model.graph.node:
        if node.op_type in kinds and len(node.input) > 1 and node.input[1] in floats:
            return
    trees = sorted(operators(model) & set(TREES))
    if trees:
        raise NotApplicableError(
            f"the model consists of trees ({trees[0]}), which only compare numbers: ONNX has no "
            "8-bit form of them. Prune and Distill make them smaller"
        )
    raise NotApplicableError(
        f"no {', '.join(kinds[:-1])} or {kinds[-1]} with fixed 32-bit weights to quantize; the "
        f"model has {listed(operators(model))}"
    )


@contextlib.contextmanager
def _prepared(model: bytes) -> Iterator[tuple[Path, Path]]:
    """Yield the paths of the simplified model and of the result, in a scratch folder.

    ONNX Runtime's own preparation does the same, but fails for weights that are not raw bytes.
    """
    with tempfile.TemporaryDirectory() as scratch, quiet():
        source, target = Path(scratch) / "model.onnx", Path(scratch) / "quantized.onnx"
        options = onnxruntime.SessionOptions()
        # This level merges normalizations into convolutions, and only uses operators of ONNX.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(source)
        options.log_severity_level = 4
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        yield source, target


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress the advice of the tools, which does not help readers of a Job's log."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
