import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from support import small_models

from perennial_trainer.compression import distill, students
from perennial_trainer.compression.augment import mixed
from perennial_trainer.compression.encoding import ENCODED, Encoding
from perennial_trainer.compression.graph import parse
from perennial_trainer.compression.method import NotApplicableError
from perennial_trainer.compression.outputs import OutputLayout
from perennial_trainer.compression.running import Session, run_to
from perennial_trainer.compression.samples import Samples
from perennial_trainer.conversion.sklearn_to_onnx import convert
from perennial_trainer.data.features import Feature, clean, infer, tensors
from perennial_trainer.selection.model_kinds import SearchCandidate
from perennial_trainer.selection.pipelines import make_pipeline

ROWS, TRUTH = small_models.rings()


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr(students.network, "OPERATIONS", 1e8)


def tabular(rows, *, texts, flat):
    """Return a forest on mixed columns, its feeds, and the truth as in its outputs."""
    frame = rows(500)
    if texts:
        frame["late"] = np.where(frame["late"] == 1, "late", "on time")
    features = infer(frame, "late")
    if flat:
        features = [Feature(f.name, f.datatype, False) for f in features]
    cleaned, truth = clean(frame, features, "rows"), frame["late"].to_numpy()
    proposal = SearchCandidate("RandomForest", {"n_estimators": 60, "max_depth": 10})
    pipeline = make_pipeline(proposal, features, "Classification", 0).fit(cleaned, truth)
    return convert(pipeline, features), tensors(cleaned, features), truth


@pytest.mark.parametrize("texts", [True, False])
@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("student", distill.STUDENTS, ids=lambda each: each.name)
def test_a_student_has_the_inputs_and_outputs_of_the_model(rows, texts, flat, student, monkeypatch):
    monkeypatch.setattr(distill, "STUDENTS", (student,))
    model, feeds, truth = tabular(rows, texts=texts, flat=flat)
    samples = Samples(feeds, feeds, lambda given: 1.0, "accuracy", True, truth)
    (made,) = distill.make(model, samples, 0)
    before, after = Session(model), Session(made.model)
    assert after.signature == before.signature
    got, wanted = after.run(feeds), before.run(feeds)
    assert set(got["label"]) == set(wanted["label"])
    assert (got["label"] == wanted["label"]).mean() > 0.8
    np.testing.assert_allclose(got["probabilities"].sum(axis=1), 1, rtol=1e-4)
    assert Session(made.control()).signature == before.signature


def test_a_student_of_numbers_learns_numbers():
    model = small_models.trees(RandomForestRegressor(40, random_state=0), ROWS, ROWS[:, 0] * 50 + 9)
    samples = Samples(
        {"X": ROWS}, {"X": ROWS}, lambda given: 1.0, "mae", False, ROWS[:, 0] * 50 + 9
    )
    wanted = Session(model).run({"X": ROWS})["variable"]
    for made in distill.make(model, samples, 0):
        got = Session(made.model).run({"X": ROWS})["variable"]
        assert got.shape == wanted.shape
        assert np.abs(got - wanted).mean() < 0.3 * wanted.std(), made.description


def test_a_student_of_logits_finds_the_same_class(monkeypatch):
    monkeypatch.setattr(students.network, "OPERATIONS", 1e9)
    model = small_models.trained_mlp(ROWS, TRUTH, hidden=512)
    samples = small_models.samples(ROWS, TRUTH, small_models.likeliest)
    *_, largest = distill.make(model, samples, 0)
    got, wanted = (Session(m).run({"X": ROWS})["logits"].argmax(1) for m in (largest.model, model))
    assert (got == wanted).mean() > 0.8


def test_logits_become_probabilities_if_the_truth_is_classes():
    outputs = {"logits": np.array([[5.0, -3.0, 0.0]] * 4, np.float32)}
    model = parse(small_models.cnn())
    classes = OutputLayout.of(model, outputs, np.array([0, 1, 2, 0]))
    assert classes.form == "logits"
    np.testing.assert_allclose(classes.targets(outputs).sum(axis=1), 1, rtol=1e-6)
    for truth in (None, np.zeros((4, 3), np.float32), np.array([0, 1, 2, 9])):
        values = OutputLayout.of(model, outputs, truth)
        assert values.form == "values"
        np.testing.assert_array_equal(values.targets(outputs), outputs["logits"])


def test_without_the_truth_a_student_learns_the_outputs_of_the_model():
    model = small_models.trees(RandomForestClassifier(60, random_state=0), ROWS, TRUTH)
    bare = Samples({"X": ROWS}, {"X": ROWS}, lambda given: 1.0, "accuracy", True)
    strange = Samples(
        {"X": ROWS}, {"X": ROWS}, lambda given: 1.0, "accuracy", True, np.full(len(ROWS), 77)
    )
    first, same = (next(distill.make(model, samples, 0)) for samples in (bare, strange))
    assert first.model == same.model
    assert first.control() == same.control()


def test_a_student_learns_more_from_soft_targets_than_from_labels():
    model = small_models.trees(RandomForestClassifier(60, random_state=0), ROWS[:400], TRUTH[:400])
    samples = small_models.samples(ROWS, TRUTH)
    tree = next(distill.make(model, samples, 0))
    wanted = Session(model).run({"X": ROWS[400:]})["probabilities"]
    soft, hard = (
        np.abs(Session(m).run({"X": ROWS[400:]})["probabilities"] - wanted).mean()
        for m in (tree.model, tree.control())
    )
    assert soft < hard


def test_without_rows_there_is_no_student():
    model = small_models.trees(RandomForestClassifier(3, random_state=0), ROWS, TRUTH)
    bare = Samples({}, {"X": ROWS}, lambda given: 1.0, "accuracy", higher_is_better=True)
    with pytest.raises(NotApplicableError, match="at least 50 rows to train on, got 0"):
        next(distill.make(model, bare, 0))


def test_rows_as_large_as_photos_have_too_many_values_for_a_student():
    wide = np.broadcast_to(np.float32(0.5), (200, 3, 512, 512))
    many = Samples({"X": wide}, {"X": wide[:1]}, lambda given: 1.0, "accuracy", True)
    with pytest.raises(NotApplicableError, match="too large for more"):
        next(distill.make(small_models.cnn(), many, 0))


def test_a_model_as_small_as_a_student_has_no_student():
    model = small_models.mlp(small_models.initial([8, 3], 0))
    samples = small_models.samples(ROWS, TRUTH, small_models.likeliest)
    with pytest.raises(NotApplicableError, match="the smallest student has"):
        list(distill.make(model, samples, 0))


@pytest.mark.parametrize(
    ("outputs", "problem"),
    [
        ({"a": np.zeros((4, 2)), "b": np.zeros((4, 2))}, "one output of floats"),
        ({"a": np.zeros((4, 2, 2))}, "one output of floats"),
        ({"label": np.zeros(4, np.int64)}, "one output of floats"),
        (
            {"label": np.array([1, 0, 1, 0]), "p": np.array([[0.9, 0.1]] * 4)},
            "most likely class in only 50%",
        ),
        (
            {"label": np.array(["b"] * 4, object), "p": np.array([[0.9, 0.1]] * 4)},
            "class 1 is never",
        ),
    ],
)
def test_outputs_that_no_student_can_have_are_rejected(outputs, problem):
    with pytest.raises(NotApplicableError, match=problem):
        OutputLayout.of(parse(small_models.cnn()), outputs)


def test_the_label_of_a_class_that_is_never_predicted_is_found_in_the_model():
    model = small_models.trees(RandomForestClassifier(5, random_state=0), ROWS, TRUTH * 10)
    outputs = Session(model).run({"X": ROWS})
    seen = outputs["label"] != 20
    some = {name: values[seen] for name, values in outputs.items()}
    assert OutputLayout.of(parse(model), some).labels.tolist() == [0, 10, 20]


TEXTS = st.sampled_from(["a", "b", "", "never seen"])
NUMBERS = st.floats(-1e3, 1e3, width=32) | st.just(float("nan"))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(-9, 9), TEXTS), min_size=1, max_size=8))
def test_onnx_encodes_rows_as_numpy_does(rows):
    def feeds(table):
        first, second, whole, text = zip(*table, strict=True)
        return {
            "numbers": np.array([first, second], np.float32).T,
            "whole": np.array(whole, np.int64),
            "text": np.array(text, object).reshape(-1, 1),
        }

    fitted = [(1.0, 2.0, 3, "a"), (2.0, float("nan"), 4, "b"), (9.0, 0.5, -1, "")]
    encoding = Encoding.learn(feeds(fitted))
    nodes, weights = encoding.nodes()
    helper = students.helper
    kinds = {"numbers": (1, ["n", 2]), "whole": (7, ["n"]), "text": (8, ["n", 1])}
    inputs = [helper.make_tensor_value_info(name, *kind) for name, kind in kinds.items()]
    outputs = [helper.make_tensor_value_info(ENCODED, 1, ["n", None])]
    graph = helper.make_graph(nodes, "encoding", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    got = run_to(model, [ENCODED], feeds(rows))[0]
    np.testing.assert_allclose(got, encoding.encode(feeds(rows)), rtol=1e-5, atol=1e-5)
    assert np.isfinite(got).all()


def test_generated_rows_are_between_given_ones_and_keep_texts_and_whole_numbers():
    feeds = {
        "x": np.array([[0.0], [10.0], [np.nan]], np.float32),
        "text": np.array(["a", "b", "c"], object),
        "whole": np.array([1, 2, 3]),
    }
    made = mixed(feeds, seed=0, copies=20)
    assert len(made["x"]) == 63
    np.testing.assert_array_equal(made["x"][:3], feeds["x"])
    assert np.nanmin(made["x"]) > -10
    assert np.nanmax(made["x"]) < 20
    assert set(made["text"]) == {"a", "b", "c"}
    assert set(made["whole"]) == {1, 2, 3}
    assert made["x"].dtype == np.float32


def test_the_same_seed_makes_the_same_student():
    model = small_models.trees(RandomForestClassifier(30, random_state=0), ROWS, TRUTH)
    samples = small_models.samples(ROWS, TRUTH)
    first, same, other = (
        [each.model for each in distill.make(model, samples, seed)] for seed in (1, 1, 2)
    )
    assert first == same
    assert first != other
