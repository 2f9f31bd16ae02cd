import numpy as np
import pytest

from perennial_trainer.compression import network
from perennial_trainer.compression.network import Layer, fit, forward, initial


@pytest.mark.parametrize("activation", ["Relu", "Tanh", "Sigmoid", ""])
@pytest.mark.parametrize("loss", ["squares", "cross_entropy"])
def test_the_gradients_are_those_of_the_loss(activation, loss):
    random = np.random.default_rng(1)
    layers = [
        Layer(random.normal(size=(3, 5)), random.normal(size=5), activation),
        Layer(random.normal(size=(5, 2)), random.normal(size=2)),
    ]
    rows, targets = random.normal(size=(7, 3)), network.softmax(random.normal(size=(7, 2)))

    def value(changed):
        output = forward(changed, rows)
        if loss == "squares":
            return ((output - targets) ** 2).mean()
        return -(targets * np.log(network.softmax(output))).sum(axis=1).mean()

    slopes = network._slopes(layers, rows, targets, loss)
    step = 1e-6
    for position, layer in enumerate(layers):
        for index in ((0, 0), (2, 1)):
            moved = layer.weight.copy()
            moved[index] += step
            changed = list(layers)
            changed[position] = Layer(moved, layer.bias, layer.activation)
            slope = (value(changed) - value(layers)) / step
            assert slopes[2 * position][index] == pytest.approx(slope, abs=1e-4)
        moved = layer.bias.copy()
        moved[1] += step
        changed = list(layers)
        changed[position] = Layer(layer.weight, moved, layer.activation)
        slope = (value(changed) - value(layers)) / step
        assert slopes[2 * position + 1][1] == pytest.approx(slope, abs=1e-4)


def test_a_network_learns_more_than_a_linear_model():
    random = np.random.default_rng(0)
    rows = random.uniform(-1, 1, (800, 2)).astype(np.float32)
    targets = np.eye(2)[(rows[:, 0] * rows[:, 1] > 0).astype(int)]

    def right(hidden):
        learnt = fit(initial([2, *hidden, 2], 0), rows, targets, "cross_entropy", 0, rate=5e-3)
        return (forward(learnt, rows).argmax(axis=1) == targets.argmax(axis=1)).mean()

    assert right((16,)) > 0.95
    assert right(()) < 0.7


def test_the_same_seed_makes_the_same_layers():
    random = np.random.default_rng(0)
    rows, targets = random.normal(size=(100, 3)), random.normal(size=(100, 1))

    def learn(seed):
        return fit(initial([3, 4, 1], seed), rows, targets, "squares", seed, steps=50)[0].weight

    np.testing.assert_array_equal(learn(1), learn(1))
    assert not np.array_equal(learn(1), learn(2))


def test_large_layers_shorten_the_training(monkeypatch):
    monkeypatch.setattr(network, "OPERATIONS", 1.0)
    layers = [Layer(np.ones((2, 2), np.float32), np.zeros(2, np.float32))]
    learnt = fit(layers, np.ones((10, 2)), np.zeros((10, 2)), "squares", 0, rate=0.1)
    np.testing.assert_allclose(
        learnt[0].weight, 0.9, atol=1e-5
    )  # Adam's first step equals the rate
