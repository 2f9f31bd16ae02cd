"""The drift profile is compared with its model when both are loaded."""

import pytest

from perennial_contracts.outcome import LoadFailure
from perennial_runtime.engine.model import Model
from perennial_runtime.errors import LoadError
from perennial_runtime.fetching.fetch import fetch


@pytest.fixture
def load(flights, write_files, tmp_path):
    def run(**changes) -> Model:
        directory = write_files(flights(**changes))
        return Model(fetch(str(directory), None, tmp_path / "cache", 0), 1)

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


def test_the_profile_names_the_positive_class_where_the_bundle_does_not(load):
    assert load(positive=None).classes.positive == 1
    assert load(positive=None, profile={"positive": None}).classes.positive is None


def test_without_labels_the_classes_are_numbered(load):
    assert load(labels=None, positive=None).classes.names == ("0", "1")


def test_a_number_is_answered_as_the_name_of_its_class(load):
    classes = load(labels=["early", "late"], positive="late", profile=None).classes
    assert classes.are_numbered


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ({"rows": "many"}, "profile.json: rows: Input should be a valid integer"),
        ({"features": [number("speed")]}, "features: 'speed' is no input of the model"),
        (
            {"features": [number("carrier")]},
            "profile.json: features: 'carrier' is a number, but the model's input 'carrier' is "
            "BYTES. Make the bundle again",
        ),
        (
            {"features": [category("amount", "a")]},
            "features: 'amount' is a category, but the model's input 'amount' is FP32",
        ),
        ({"score": category("score", "a")}, "score: expected edges, got categories"),
        ({"label": number("label")}, "label: expected the categories 0, 1, got edges"),
        ({"label": category("label", "0", "2")}, "label: expected the categories 0, 1, got '2'"),
        ({"positive": "2"}, "positive: expected one of 0, 1, got '2'"),
        ({"positive": "0"}, "positive: expected what bundle.json says, '1', got '0'"),
    ],
)
def test_a_profile_that_does_not_fit_is_corrupt(load, profile, message):
    with pytest.raises(LoadError) as caught:
        load(profile=profile)
    assert caught.value.reason is LoadFailure.MODEL_CORRUPT
    assert message in caught.value.message
    assert caught.value.message.endswith("Make the bundle again")


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"labels": ["a"], "positive": "a"}, "bundle.json: labels: expected a name for each of"),
        ({"positive": "2"}, "bundle.json: positive: expected one of 0, 1, got '2'"),
    ],
)
def test_labels_that_do_not_fit_are_corrupt(load, manifest, message):
    with pytest.raises(LoadError) as caught:
        load(**manifest)
    assert caught.value.reason is LoadFailure.MODEL_CORRUPT
    assert message in caught.value.message


def test_a_profile_of_answers_needs_a_classifier(affine, write_files, tmp_path):
    from perennial_contracts.bundle import Bundle, describe_files

    profile = b'{"rows": 1, "features": [], "score": {"name": "s", "edges": [], "counts": [1, 0]}}'
    files = {"model.onnx": affine, "profile.json": profile}
    manifest = Bundle(files=describe_files(files)).to_bytes()
    directory = write_files({**files, "bundle.json": manifest})
    with pytest.raises(LoadError) as caught:
        Model(fetch(str(directory), None, tmp_path / "cache", 0), 1)
    assert "score: expected none, as the model has no outputs" in caught.value.message
