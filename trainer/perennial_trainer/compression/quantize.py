"""What both 8-bit methods share: whether there is anything to quantize, and a graph made ready."""

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import onnx
import onnxruntime

from .graph import TREES, Weights, listed, operators
from .method import NotApplicableError


def check(model: onnx.ModelProto, kinds: Sequence[str]) -> None:
    """Looks for nodes of these kinds with fixed float weights.

    Raises:
        NotApplicableError: where there are none.
    """
    floats = Weights(model).floats()
    for node in model.graph.node:
        if node.op_type in kinds and len(node.input) > 1 and node.input[1] in floats:
            return
    trees = sorted(operators(model) & set(TREES))
    if trees:
        raise NotApplicableError(
            f"the model is trees ({trees[0]}), which compare numbers and multiply nothing: ONNX "
            "has no 8-bit form of them. Prune and Distill make them smaller"
        )
    raise NotApplicableError(
        f"no {', '.join(kinds[:-1])} or {kinds[-1]} with fixed 32-bit weights to quantize; the "
        f"model has {listed(operators(model))}"
    )


@contextlib.contextmanager
def prepared(model: bytes) -> Iterator[tuple[Path, Path]]:
    """A folder with the model, simplified, and a path for what is made of it.

    ONNX Runtime's own preparation does the same, but trips over weights that are no raw bytes.
    """
    with tempfile.TemporaryDirectory() as scratch, quiet():
        source, target = Path(scratch) / "model.onnx", Path(scratch) / "quantized.onnx"
        options = onnxruntime.SessionOptions()
        # Merges normalizations into convolutions, and goes no further than ONNX.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(source)
        options.log_severity_level = 4
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        yield source, target


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps the tools' advice, which is none for who reads the log of a Job, out of it."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
