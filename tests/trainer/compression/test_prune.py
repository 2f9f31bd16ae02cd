import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from support import small_models

from perennial_trainer.compression import channels, dense, neurons, prune
from perennial_trainer.compression.graph import parse, serialize
from perennial_trainer.compression.method import NotApplicableError
from perennial_trainer.compression.network import Layer, initial
from perennial_trainer.compression.running import Session
from perennial_trainer.compression.samples import Samples

ROWS, TRUTH = small_models.rings()
SAMPLES = small_models.samples(ROWS, TRUTH, small_models.likeliest)
IMAGES = np.random.default_rng(0).normal(size=(300, 1, 6, 6)).astype(np.float32)


def logits(model, rows):
    return Session(model).run({"X": rows})["logits"]


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(8, 20),
    st.integers(8, 20),
    st.sampled_from(["Relu", "Tanh"]),
)
def test_removing_neurons_without_effect_changes_no_output(seed, first, second, activation):
    random = np.random.default_rng(seed)
    layers = [
        Layer(layer.weight, random.normal(size=layer.bias.shape).astype(np.float32), kind)
        for layer, kind in zip(
            initial([8, first, second, 3], seed), (activation, activation, ""), strict=True
        )
    ]
    for index, size in ((0, first), (1, second)):
        dead = random.choice(size, size // 2, replace=False)
        layers[index + 1].weight[dead] = 0
    data = small_models.mlp(layers)
    model = parse(data)
    before, after = neurons.prune(model, 0.5)
    assert before == first + second
    assert after == -(-first // 2) - (-second // 2)
    np.testing.assert_allclose(
        logits(serialize(model), ROWS), logits(data, ROWS), rtol=1e-3, atol=1e-4
    )


def test_removing_channels_without_effect_changes_no_output():
    data = small_models.cnn(channels=8)
    model = parse(data)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, axis, block in (("f1", 1, 1), ("w0", 0, 9)):
        values = numpy_helper.to_array(weights[name]).copy()
        values = np.moveaxis(values, axis, 0)
        values[: 4 * block] = 0
        values = np.moveaxis(values, 0, axis)
        weights[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), name))
    whole = model.SerializeToString()
    assert channels.prune(model, 0.5) == (16, 8)
    np.testing.assert_allclose(
        logits(serialize(model), IMAGES), logits(whole, IMAGES), rtol=1e-3, atol=1e-3
    )


def test_a_convolution_whose_channels_are_added_to_others_stays_unchanged():
    random = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(random.normal(size=shape).astype(np.float32), name)
        for name, shape in {"f": (4, 4, 3, 3), "g": (4, 1, 3, 3), "w": (144, 3)}.items()
    ]
    nodes = [
        helper.make_node("Conv", ["X", "g"], ["a"], pads=[1] * 4),
        helper.make_node("Conv", ["a", "f"], ["b"], pads=[1] * 4),
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Flatten", ["sum"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["logits"]),
    ]
    model = parse(small_models.model(nodes, weights, [1, 6, 6], 3, "X"))
    assert channels.prune(model, 0.5) == (0, 0)


def test_fine_tuning_recovers_most_of_the_loss_of_pruning():
    data = small_models.trained_mlp(ROWS, TRUTH, hidden=128)
    model = parse(data)
    neurons.prune(model, 0.25)
    untuned = serialize(parse(model.SerializeToString()))
    assert neurons.tune(model, parse(data), {"X": ROWS[:400]}, seed=0)
    wanted = logits(data, ROWS[400:])
    lost, left = (
        np.abs(logits(m, ROWS[400:]) - wanted).mean() for m in (untuned, serialize(model))
    )
    assert left < 0.5 * lost


def test_a_network_is_pruned_to_half_its_size_with_the_same_inputs_and_outputs():
    data = small_models.trained_mlp(ROWS, TRUTH, hidden=256)
    half, more = prune.make(data, SAMPLES, 0)
    assert half.description == "128 of 256 neurons, fine-tuned"
    assert more.description == "192 of 256 neurons, fine-tuned"
    assert len(half.model) < 0.6 * len(data)
    assert Session(half.model).signature == Session(data).signature
    assert SAMPLES.score({"logits": logits(half.model, ROWS[400:])}) > 0.8


def test_channels_and_neurons_are_pruned_together():
    data = small_models.cnn()
    samples = small_models.samples(IMAGES, np.zeros(300, np.int64), learn=200)
    half = next(iter(prune.make(data, samples, 0)))
    assert half.description == "8 of 16 channels and 16 of 32 neurons, fine-tuned"
    assert len(half.model) < 0.5 * len(data)


def test_without_rows_there_is_no_fine_tuning():
    bare = Samples({}, SAMPLES.held_out, SAMPLES.score, "accuracy", higher_is_better=True)
    half = next(iter(prune.make(small_models.trained_mlp(ROWS, TRUTH), bare, 0)))
    assert half.description.endswith("not fine-tuned")


def test_a_weight_that_two_layers_share_stays_unchanged():
    shared = numpy_helper.from_array(np.eye(8, dtype=np.float32), "w")
    nodes = [
        helper.make_node("MatMul", ["X", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "w"], ["logits"]),
    ]
    assert dense.find(parse(small_models.model(nodes, [shared], [8], 8, "X"))) == []


def test_without_hidden_layers_single_weights_become_zero_and_the_size_stays():
    wide = [
        Layer(
            np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32),
            np.zeros(64, np.float32),
        )
    ]
    data = small_models.mlp(wide)
    (variant,) = prune.make(data, SAMPLES, 0)
    assert variant.description == "50% of the weights are zero"
    assert abs(len(variant.model) - len(data)) < 100


def test_a_linear_model_has_nothing_to_remove():
    model = small_models.trees(LogisticRegression(), ROWS, TRUTH)
    with pytest.raises(NotApplicableError, match="no hidden layers, channels or trees"):
        list(prune.make(model, SAMPLES, 0))
