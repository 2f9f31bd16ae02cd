import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from support import small_models

from perennial_contracts.wire.names import Datatype
from perennial_trainer.compression import float16, quantize
from perennial_trainer.compression.graph import operators, parse
from perennial_trainer.compression.method import NotApplicableError
from perennial_trainer.compression.running import Session
from perennial_trainer.compression.samples import Samples
from perennial_trainer.conversion.sklearn_to_onnx import convert
from perennial_trainer.data.features import Feature, clean, infer, tensors
from perennial_trainer.selection.model_kinds import SETTINGS, SearchCandidate
from perennial_trainer.selection.pipelines import make_pipeline

ROWS, TRUTH = small_models.rings()
SAMPLES = small_models.samples(ROWS, TRUTH, small_models.likeliest)
IMAGES = np.random.default_rng(0).normal(size=(300, 1, 6, 6)).astype(np.float32)
PICTURES = small_models.samples(IMAGES, np.zeros(300, np.int64), learn=200)
METHODS = {"dynamic": quantize.make_dynamic, "static": quantize.make_static, "halves": float16.make}


@pytest.fixture(scope="module")
def network() -> bytes:
    return small_models.trained_mlp(ROWS, TRUTH, hidden=256)


def first(method, model, samples):
    return next(iter(method(model, samples, 0))).model


@pytest.mark.parametrize(
    ("method", "share"), [("dynamic", 0.45), ("static", 0.55), ("halves", 0.65)]
)
def test_a_dense_network_is_smaller_and_its_outputs_are_nearly_the_same(network, method, share):
    made = first(METHODS[method], network, SAMPLES)
    before, after = Session(network), Session(made)
    assert len(made) < share * len(network)
    assert after.signature == before.signature
    same = after.run({"X": ROWS})["logits"].argmax(axis=1)
    assert (same == before.run({"X": ROWS})["logits"].argmax(axis=1)).mean() > 0.97


def test_a_convolution_is_quantized_with_its_activations_and_only_then():
    model = small_models.cnn()
    static, dynamic = (first(METHODS[m], model, PICTURES) for m in ("static", "dynamic"))
    assert "QuantizeLinear" in operators(parse(static))
    assert "BatchNormalization" not in operators(parse(static))
    assert "Conv" in operators(parse(dynamic))
    assert "ConvInteger" not in operators(parse(dynamic))
    assert "MatMulInteger" in operators(parse(dynamic))
    wanted, got = (Session(m).run({"X": IMAGES})["logits"] for m in (model, static))
    assert np.abs(wanted - got).mean() < 0.1 * wanted.std()


@pytest.mark.parametrize("method", METHODS)
def test_trees_are_not_applicable_and_the_reason_names_no_tool(method):
    model = small_models.trees(RandomForestClassifier(3, random_state=0), ROWS, TRUTH)
    with pytest.raises(NotApplicableError, match="Prune and Distill") as caught:
        first(METHODS[method], model, SAMPLES)
    assert "domain" not in str(caught.value)


@pytest.mark.parametrize("method", METHODS)
def test_a_linear_model_of_another_operator_is_not_applicable(method):
    model = small_models.trees(LogisticRegression(), ROWS, TRUTH)
    with pytest.raises(NotApplicableError, match=r"the model has .*LinearClassifier"):
        first(METHODS[method], model, SAMPLES)


def test_ranges_need_rows(network):
    bare = Samples({}, SAMPLES.held_out, SAMPLES.score, "accuracy", higher_is_better=True)
    with pytest.raises(NotApplicableError, match="no rows to take the ranges"):
        first(quantize.make_static, network, bare)


def test_ranges_come_from_calls_with_the_fixed_number_of_rows():
    data = small_models.trained_mlp(ROWS, TRUTH)
    model = parse(data)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 8
    made = first(quantize.make_static, model.SerializeToString(), SAMPLES)
    assert Session(made).fixed_rows == 8


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", ["columns", "flat"])
def test_every_method_applies_to_a_pipeline_with_texts_and_other_inputs(rows, method, shape):
    frame = rows(400)
    features = infer(frame, "late")
    if shape == "flat":
        whole: Datatype = "INT64"
        kinds = [whole if f.name == "hour" else f.datatype for f in features]
        features = [Feature(f.name, k, False) for f, k in zip(features, kinds, strict=True)]
    cleaned, truth = clean(frame, features, "rows"), frame["late"].to_numpy()
    settings = {**SETTINGS["MLP"][0], "hidden_layer_sizes": (128,), "early_stopping": False}
    pipeline = make_pipeline(SearchCandidate("MLP", settings), features, "Classification", 0)
    pipeline.set_params(model__max_iter=300, model__tol=1e-3).fit(cleaned, truth)
    model, feeds = convert(pipeline, features), tensors(cleaned, features)
    samples = Samples(feeds, feeds, lambda given: 1.0, "accuracy", higher_is_better=True)
    wanted = Session(model).run(feeds)
    made = Session(first(METHODS[method], model, samples))
    assert made.signature == Session(model).signature
    assert (made.run(feeds)["label"] == wanted["label"]).mean() > 0.97


def test_weights_beyond_half_floats_stay_unchanged(network):
    model = parse(network)
    float16._halve_weights(model)
    assert {"Cast", "Gemm"} == operators(model) - {"Relu"}
    large = small_models.mlp(
        [small_models.Layer(np.full((16, 16), 1e6, np.float32), np.zeros(16, np.float32))]
    )
    kept = parse(large)
    float16._halve_weights(kept)
    assert "Cast" not in operators(kept)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_rows_make_the_same_bytes(network, method):
    assert first(METHODS[method], network, SAMPLES) == first(METHODS[method], network, SAMPLES)
