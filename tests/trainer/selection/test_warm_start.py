"""A search that begins with the champion: its settings, its trees, or neither."""

import json
from pathlib import Path

import pytest
from support.capturing import put_bundle

from perennial_contracts.api.search import Search
from perennial_contracts.wire.bundle import Bundle
from perennial_trainer.data.features import Feature, clean, infer
from perennial_trainer.data.labels import clean_labels
from perennial_trainer.evaluation.task import REGRESSION, make_task
from perennial_trainer.selection import boosted_trees, pipelines
from perennial_trainer.selection.model_kinds import (
    SETTINGS,
    SearchCandidate,
)
from perennial_trainer.selection.search import search
from perennial_trainer.selection.trials import SearchProblem
from perennial_trainer.selection.warm_start import NoWarmStartError, WarmStart, read
from perennial_trainer.steps.fit import make_bundle

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


def test_a_bundle_contains_the_kind_and_settings_that_won(folder, made):
    found, why = read(folder, FEATURES, TASK, None)
    chosen = made.search.trials[made.search.chosen]
    assert (found.kind, dict(found.params)) == (chosen.kind, chosen.params)
    assert why == "DecisionTree cannot continue training"


def test_settings_with_lists_become_tuples_again(folder):
    change(folder, candidate="MLP", settings=json.dumps({"hidden_layer_sizes": [64, 32]}))
    found, _ = read(folder, FEATURES, TASK, None)
    assert found.params == {"hidden_layer_sizes": (64, 32)}


def change(folder: Path, **lineage: str) -> None:
    bundle = Bundle.model_validate_json((folder / "bundle.json").read_bytes())
    lineage = {**bundle.lineage, **lineage}
    (folder / "bundle.json").write_bytes(bundle.model_copy(update={"lineage": lineage}).to_bytes())


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
def test_a_champion_of_another_task_is_no_warm_start(folder, features, task, message):
    with pytest.raises(NoWarmStartError, match=message):
        read(folder, features, task, None)


@pytest.mark.parametrize(
    "settings",
    ["", "{", "[]", "3", '{"splitter": "best"}', '{"max_depth": "7"}', '{"max_depth": [7]}'],
)
def test_settings_that_the_search_does_not_use_are_rejected(folder, settings):
    change(folder, settings=settings)
    with pytest.raises(
        NoWarmStartError, match="the champion's settings are not settings of DecisionTree"
    ):
        read(folder, FEATURES, TASK, None)


def test_without_a_bundle_or_a_kind_there_is_no_warm_start(folder, tmp_path):
    with pytest.raises(NoWarmStartError, match="there is no champion"):
        read(tmp_path / "none", FEATURES, TASK, None)
    change(folder, candidate="Oracle")
    with pytest.raises(NoWarmStartError, match="lacks its kind and settings"):
        read(folder, FEATURES, TASK, None)
    (folder / "bundle.json").unlink()
    with pytest.raises(NoWarmStartError, match="is no bundle"):
        read(folder, FEATURES, TASK, None)


@pytest.fixture(scope="module")
def learnt(rows):
    """Rows, and a champion of LightGBM that has learned from their first half."""
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
        name: boosted_trees.Texts(**texts)
        for name, texts in json.loads(files["texts.json"]).items()
    }
    trees = boosted_trees.BoostedTrees("LightGBM", files["trees.txt"], texts, ["0", "1"])
    return (frame, labels, features), WarmStart("LightGBM", settings, trees, half)


def wanted(**changes) -> Search:
    candidates = ["Logistic", "DecisionTree", "LightGBM"]
    return Search(**{"candidates": candidates, "maxTrials": 20, "metric": "roc_auc", **changes})


def test_a_warm_search_has_fewer_trials_than_a_cold_one_and_is_as_good(learnt, rows):
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


def test_the_same_rows_seed_and_champion_give_the_same_trees(learnt):
    problem, champion = learnt
    first, second = (
        search(
            SearchProblem.of(*problem, wanted(candidates=["LightGBM"], maxTrials=1)),
            warm_start=champion,
        )
        for _ in range(2)
    )
    assert first.report.trials[1].mean == second.report.trials[1].mean
    assert boosted_trees.files(first.pipeline, "LightGBM") == boosted_trees.files(
        second.pipeline, "LightGBM"
    )


def test_without_an_order_in_time_only_the_champions_settings_are_used(learnt):
    problem, champion = learnt
    lines: list[str] = []
    shuffled = wanted(order="Shuffled", maxTrials=1)
    found = search(SearchProblem.of(*problem, shuffled), warm_start=champion, log=lines.append)
    assert [trial.goes_on for trial in found.report.trials] == [False, False]
    assert any("training starts from scratch" in line for line in lines)


def test_a_champion_of_a_kind_that_is_not_listed_is_no_warm_start(learnt):
    problem, champion = learnt
    lines: list[str] = []
    quick = wanted(candidates=["Logistic"], maxTrials=2)
    found = search(SearchProblem.of(*problem, quick), warm_start=champion, log=lines.append)
    assert [trial.kind for trial in found.report.trials] == ["Dummy", "Logistic", "Logistic"]
    assert lines[0].startswith(
        "LightGBM, the kind of the served model, is not one of the candidates"
    )


def test_trees_do_not_grow_forever(learnt, folder):
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
