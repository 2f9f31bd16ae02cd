"""A search that begins with the model that serves: its settings, its trees, and when neither."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.capturing import NOW, capture, make_plan, put_bundle

from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.api.search import CANDIDATES, Search
from perennial_contracts.wire.bundle import Bundle
from perennial_trainer.conversion.sklearn_to_onnx import make_onnx
from perennial_trainer.data.features import Feature, clean, infer
from perennial_trainer.data.labels import clean_labels
from perennial_trainer.evaluation.task import REGRESSION, make_task
from perennial_trainer.selection import boosted_trees, pipelines
from perennial_trainer.selection.folds import split_folds
from perennial_trainer.selection.model_kinds import (
    SETTINGS,
    SearchCandidate,
    list_candidates,
    list_candidates_near,
)
from perennial_trainer.selection.report import SearchReport
from perennial_trainer.selection.search import search
from perennial_trainer.selection.trials import SearchProblem
from perennial_trainer.selection.warm_start import NoWarmStartError, WarmStart, read
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps import assemble, judge, train
from perennial_trainer.steps.fit import make_bundle

BOOSTERS = ["LightGBM", "XGBoost"]


@pytest.fixture(params=BOOSTERS)
def booster(request) -> str:
    pytest.importorskip(request.param.lower())
    return request.param


# --- what is tried ---


@given(
    kinds=st.sets(st.sampled_from(CANDIDATES), min_size=1),
    place=st.integers(0, 1),
    trials=st.integers(1, 40),
    data=st.data(),
)
def test_the_champions_settings_come_first_and_each_other_kind_once(kinds, place, trials, data):
    kind = data.draw(st.sampled_from(sorted(kinds)))
    own = SearchCandidate(kind, SETTINGS[kind][place])
    proposed = list_candidates_near([own], list(kinds), "roc_auc", trials)
    assert proposed[0] == own
    others = [one.kind for one in proposed if one.kind != kind]
    assert len(set(others)) == len(others)
    if trials >= len(kinds):
        assert set(others) == kinds - {kind}
    assert len(proposed) <= len(list_candidates(list(kinds), "roc_auc", trials))
    assert len({(one.kind, str(one.params)) for one in proposed}) == len(proposed)


@given(st.integers(8, 300), st.integers(3, 400), st.integers(0, 2**16))
def test_what_the_champion_has_learnt_from_is_judged_on_by_no_fold(rows, fresh, seed):
    labels = np.random.default_rng(seed).integers(0, 2, rows)
    folds, order = split_folds(labels, seed, fresh=fresh)
    assert order == "TimeOrdered"
    for learnt, judged in folds:
        assert judged.min() >= rows - fresh
        assert learnt.max() < judged.min()


# --- trees that are added to ---

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=3), min_size=1, max_size=30)


@given(learnt=TEXTS, asked=TEXTS, many=st.booleans())
def test_the_columns_of_texts_stay_what_they_were(learnt, asked, many):
    if many:  # more than have a column each
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
    rows = frame([*learnt, *asked])
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
def test_trees_that_are_added_stand_upon_the_old_ones_and_convert(rows, booster, task, tmp_path):
    if (booster, task) == ("XGBoost", "texts"):
        pytest.skip("it takes whole numbers for classes alone")
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
    make_onnx(new, features, frame)  # raises where they differ


def test_classes_that_the_trees_do_not_know_are_refused(rows, booster, tmp_path):
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
def test_what_is_no_file_of_trees_is_not_gone_on_from(tmp_path, booster, data):
    (tmp_path / boosted_trees.TEXTS_FILE).write_text("{}")
    (tmp_path / boosted_trees.TREES_FILES[booster]).write_bytes(data)
    assert boosted_trees.read(tmp_path, booster, []) is None


# --- the champion ---

WANTED = Search(candidates=["DecisionTree"], maxTrials=2, metric="roc_auc")


@pytest.fixture(scope="module")
def made(rows):
    return make_bundle(rows(900, 9), label="late", positive=None, search=WANTED, lineage={})


@pytest.fixture
def folder(tmp_path, made):
    put_bundle(tmp_path / "serves", made.files, made.digest)
    return tmp_path / "serves"


FEATURES = [Feature("gap"), Feature("wind"), Feature("carrier", "BYTES"), Feature("hour")]
TASK = make_task(["0", "1"], None)


def test_a_bundle_says_which_kind_and_settings_won(folder, made):
    found, why = read(folder, FEATURES, TASK, None)
    chosen = made.search.trials[made.search.chosen]
    assert (found.kind, dict(found.params)) == (chosen.kind, chosen.params)
    assert why == "DecisionTree cannot continue training"


def test_settings_with_lists_read_back_as_the_search_has_them(folder):
    change(folder, candidate="MLP", settings=json.dumps({"hidden_layer_sizes": [64, 32]}))
    found, _ = read(folder, FEATURES, TASK, None)
    assert found.params == {"hidden_layer_sizes": (64, 32)}


def change(folder: Path, **lineage: str) -> None:
    bundle = Bundle.model_validate_json((folder / "bundle.json").read_bytes())
    known = {**bundle.lineage, **lineage}
    (folder / "bundle.json").write_bytes(bundle.model_copy(update={"lineage": known}).to_bytes())


@pytest.mark.parametrize(
    ("features", "task", "message"),
    [
        (FEATURES[:3], TASK, "the features have changed: hour"),
        ([*FEATURES[:3], Feature("hour", "BYTES")], TASK, "the features have changed: hour"),
        (FEATURES[::-1], TASK, "the features have changed: their order"),
        (FEATURES, make_task(["0", "1", "2"], None), "the classes have changed: 0, 1 to 0, 1, 2"),
        (FEATURES, make_task(["0", "1"], "0"), "the positive class has changed: 1 to 0"),
        (
            FEATURES,
            REGRESSION,
            "the champion's task is Classification, and that of the search is Regression",
        ),
    ],
)
def test_a_champion_of_something_else_is_not_begun_with(folder, features, task, message):
    with pytest.raises(NoWarmStartError, match=message):
        read(folder, features, task, None)


@pytest.mark.parametrize(
    "settings",
    ["", "{", "[]", "3", '{"splitter": "best"}', '{"max_depth": "7"}', '{"max_depth": [7]}'],
)
def test_settings_that_the_search_does_not_use_are_not_taken(folder, settings):
    change(folder, settings=settings)
    with pytest.raises(
        NoWarmStartError, match="the champion's settings are not settings of DecisionTree"
    ):
        read(folder, FEATURES, TASK, None)


def test_without_a_bundle_and_without_a_kind_there_is_nothing_to_begin_with(folder, tmp_path):
    with pytest.raises(NoWarmStartError, match="there is no champion"):
        read(tmp_path / "none", FEATURES, TASK, None)
    change(folder, candidate="Oracle")
    with pytest.raises(NoWarmStartError, match="lacks its kind and settings"):
        read(folder, FEATURES, TASK, None)
    (folder / "bundle.json").unlink()
    with pytest.raises(NoWarmStartError, match="is no bundle"):
        read(folder, FEATURES, TASK, None)


# --- the search ---


@pytest.fixture(scope="module")
def learnt(rows):
    """Rows of which a champion knows the first half, as LightGBM learnt it."""
    pytest.importorskip("lightgbm")
    table = rows(2400, 3, drift=0.5)
    features = infer(table, "late")
    frame = clean(table, features, "rows")
    labels = clean_labels(table["late"], "late", "rows")
    half = len(table) // 2
    settings = SETTINGS["LightGBM"][0]
    model = pipelines.fit(
        SearchCandidate("LightGBM", settings),
        frame[:half],
        labels[:half],
        features,
        "Classification",
        0,
    )
    files = boosted_trees.files(model, "LightGBM")
    texts = {
        name: boosted_trees.Texts(**told) for name, told in json.loads(files["texts.json"]).items()
    }
    trees = boosted_trees.BoostedTrees("LightGBM", files["trees.txt"], texts, ["0", "1"])
    return (frame, labels, features), WarmStart("LightGBM", settings, trees, half)


def wanted(**changes) -> Search:
    candidates = ["Logistic", "DecisionTree", "LightGBM"]
    return Search(**{"candidates": candidates, "maxTrials": 20, "metric": "roc_auc", **changes})


def test_a_warm_search_tries_less_than_a_cold_one_and_is_no_worse(learnt, rows):
    problem, champion = learnt
    cold = search(SearchProblem.of(*problem, wanted()))
    warm = search(SearchProblem.of(*problem, wanted()), warm_start=champion)
    first, second = warm.report.trials[1:3]
    assert (first.kind, first.goes_on) == ("LightGBM", True)
    assert (second.kind, second.goes_on, second.params) == ("LightGBM", False, first.params)
    assert len(warm.report.trials) < len(cold.report.trials)
    later = rows(4000, 4, drift=0.5)
    frame = clean(later, problem[2], "rows")

    def right(found):
        return float((found.pipeline.predict(frame) == later["late"]).mean())

    assert right(warm) >= right(cold) - 0.005


def test_the_same_rows_seed_and_champion_take_the_same_way(learnt):
    problem, champion = learnt
    one, other = (
        search(
            SearchProblem.of(*problem, wanted(candidates=["LightGBM"], maxTrials=1)),
            warm_start=champion,
        )
        for _ in range(2)
    )
    assert one.report.trials[1].mean == other.report.trials[1].mean
    assert boosted_trees.files(one.pipeline, "LightGBM") == boosted_trees.files(
        other.pipeline, "LightGBM"
    )


def test_where_no_rows_in_time_tell_the_champions_settings_alone_are_taken(learnt):
    problem, champion = learnt
    told: list[str] = []
    shuffled = wanted(order="Shuffled", maxTrials=1)
    found = search(SearchProblem.of(*problem, shuffled), warm_start=champion, log=told.append)
    assert [trial.goes_on for trial in found.report.trials] == [False, False]
    assert any("training starts from scratch" in line for line in told)


def test_a_champion_of_a_kind_that_is_not_asked_for_is_not_begun_with(learnt):
    problem, champion = learnt
    told: list[str] = []
    quick = wanted(candidates=["Logistic"], maxTrials=2)
    found = search(SearchProblem.of(*problem, quick), warm_start=champion, log=told.append)
    assert [trial.kind for trial in found.report.trials] == ["Dummy", "Logistic", "Logistic"]
    assert told[0].startswith(
        "LightGBM, the kind of the served model, is not one of the candidates"
    )


def test_trees_do_not_grow_for_ever(learnt, folder):
    _, champion = learnt
    settings = {**SETTINGS["LightGBM"][0], "n_estimators": 110}
    change(folder, candidate="LightGBM", settings=json.dumps(settings))
    (folder / "extra").mkdir()
    (folder / "extra" / "trees.txt").write_bytes(champion.trees.booster)
    (folder / "extra" / "texts.json").write_text("{}")
    found, why = read(folder, FEATURES, TASK, 1000)
    assert found.trees is None
    assert why == "it has 200 trees, and the settings have 110"
    change(folder, settings=json.dumps({**settings, "n_estimators": 200}))
    assert read(folder, FEATURES, TASK, 1000)[1] == ""
    assert "from all rows but 149; 150 are needed" in read(folder, FEATURES, TASK, 149)[1]
    assert "the time of its last training row" in read(folder, FEATURES, TASK, None)[1]


# --- whole runs ---


class Site:
    """Captured rows of two weeks, and runs on them, each in folders of its own."""

    def __init__(self, root: Path, rows) -> None:
        self.root = root
        for days, prefix in ((10, "p"), (3, "q")):
            table = rows(1500, days, drift=0.7)
            self.captured = root / "captured"
            capture(
                self.captured,
                table.drop(columns="late"),
                table["late"].tolist(),
                start=NOW - timedelta(days=days),
                prefix=prefix,
                step=timedelta(minutes=1),
            )

    def run(self, name, champion, days=0, **search):
        folder = self.root / name
        settings = StepSettings("any", folder / "in", folder / "held", folder / "out", None, 0)
        plan = make_plan(
            folder / "made",
            champion=champion,
            captured=str(self.captured),
            search=search,
            gate={"minImprovementPermille": 0},
            now=(NOW - timedelta(days=days)).isoformat(),
        )
        assemble.run(plan, settings)
        train.run(plan, settings)
        report = SearchReport.model_validate_json((settings.output / "search.json").read_bytes())
        return judge.run(plan, settings), report, settings


@pytest.fixture
def site(tmp_path, rows):
    return Site(tmp_path, rows)


@pytest.fixture
def serving(tmp_path, made):
    return put_bundle(tmp_path / "serves", made.files, made.digest)


def test_the_next_run_goes_on_from_the_trees_of_the_model_that_serves(
    site, serving, booster, capsys
):
    asked = {"candidates": [booster], "maxTrials": 1, "warmStart": True}
    first, _, _ = site.run("first", serving, days=5, **asked)
    assert first.decision == "Accepted"
    assert "the kind of the served model, is not one of the candidates" in capsys.readouterr().out
    second, report, settings = site.run("second", first.challenger, **asked)
    assert report.trials[1].goes_on
    assert f"begins with {booster}, and continues from its trees" in capsys.readouterr().out
    found = DataSummary.model_validate_json((settings.input / "data.json").read_bytes())
    # Of 3000 rows 2400 are learnt from; the first run learnt from 1200.
    assert (found.rows, found.fresh) == (2400, 1200)
    asked_for = SETTINGS[booster][0]["n_estimators"]
    trees = boosted_trees.read(settings.output / "extra", booster, ["0", "1"])
    assert trees is not None
    assert trees.count() == asked_for + asked_for // 4
    again, _, _ = site.run("again", first.challenger, **asked)
    assert again.challenger.digest == second.challenger.digest


def test_without_a_champion_it_is_said_and_all_is_searched_as_usual(site, serving, capsys):
    _, cold, _ = site.run("cold", serving, maxTrials=2)
    settings = replace_folders(site, "warm")
    plan = make_plan(site.root / "made", champion=None, search={"maxTrials": 2, "warmStart": True})
    (settings.input).mkdir(parents=True)
    rows = (site.root / "cold" / "in" / "train.parquet").read_bytes()
    (settings.input / "train.parquet").write_bytes(rows)
    train.run(plan, settings)
    said = capsys.readouterr().out
    assert "search.warmStart: there is no champion; the search starts from scratch" in said
    warm = SearchReport.model_validate_json((settings.output / "search.json").read_bytes())
    assert [(t.kind, t.params, t.mean) for t in warm.trials] == [
        (t.kind, t.params, t.mean) for t in cold.trials
    ]


def replace_folders(site: Site, name: str) -> StepSettings:
    folder = site.root / name
    settings = StepSettings("any", Path(), Path(), Path(), None, 0)
    return replace(settings, input=folder / "in", holdout=folder / "held", output=folder / "out")


def test_a_run_without_warm_start_leaves_no_trees_but_its_settings(site, serving, booster):
    result, _, settings = site.run("one", serving, days=5, candidates=[booster], maxTrials=1)
    assert not (settings.output / "extra").exists()
    folder = Path(result.challenger.uri)
    lineage = Bundle.model_validate_json((folder / "bundle.json").read_bytes()).lineage
    assert lineage["candidate"] == booster
    assert json.loads(lineage["settings"]) == SETTINGS[booster][0]
    assert lineage["learntUntil"] == "2026-03-22T07:59:00Z"
