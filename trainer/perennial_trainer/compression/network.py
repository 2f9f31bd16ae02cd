"""Dense layers in NumPy, to fine-tune pruned networks and to train small students."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

Activation = Literal["", "Relu", "Tanh", "Sigmoid"]
Loss = Literal["squares", "cross_entropy"]
BATCH = 64
STEPS = 2000
OPERATIONS = 2e11
"""Limit of the floating-point operations of a training: it bounds the steps."""


@dataclass(frozen=True)
class Layer:
    """A matrix product, a bias and an activation."""

    weight: np.ndarray
    """Shape (inputs, outputs), float32."""
    bias: np.ndarray
    """Shape (outputs,), float32."""
    activation: Activation = ""


def initial(sizes: Sequence[int], seed: int) -> list[Layer]:
    """Return initial layers with Relu between them (He et al. 2015).

    Args:
        sizes: sizes of the input, of each hidden layer, of the output.
        seed: seed of the weights.
    """
    random = np.random.default_rng(seed)
    layers: list[Layer] = []
    for before, after in pairwise(sizes):
        weight = random.normal(0, np.sqrt(2 / max(before, 1)), (before, after)).astype(np.float32)
        layers.append(Layer(weight, np.zeros(after, np.float32), "Relu"))
    layers[-1] = replace(layers[-1], activation="")
    return layers


def forward(layers: Sequence[Layer], rows: np.ndarray) -> np.ndarray:
    """Return the outputs, shape (rows, outputs), for rows of shape (rows, inputs)."""
    for layer in layers:
        rows = _activate(rows @ layer.weight + layer.bias, layer.activation)
    return rows


def fit(
    layers: Sequence[Layer],
    rows: np.ndarray,
    targets: np.ndarray,
    loss: Loss,
    seed: int,
    *,
    rate: float = 1e-3,
    decay: float = 0.0,
    steps: int = STEPS,
) -> list[Layer]:
    """Train the layers with Adam (Kingma and Ba 2015) and a cosine schedule.

    Args:
        layers: initial layers.
        rows: shape (rows, inputs).
        targets: shape (rows, outputs); probabilities for the cross-entropy, which applies the
            softmax to the outputs.
        loss: the mean squared difference, or the cross-entropy.
        seed: seed of the order of the rows.
        rate: learning rate at the beginning; it falls to zero.
        decay: share of a weight that each step removes, times the rate (AdamW).
        steps: limit of the steps, of BATCH rows each.

    Returns:
        The trained layers, float32: the same for the same rows and seed on the same machine.
    """
    random = np.random.default_rng(seed)
    values = [array.astype(np.float32) for layer in layers for array in (layer.weight, layer.bias)]
    first = [np.zeros_like(value) for value in values]
    second = [np.zeros_like(value) for value in values]
    cost = 6.0 * BATCH * sum(value.size for value in values)
    steps = int(min(steps, max(OPERATIONS // cost, 1)))
    rows, targets = rows.astype(np.float32), targets.astype(np.float32)
    order, start = random.permutation(len(rows)), 0
    for step in range(1, steps + 1):
        if start + BATCH > len(order):
            order, start = random.permutation(len(rows)), 0
        chosen = order[start : start + BATCH]
        start += BATCH
        slopes = _slopes(_rebuilt(layers, values), rows[chosen], targets[chosen], loss)
        now = rate * 0.5 * (1 + np.cos(np.pi * (step - 1) / steps))
        for value, slope, mean, square in zip(values, slopes, first, second, strict=True):
            mean += 0.1 * (slope - mean)
            square += 0.001 * (slope * slope - square)
            corrected = np.sqrt(square / (1 - 0.999**step)) + 1e-8
            if decay and value.ndim == 2:
                value *= np.float32(1 - now * decay)
            value -= np.float32(now / (1 - 0.9**step)) * mean / corrected
    return _rebuilt(layers, values)


def _rebuilt(layers: Sequence[Layer], values: list[np.ndarray]) -> list[Layer]:
    return [
        Layer(values[2 * index], values[2 * index + 1], layer.activation)
        for index, layer in enumerate(layers)
    ]


def _slopes(
    layers: Sequence[Layer], rows: np.ndarray, targets: np.ndarray, loss: Loss
) -> list[np.ndarray]:
    """Return the gradients of the loss by weight and bias of each layer, in order."""
    inputs, output = [], rows
    for layer in layers:
        inputs.append(output)
        output = _activate(output @ layer.weight + layer.bias, layer.activation)
    if loss == "cross_entropy":
        error = (softmax(output) - targets) / len(rows)
    else:
        error = 2 * (output - targets) / targets.size
    slopes: list[np.ndarray] = []
    for layer, taken in zip(reversed(layers), reversed(inputs), strict=True):
        error = error * _derivative(output, layer.activation)
        slopes[:0] = [taken.T @ error, error.sum(axis=0)]
        error, output = error @ layer.weight.T, taken
    return slopes


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities for scores, along the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _activate(values: np.ndarray, activation: Activation) -> np.ndarray:
    if activation == "Relu":
        return np.asarray(np.maximum(values, 0))
    if activation == "Tanh":
        return np.asarray(np.tanh(values))
    if activation == "Sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(values, -60, 60))))
    return values


def _derivative(output: np.ndarray, activation: Activation) -> "np.ndarray | float":
    """Return the derivative of the activation at this output."""
    if activation == "Relu":
        return np.asarray(output > 0, np.float32)
    if activation == "Tanh":
        return np.asarray(1 - output * output)
    return np.asarray(output * (1 - output)) if activation == "Sigmoid" else 1.0
