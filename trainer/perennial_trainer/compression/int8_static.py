"""Weights and activations as 8-bit integers, the activations' ranges taken from rows (QDQ)."""

from collections.abc import Iterator
from typing import Any

from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from . import quantizing
from .graph import CONVOLUTION, PRODUCTS, parse, serialize
from .method import NotApplicableError, Variant
from .running import Session
from .samples import Feeds, Samples, count, spread, take

CALIBRATION_ROWS = 200
CHUNK = 50
QUANTIZED = (
    CONVOLUTION, *PRODUCTS, "Add", "AveragePool", "Flatten", "GlobalAveragePool", "MaxPool",
    "Relu", "Reshape",
)  # fmt: skip
"""Products, and what lies between them: to go back to floats there would cost the gain."""


def make(model: bytes, samples: Samples, seed: int) -> Iterator[Variant]:
    """Variants with signed 8-bit weights and activations: a scale a tensor, then a scale a channel.

    Raises:
        NotApplicableError: where nothing can be quantized, or there are no rows for the ranges.
    """
    quantizing.check(parse(model), (CONVOLUTION, *PRODUCTS))
    if not count(samples.learn):
        raise NotApplicableError("there are no rows to take the ranges of the activations from")
    rows = spread(samples.learn, CALIBRATION_ROWS)
    size = Session(model).fixed_rows or CHUNK
    said = f"8-bit weights and activations, ranges from {count(rows)} rows"
    for per_channel, what in ((False, said), (True, f"{said}, scaled by channel")):
        with quantizing.prepared(model) as (source, target):
            quantize_static(
                source,
                target,
                _Rows(rows, size),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=list(QUANTIZED),
                per_channel=per_channel,
                reduce_range=True,  # the sums of processors without VNNI hold no more
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                calibration_providers=["CPUExecutionProvider"],
            )
            made = serialize(parse(target.read_bytes()))
        yield Variant(made, what)


class _Rows(CalibrationDataReader):  # type: ignore[misc]
    """Rows, some at a time."""

    def __init__(self, feeds: Feeds, size: int) -> None:
        whole = range(0, count(feeds) - count(feeds) % size or count(feeds), size)
        self._parts = iter([take(feeds, slice(start, start + size)) for start in whole])

    def get_next(self) -> Any:
        return next(self._parts, None)
