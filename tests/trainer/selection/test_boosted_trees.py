"""Training that continues from stored trees."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_trainer.conversion.sklearn_to_onnx import make_onnx
from perennial_trainer.data.features import Feature, clean, infer
from perennial_trainer.data.labels import clean_labels
from perennial_trainer.selection import boosted_trees, pipelines
from perennial_trainer.selection.model_kinds import (
    SETTINGS,
    SearchCandidate,
)

BOOSTERS = ["LightGBM", "XGBoost"]


@pytest.fixture(params=BOOSTERS)
def booster(request) -> str:
    pytest.importorskip(request.param.lower())
    return request.param


TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=3), min_size=1, max_size=30)


@given(learnt=TEXTS, unseen=TEXTS, many=st.booleans())
def test_the_encoded_columns_of_texts_stay_the_same(learnt, unseen, many):
    if many:  # more than the encoder has columns for
        learnt = [
            *learnt,
            *[f"often {n % 99}" for n in range(300)],
            *[f"once {n}" for n in range(9)],
        ]
    features = [Feature("size"), Feature("name", "BYTES")]

    def frame(texts):
        sizes = np.arange(len(texts), dtype=np.float32)
        return pd.DataFrame({"size": sizes, "name": np.array(texts, object)})

    pipeline = pipelines.make_pipeline(SearchCandidate("LightGBM", {}), features, "Regression", 0)
    columns = pipeline.named_steps["columns"].fit(frame(learnt))
    encoder = columns.named_transformers_["texts"]
    rare = encoder.infrequent_categories_[0]
    rarely = [] if rare is None else rare.tolist()
    often = [text for text in encoder.categories_[0].tolist() if text not in rarely]
    texts = {"name": boosted_trees.Texts(often=often, rarely=rarely)}
    again = pipelines.make_pipeline(SearchCandidate("LightGBM", {}), features, "Regression", 0)
    made = again.named_steps["columns"].fit(boosted_trees._encoder_rows(texts, frame(learnt)))
    rows = frame([*learnt, *unseen])
    np.testing.assert_array_equal(made.transform(rows), columns.transform(rows))


def problem(rows, seed, task):
    table = rows(1200, seed, drift=0.5)
    features = infer(table, "late")
    frame = clean(table, features, "rows")
    late = clean_labels(table["late"], "late", "rows")
    if task == "numbers":
        return frame, 3.0 * frame["wind"].to_numpy(np.float64) + late, features
    if task == "three":
        return frame, late + (frame["hour"].to_numpy() > 20), features
    if task == "texts":
        return frame, np.array(["early", "late"], object)[late], features
    return frame, late, features


@pytest.mark.parametrize("task", ["two", "three", "texts", "numbers"])
def test_added_trees_continue_the_old_ones_and_convert(rows, booster, task, tmp_path):
    if (booster, task) == ("XGBoost", "texts"):
        pytest.skip("XGBoost accepts whole numbers as classes only")
    frame, truth, features = problem(rows, 1, task)
    name = "Regression" if task == "numbers" else "Classification"
    settings = {**SETTINGS[booster][0], "n_estimators": 40}
    old = pipelines.fit(SearchCandidate(booster, settings), frame, truth, features, name, 0)
    for path, data in boosted_trees.files(old, booster).items():
        (tmp_path / path).write_bytes(data)
    classes = [] if task == "numbers" else [str(label) for label in old.classes_]
    trees = boosted_trees.read(tmp_path, booster, classes)
    assert trees is not None
    assert trees.count() == 40

    frame, truth, features = problem(rows, 2, task)
    again = SearchCandidate(booster, settings, trees)
    new = pipelines.fit(again, frame, truth, features, name, 0)
    same = pipelines.fit(again, frame, truth, features, name, 0)
    assert boosted_trees.files(new, booster) == boosted_trees.files(same, booster)
    for path, data in boosted_trees.files(new, booster).items():
        (tmp_path / path).write_bytes(data)
    grown = boosted_trees.read(tmp_path, booster, classes)
    assert grown is not None
    assert grown.count() == 50
    make_onnx(new, features, frame)  # raises if they differ


def test_classes_that_the_trees_lack_are_rejected(rows, booster, tmp_path):
    frame, truth, features = problem(rows, 1, "two")
    settings = {**SETTINGS[booster][0], "n_estimators": 4}
    old = pipelines.fit(
        SearchCandidate(booster, settings), frame, truth, features, "Classification", 0
    )
    for path, data in boosted_trees.files(old, booster).items():
        (tmp_path / path).write_bytes(data)
    trees = boosted_trees.read(tmp_path, booster, ["0", "1"])
    with pytest.raises(
        ValueError, match=r"champion's classes to continue from its trees, 0, 1, got 0, 1, 2"
    ):
        pipelines.fit(
            SearchCandidate(booster, settings, trees),
            frame,
            np.arange(len(truth)) % 3,
            features,
            "Classification",
            0,
        )


@pytest.mark.parametrize("data", [b"", b"no trees", b"tree\nversion=v4\n"])
def test_a_file_without_trees_is_ignored(tmp_path, booster, data):
    (tmp_path / boosted_trees.TEXTS_FILE).write_text("{}")
    (tmp_path / boosted_trees.TREES_FILES[booster]).write_bytes(data)
    assert boosted_trees.read(tmp_path, booster, []) is None
