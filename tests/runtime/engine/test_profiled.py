"""The drift profile must fit its model."""

import weakref

import numpy as np
import pytest

from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.profile import Profile
from perennial_runtime.classes import Classes
from perennial_runtime.engine.model import LoadedModel
from perennial_runtime.errors import LoadError
from perennial_runtime.monitoring.monitor import Monitor
from perennial_runtime.monitoring.monitored_model import MonitoredModel
from perennial_runtime.protocol.perennial.prediction_id import IdMaker
from perennial_runtime.signature import TensorSpec
from perennial_storage.fetch import fetch


@pytest.fixture
def load(flights, write_files, tmp_path):
    def run(**changes) -> LoadedModel:
        directory = write_files(flights(**changes))
        return LoadedModel(fetch(str(directory), None, tmp_path / "cache", 0), 1)

    return run


def number(name):
    return {"name": name, "edges": [0.5], "counts": [1, 1, 0]}


def category(name, *categories):
    return {"name": name, "categories": categories, "counts": [1] * (len(categories) + 2)}


def test_a_profile_that_fits_is_loaded(load):
    model = load()
    assert [f.name for f in model.profiled.profile.features][:2] == ["amount", "carrier"]
    assert model.classes.names == ("0", "1")
    assert model.classes.positive == 1


def test_a_bundle_without_a_profile_has_none(load):
    assert load(profile=None).profiled is None


def test_the_profile_can_name_the_positive_class(load):
    assert load(positive=None).classes.positive == 1
    assert load(positive=None, profile={"positive": None}).classes.positive is None


def test_without_labels_the_classes_are_numbered(load):
    assert load(labels=None, positive=None).classes.names == ("0", "1")


def test_a_predicted_number_is_the_index_of_its_class(load):
    classes = load(labels=["early", "late"], positive="late", profile=None).classes
    assert classes.are_numbered


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ({"rows": "many"}, "profile.json: rows: Input should be a valid integer"),
        ({"features": [number("speed")]}, "features: 'speed' is not an input of the model"),
        (
            {"features": [number("carrier")]},
            "profile.json: features: 'carrier' is a number, but the model's input 'carrier' is "
            "BYTES. Fix: build the bundle again",
        ),
        (
            {"features": [category("amount", "a")]},
            "features: 'amount' is a category, but the model's input 'amount' is FP32",
        ),
        ({"score": category("score", "a")}, "score: expected edges, got categories"),
        ({"label": number("label")}, "label: expected the categories 0, 1, got edges"),
        ({"label": category("label", "0", "2")}, "label: expected the categories 0, 1, got '2'"),
        ({"positive": "2"}, "positive: expected one of 0, 1, got '2'"),
        ({"positive": "0"}, "positive: expected '1' as in bundle.json, got '0'"),
    ],
)
def test_a_profile_that_does_not_fit_is_corrupt(load, profile, message):
    with pytest.raises(LoadError) as caught:
        load(profile=profile)
    assert caught.value.reason is LoadFailure.MODEL_CORRUPT
    assert message in caught.value.message
    assert caught.value.message.endswith("Fix: build the bundle again")


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (
            {"labels": ["a"], "positive": "a"},
            "bundle.json: labels: expected a unique name for each of",
        ),
        ({"positive": "2"}, "bundle.json: positive: expected one of 0, 1, got '2'"),
    ],
)
def test_labels_that_do_not_fit_are_corrupt(load, manifest, message):
    with pytest.raises(LoadError) as caught:
        load(**manifest)
    assert caught.value.reason is LoadFailure.MODEL_CORRUPT
    assert message in caught.value.message


def test_a_profile_of_scores_needs_a_classifier(affine, write_files, tmp_path):
    from perennial_contracts.wire.bundle import Bundle, describe_files

    profile = b'{"rows": 1, "features": [], "score": {"name": "s", "edges": [], "counts": [1, 0]}}'
    files = {"model.onnx": affine, "profile.json": profile}
    manifest = Bundle(files=describe_files(files)).to_bytes()
    directory = write_files({**files, "bundle.json": manifest})
    with pytest.raises(LoadError) as caught:
        LoadedModel(fetch(str(directory), None, tmp_path / "cache", 0), 1)
    assert "score: expected none: the model has no outputs" in caught.value.message


def watch(profile: dict | None, shape=(-1, 1, 2, 2)) -> Monitor:
    classes = Classes(("cat", "dog"), 1)
    inputs = [TensorSpec("image", "FP32", shape)]
    known = Profile.model_validate(profile) if profile else None
    version = "0" * 12
    ids = IdMaker("m", version)
    return Monitor(MonitoredModel("m", version, "sha256:1", inputs, ids, classes, known), "pod")


ANSWERS = {
    "rows": 4,
    "features": [],
    "score": {"name": "score", "edges": [0.5], "counts": [2, 2, 0]},
    "label": {"name": "label", "categories": ["cat", "dog"], "counts": [2, 2, 0, 0]},
}


@pytest.mark.parametrize("sizes", [(1, 1, 1), (3,), (1, 2)])
def test_predictions_for_images_are_counted_and_the_images_are_not_kept(sizes):
    monitor = watch(ANSWERS)
    kept = []
    for size in sizes:
        image = np.zeros((size, 1, 2, 2), np.float32)
        kept.append(weakref.ref(image))
        dogs = np.tile(np.array([[0.2, 0.8]], np.float32), (size, 1))
        results = {"label": np.array(["dog"] * size, object), "probabilities": dogs}
        monitor.record({"image": image}, results)
    del image
    assert [reference() for reference in kept] == [None] * len(kept)
    counters = monitor.counters()
    assert counters.rows == 3
    assert counters.score == [0, 3, 0]
    assert counters.label == [0, 3, 0, 0]
    assert counters.features == {}


def test_without_a_profile_only_rows_are_counted():
    monitor = watch(None)
    results = {"label": np.array(["dog"], object), "probabilities": np.array([[0.2, 0.8]])}
    monitor.record({"image": np.zeros((1, 1, 2, 2), np.float32)}, results)
    counters = monitor.counters()
    assert (counters.rows, counters.score, counters.label) == (1, None, None)
