import numpy as np
import onnxruntime
import pytest

from flights_demo import bundle, conversion, protocol, training
from flights_demo.data import CATEGORIES, FEATURES, concatenate
from perennial_contracts.bundle import MANIFEST_NAME, MODEL_NAME, Bundle
from perennial_contracts.digest import digest_of


@pytest.fixture(scope="module")
def model(trained):
    return conversion.convert(trained.pipeline)


@pytest.fixture(scope="module")
def packed(trained, model):
    return bundle.pack(model, training.LABELS, trained.scores.by_name(), {"data": "test"})


def test_the_model_is_judged_on_flights_after_those_it_was_trained_on(trained):
    assert trained.trained_on.hours.max() <= trained.held_out.hours.min()
    assert trained.scores.roc_auc > 0.8


def test_the_onnx_model_says_what_scikit_learn_says_unknown_names_and_gaps_included(trained, model):
    parity = conversion.check(model, trained.pipeline, trained.held_out)
    assert parity.rows == parity.same_labels == 2 * len(trained.held_out)
    assert parity.largest_difference < 1e-5


def test_a_conversion_that_says_something_else_is_refused(trained, model, rows):
    other = training.train(rows[3000:6000])
    with pytest.raises(conversion.ParityError, match="differs from scikit-learn"):
        conversion.check(model, other.pipeline, trained.held_out)


def test_the_model_has_an_input_per_feature_and_a_free_batch_dimension(model):
    session = onnxruntime.InferenceSession(model)
    shapes = {node.name: node.shape for node in session.get_inputs()}
    assert shapes == {name: ["batch", 1] for name in FEATURES}
    assert [node.shape[0] for node in session.get_outputs()] == ["batch", "batch"]


def test_a_bundle_lists_its_files_and_signature_and_pins_both(packed, model):
    manifest = Bundle.model_validate_json(packed.files[MANIFEST_NAME])
    assert [(f.path, f.digest, f.size) for f in manifest.files] == [
        (MODEL_NAME, digest_of(model), len(model))
    ]
    assert {t.name: (t.datatype, t.shape) for t in manifest.inputs} == {
        name: ("BYTES" if name in CATEGORIES else "FP32", [-1, 1]) for name in FEATURES
    }
    assert {t.name: (t.datatype, t.shape) for t in manifest.outputs} == {
        "label": ("INT64", [-1]),
        "probabilities": ("FP32", [-1, 2]),
    }
    assert manifest.labels == ["on time", "late"]
    assert packed.digest == digest_of(packed.files[MANIFEST_NAME])


def test_the_same_training_makes_the_same_bytes(trained, packed):
    again = training.train(concatenate(trained.trained_on, trained.held_out))
    model = conversion.convert(again.pipeline)
    metrics = again.scores.by_name()
    assert bundle.pack(model, training.LABELS, metrics, {"data": "test"}) == packed


def test_the_runtime_reads_the_requests_and_the_demo_its_answers(trained, packed, tmp_path, rows):
    from perennial_runtime.load import load
    from perennial_runtime.settings import parse

    for name, content in packed.files.items():
        (tmp_path / name).write_bytes(content)
    settings = parse(["serve", str(tmp_path), "--cache-dir", str(tmp_path / "cache")], {})
    served, codec = load(settings)
    sample = rows[10_000:10_100]
    answers = []
    for body in protocol.batches(sample, 64):
        request = codec.decode(body)
        answers.append(
            protocol.decode(codec.encode(request, served.run(request.feeds, request.outputs)))
        )
    said = np.concatenate([answer.probability for answer in answers])
    assert [len(answer.late) for answer in answers] == [64, 36]
    assert packed.digest.startswith(f"sha256:{answers[0].version}")
    np.testing.assert_allclose(
        said, trained.pipeline.predict_proba(sample.features)[:, 1], atol=1e-5
    )


def test_an_answer_that_is_no_prediction_is_an_error():
    for body in (b"", b"[]", b'{"outputs": []}', b'{"outputs": [{"name": "label"}]}'):
        with pytest.raises(ValueError):
            protocol.decode(body)
