"""Which model is taken, how it is looked for, and what is told of it."""

import os
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.api.search import CANDIDATES, Search
from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_trainer.data.features import clean, infer
from perennial_trainer.data.labels import clean_labels
from perennial_trainer.errors import StepError
from perennial_trainer.selection import pipelines
from perennial_trainer.selection.choose import choose
from perennial_trainer.selection.folds import split_folds
from perennial_trainer.selection.model_kinds import BALANCED, list_candidates
from perennial_trainer.selection.search import search
from perennial_trainer.selection.trials import SearchProblem
from perennial_trainer.threads import allowed_threads, configure_openmp


@given(
    kinds=st.sets(st.sampled_from(CANDIDATES), min_size=1),
    trials=st.integers(1, 40),
    metric=st.sampled_from(["f1", "roc_auc"]),
)
def test_every_kind_is_tried_before_any_a_second_time(kinds, trials, metric):
    proposed = list_candidates(list(kinds), metric, trials)
    wanted = [kind for kind in CANDIDATES if kind in kinds]
    assert [p.kind for p in proposed[: len(wanted)]] == wanted[:trials]
    assert len(proposed) <= trials
    counted = Counter(p.kind for p in proposed[: 2 * len(wanted)])
    assert max(counted.values()) - min(counted.values()) <= 1
    assert len({(p.kind, str(p.params)) for p in proposed}) == len(proposed)


def test_classes_are_weighed_only_where_the_metric_asks_for_the_rarer_one():
    def weighs(metric):
        return any(
            BALANCED.items() <= p.params.items() for p in list_candidates(CANDIDATES, metric, 100)
        )

    assert weighs("f1")
    assert weighs("recall")
    assert not weighs("roc_auc")


@pytest.mark.parametrize(
    ("measured", "taken"),
    [
        # The gap of the first to the best varies more than it is wide.
        ([("Logistic", [0.80, 0.84, 0.82]), ("MLP", [0.84, 0.83, 0.83])], 0),
        # It is small, and the same each time.
        ([("Logistic", [0.80, 0.81, 0.82]), ("MLP", [0.81, 0.82, 0.83])], 1),
        # Of the simplest kind the best settings.
        (
            [
                ("MLP", [0.8, 0.8, 0.83]),
                ("Logistic", [0.8, 0.8, 0.8]),
                ("Logistic", [0.8, 0.81, 0.8]),
            ],
            2,
        ),
        ([("MLP", [0.8, 0.8, 0.8])], 0),
    ],
)
def test_the_simplest_kind_within_one_standard_error_of_the_best_is_taken(measured, taken):
    assert choose([(kind, np.array(values)) for kind, values in measured], "f1")[0] == taken


@given(st.integers(8, 300), st.integers(0, 2**16))
def test_folds_are_judged_on_what_comes_after_what_they_learn_from(rows, seed):
    labels = np.random.default_rng(seed).integers(0, 2, rows)
    folds, order = split_folds(labels, seed)
    for train, test in folds:
        assert not set(train) & set(test)
        assert len(set(labels[train])) == len(set(labels[test])) == 2
        if order == "TimeOrdered":
            assert train.max() < test.min()


def test_rows_that_are_sorted_by_label_are_shuffled_and_it_is_said():
    folds, order = split_folds(np.repeat([0, 1], 100), 0)
    assert order == "Shuffled"
    assert len(folds) == 3


@pytest.fixture(scope="module")
def learnt(rows):
    table = rows(900, 1)
    features = infer(table, "late")
    return clean(table, features, "rows"), clean_labels(table["late"], "late", "rows"), features


def test_what_one_gets_without_learning_is_always_told(learnt):
    lines = []
    found = search(
        SearchProblem.of(*learnt, Search(maxTrials=1, metric="roc_auc")), log=lines.append
    )
    assert [trial.kind for trial in found.report.trials] == ["Dummy", "Logistic"]
    assert found.report.trials[0].mean == pytest.approx(0.5)
    assert found.report.trials[0].kind != found.report.trials[found.report.chosen].kind
    assert lines[0].startswith("Dummy: roc_auc 0.5000")


def test_a_kind_that_fails_does_not_keep_the_others_from_it(learnt, monkeypatch):
    make = pipelines.make_pipeline

    def failing(proposal, *arguments):
        if proposal.kind == "Logistic":
            raise ValueError("no luck")
        return make(proposal, *arguments)

    monkeypatch.setattr(pipelines, "make_pipeline", failing)
    wanted = Search(candidates=["Logistic", "DecisionTree"], maxTrials=2, metric="f1")
    found = search(SearchProblem.of(*learnt, wanted))
    assert found.candidate == "DecisionTree"
    assert [(t.status, t.problem) for t in found.report.trials] == [
        ("Done", ""),
        ("Failed", "ValueError: no luck"),
        ("Done", ""),
    ]
    with pytest.raises(
        StepError, match=r"no candidate could be fitted: Logistic: .*no luck"
    ) as caught:
        search(SearchProblem.of(*learnt, Search(candidates=["Logistic"], maxTrials=1)))
    assert caught.value.reason is TrainingFailure.TRAINING_FAILED


def test_no_further_model_is_tried_when_the_time_is_over(learnt):
    times = iter(range(0, 100_000, 40))
    wanted = Search(candidates=["Logistic", "DecisionTree"], maxTrials=4, maxSeconds=100)
    found = search(SearchProblem.of(*learnt, wanted), clock=lambda: next(times))
    statuses = [trial.status for trial in found.report.trials[1:]]
    assert statuses == ["Done", "Skipped", "Skipped", "Skipped"]


def test_the_first_model_is_tried_whatever_the_time(learnt):
    times = iter(range(0, 100_000, 5000))
    wanted = Search(candidates=["Logistic"], maxTrials=2, maxSeconds=1)
    assert (
        search(SearchProblem.of(*learnt, wanted), clock=lambda: next(times)).candidate == "Logistic"
    )


def test_a_class_that_occurs_once_does_no_harm(learnt):
    frame, labels, features = learnt
    rare = labels.copy()
    rare[450] = 7
    wanted = Search(maxTrials=5, metric="f1")
    found = search(SearchProblem.of(frame, rare, features, wanted))
    done = [trial.kind for trial in found.report.trials if trial.status == "Done"]
    assert {"Dummy", "Logistic", "DecisionTree", "RandomForest"} <= set(done)


def test_a_model_can_be_learnt_from_texts_alone(rows):
    table = pd.DataFrame({"a": ["x", "y"] * 100, "label": ["no", "yes"] * 100})
    features = infer(table, "label")
    problem = SearchProblem.of(
        clean(table, features, "rows"),
        clean_labels(table["label"], "label", "rows"),
        features,
        Search(maxTrials=5, metric="f1"),
        "yes",
    )
    found = search(problem)
    assert found.report.trials[found.report.chosen].mean == 1


@pytest.mark.parametrize(
    ("text", "threads"), [("max 100000", 1), ("150000 100000", 1), ("50000 100000", 1), ("", 1)]
)
def test_a_quota_below_two_cpus_and_none_at_all_allow_one_thread(tmp_path, text, threads):
    (tmp_path / "cpu.max").write_text(text)
    assert allowed_threads(tmp_path / "cpu.max") == threads


def test_a_quota_of_two_cpus_allows_two_threads_where_there_are_as_many(tmp_path, monkeypatch):
    (tmp_path / "cpu.max").write_text("250000 100000")
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert allowed_threads(tmp_path / "cpu.max") == 2


@pytest.mark.parametrize("said", [None, "ACTIVE"])
def test_threads_wait_without_spinning_unless_the_environment_says_otherwise(monkeypatch, said):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    if said:
        monkeypatch.setenv("OMP_WAIT_POLICY", said)
    configure_openmp(2)
    assert os.environ["OMP_WAIT_POLICY"] == (said or "PASSIVE")
    assert os.environ["OMP_NUM_THREADS"] == "3"
