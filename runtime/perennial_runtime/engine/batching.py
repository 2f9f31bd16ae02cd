"""Whether requests of a model may be run together, and whether that is quicker: tried, not assumed.

A first dimension that is free is mostly one of rows, but it can be one of time, or of words. So a
model is run on different rows, one at a time and together, and must say the same.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from ..errors import RequestError
from ..signature import TensorSpec

SAMPLES = 8
QUICKER = 0.75
"""Rows together must take at most this share of the time that they take one by one."""
PATIENCE_SECONDS = 0.05
"""A model whose run takes longer is tried on two rows, once."""
ROUNDS = 5

Feeds = Mapping[str, np.ndarray]


class RunnableModel(Protocol):
    """What is asked of a model here."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    seconds: float

    def run(self, feeds: Feeds, outputs: Sequence[str]) -> list[np.ndarray]: ...


def joined(parts: Sequence[Feeds]) -> dict[str, np.ndarray]:
    """The inputs of several requests as those of one, in order."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def pays(model: RunnableModel) -> bool:
    """Whether the model says the same of rows together, and sooner."""
    if not _has_rows(model.inputs) or not _has_rows(model.outputs):
        return False
    random = np.random.default_rng(0)
    slow = model.seconds > PATIENCE_SECONDS
    rows = [_row(model.inputs, random) for _ in range(2 if slow else SAMPLES)]
    names = [tensor.name for tensor in model.outputs]
    try:
        apart = [model.run(row, names) for row in rows]
        together = model.run(joined(rows), names)
    except RequestError:
        return False
    for number, whole in enumerate(together):
        expected = [results[number] for results in apart]
        if any(part.shape[:1] != (1,) for part in expected) or len(whole) != len(rows):
            return False
        if not _same(whole, np.concatenate(expected)):
            return False
    if slow:
        return _seconds(lambda: model.run(joined(rows), names), 1) < QUICKER * 2 * model.seconds
    one = _seconds(lambda: [model.run(row, names) for row in rows], ROUNDS)
    return _seconds(lambda: model.run(joined(rows), names), ROUNDS) < QUICKER * one


def _has_rows(tensors: Sequence[TensorSpec]) -> bool:
    return bool(tensors) and all(tensor.shape[:1] == (-1,) for tensor in tensors)


def _row(inputs: Sequence[TensorSpec], random: np.random.Generator) -> Feeds:
    """One row of values that differ from row to row, where the type allows that."""
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


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    if one.shape != other.shape:
        return False
    if one.dtype.kind == "f":
        tolerance = 1e-2 if one.dtype == np.float16 else 1e-4
        return bool(np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True))
    return bool((one == other).all())


def _seconds(work: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best
