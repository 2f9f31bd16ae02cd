"""Test whether requests of a model may run together, and whether that is faster.

A free first dimension usually counts rows, but it can also be time or words. So the model runs on
different rows, one by one and together, and must return the same results.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from ..errors import RequestError
from ..signature import TensorSpec

SAMPLES = 8
FASTER = 0.75
"""Rows together must take at most this share of the time that they take one by one."""
SLOW_SECONDS = 0.05
"""A model whose run takes longer is tested on two rows, once."""
ROUNDS = 5

Feeds = Mapping[str, np.ndarray]


class RunnableModel(Protocol):
    """The parts of a model that the test needs."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    seconds: float

    def run(self, feeds: Feeds, outputs: Sequence[str]) -> list[np.ndarray]: ...


def join(parts: Sequence[Feeds]) -> dict[str, np.ndarray]:
    """Return the inputs of several requests as those of one, in order."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def is_worthwhile(model: RunnableModel) -> bool:
    """Return whether rows together give the same results, and faster."""
    if not _has_rows(model.inputs) or not _has_rows(model.outputs):
        return False
    random = np.random.default_rng(0)
    slow = model.seconds > SLOW_SECONDS
    rows = [_row(model.inputs, random) for _ in range(2 if slow else SAMPLES)]
    names = [tensor.name for tensor in model.outputs]
    try:
        separate = [model.run(row, names) for row in rows]
        together = model.run(join(rows), names)
    except RequestError:
        return False
    for number, whole in enumerate(together):
        expected = [results[number] for results in separate]
        if any(part.shape[:1] != (1,) for part in expected) or len(whole) != len(rows):
            return False
        if not _is_same(whole, np.concatenate(expected)):
            return False
    if slow:
        return _seconds(lambda: model.run(join(rows), names), 1) < FASTER * 2 * model.seconds
    one_by_one = _seconds(lambda: [model.run(row, names) for row in rows], ROUNDS)
    return _seconds(lambda: model.run(join(rows), names), ROUNDS) < FASTER * one_by_one


def _has_rows(tensors: Sequence[TensorSpec]) -> bool:
    return bool(tensors) and all(tensor.shape[:1] == (-1,) for tensor in tensors)


def _row(inputs: Sequence[TensorSpec], random: np.random.Generator) -> Feeds:
    """Return one row: random numbers, and sample values for other types."""
    feeds = {}
    for tensor in inputs:
        sample = tensor.sample()
        kind = tensor.dtype.kind
        if kind == "f":
            sample = random.normal(size=sample.shape).astype(tensor.dtype)
        elif kind in "iub":
            sample = random.integers(0, 2, sample.shape).astype(tensor.dtype)
        feeds[tensor.name] = sample
    return feeds


def _is_same(left: np.ndarray, right: np.ndarray) -> bool:
    if left.shape != right.shape:
        return False
    if left.dtype.kind == "f":
        tolerance = 1e-2 if left.dtype == np.float16 else 1e-4
        return bool(np.allclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True))
    return bool((left == right).all())


def _seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the time of the fastest round."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best
