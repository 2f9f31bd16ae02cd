"""Weights of matrix products as 8-bit integers; what they are multiplied by becomes so on the way.

Convolutions are left alone: quantized in this way they are three to four times slower.
"""

from collections.abc import Iterator

from onnxruntime.quantization import QuantType, quantize_dynamic

from . import quantizing
from .graph import PRODUCTS, parse, serialize
from .method import Variant
from .samples import Samples


def make(model: bytes, samples: Samples, seed: int) -> Iterator[Variant]:
    """Variants of a model with 8-bit weights: a scale for each tensor, then one for each column.

    Raises:
        NotApplicableError: where there is no product with fixed weights.
    """
    quantizing.check(parse(model), PRODUCTS)
    for per_channel, what in ((False, "8-bit weights"), (True, "8-bit weights, scaled by column")):
        with quantizing.prepared(model) as (source, target):
            quantize_dynamic(
                source,
                target,
                op_types_to_quantize=list(PRODUCTS),
                weight_type=QuantType.QInt8,
                per_channel=per_channel,
                reduce_range=True,  # the sums of processors without VNNI hold no more
                extra_options={"MatMulConstBOnly": True},
            )
            made = serialize(parse(target.read_bytes()))
        yield Variant(made, what)
