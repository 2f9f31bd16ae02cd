"""The search: its trials, halving, limits and budget."""

import numpy as np
import pandas as pd
import pytest

from perennial_contracts.api.search import Budget, Search
from perennial_contracts.wire.run_plan import Progress, TrainingFailure
from perennial_trainer.data.features import clean, infer
from perennial_trainer.data.labels import clean_labels
from perennial_trainer.errors import StepError
from perennial_trainer.selection import halving, pipelines
from perennial_trainer.selection.search import search
from perennial_trainer.selection.trials import SearchProblem

QUICK = ["Logistic", "DecisionTree"]


@pytest.fixture(scope="module")
def learnt(rows):
    table = rows(900, 1)
    features = infer(table, "late")
    return clean(table, features, "rows"), clean_labels(table["late"], "late", "rows"), features


@pytest.fixture
def halved(monkeypatch):
    monkeypatch.setattr(halving, "LEAST_ROWS", 100)


def without_times(found):
    return [
        trial.model_dump(exclude={"seconds", "p95_microseconds"}) for trial in found.report.trials
    ]


def test_the_dummy_is_always_a_trial(learnt):
    lines = []
    found = search(
        SearchProblem.of(*learnt, Search(maxTrials=1, metric="roc_auc")), log=lines.append
    )
    assert [trial.kind for trial in found.report.trials] == ["Dummy", "Logistic"]
    assert found.report.trials[0].mean == pytest.approx(0.5)
    assert found.report.trials[0].kind != found.report.trials[found.report.chosen].kind
    assert lines[0].startswith("Dummy: roc_auc 0.5000")


def test_a_kind_that_fails_does_not_stop_the_others(learnt, monkeypatch):
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


def test_no_further_model_is_tried_after_the_time_limit(learnt):
    times = iter(range(0, 100_000, 40))
    wanted = Search(candidates=["Logistic", "DecisionTree"], maxTrials=4, maxSeconds=100)
    found = search(SearchProblem.of(*learnt, wanted), clock=lambda: next(times))
    statuses = [trial.status for trial in found.report.trials[1:]]
    assert statuses == ["Done", "Skipped", "Skipped", "Skipped"]


def test_the_first_model_is_tried_even_after_the_time_limit(learnt):
    times = iter(range(0, 100_000, 5000))
    wanted = Search(candidates=["Logistic"], maxTrials=2, maxSeconds=1)
    assert (
        search(SearchProblem.of(*learnt, wanted), clock=lambda: next(times)).candidate == "Logistic"
    )


def test_a_class_that_occurs_once_does_not_fail_the_search(learnt):
    frame, labels, features = learnt
    rare = labels.copy()
    rare[450] = 7
    wanted = Search(maxTrials=5, metric="f1")
    found = search(SearchProblem.of(frame, rare, features, wanted))
    done = [trial.kind for trial in found.report.trials if trial.status == "Done"]
    assert {"Dummy", "Logistic", "DecisionTree", "RandomForest"} <= set(done)


def test_a_model_can_learn_from_texts_alone(rows):
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


def test_with_many_rows_only_the_better_candidates_reach_all_rows(learnt, halved):
    wanted = Search(candidates=QUICK, maxTrials=6, metric="roc_auc")
    found = search(SearchProblem.of(*learnt, wanted))
    dummy, *trials = found.report.trials
    assert dummy.rows == 900
    done = [trial for trial in trials if trial.status == "Done"]
    gone = [trial for trial in trials if trial.status == "Halved"]
    assert len(done) == 3
    assert len(gone) == 3
    assert {trial.rows for trial in done} == {900}
    assert {trial.rows for trial in gone} <= {100, 300}
    assert all(trial.mean is not None and trial.size_bytes for trial in trials)
    assert trials[found.report.chosen - 1] in done
    assert [trial.chosen for trial in found.report.trials].count(True) == 1


def test_the_same_rows_and_seed_give_the_same_trials(learnt, halved):
    wanted = Search(candidates=QUICK, maxTrials=6, metric="roc_auc", seed=5)
    assert without_times(search(SearchProblem.of(*learnt, wanted))) == without_times(
        search(SearchProblem.of(*learnt, wanted))
    )


def test_after_the_time_limit_the_choice_is_among_earlier_results(learnt, halved):
    wanted = Search(candidates=QUICK, maxTrials=6, metric="roc_auc", maxSeconds=100)
    now = 0.0
    lines = []

    def clock():
        return now

    def log(line):
        nonlocal now
        lines.append(line)
        if line.endswith("candidates on 900 rows"):
            now = 1000.0

    found = search(SearchProblem.of(*learnt, wanted), log=log, clock=clock)
    chosen = found.report.trials[found.report.chosen]
    assert (chosen.status, chosen.rows) == ("Done", 300)
    assert chosen.problem == "100 s are over"


def test_a_candidate_that_fails_on_more_rows_is_not_chosen_by_fewer(learnt, halved, monkeypatch):
    fit = pipelines.fit

    def failing(candidate, frame, *arguments):
        if candidate.kind == "Logistic" and len(frame) > 300:
            raise ValueError("too many")
        return fit(candidate, frame, *arguments)

    monkeypatch.setattr(pipelines, "fit", failing)
    wanted = Search(candidates=["Logistic"], maxTrials=4, metric="f1")
    with pytest.raises(StepError, match=r"no candidate could be fitted: .*too many"):
        search(SearchProblem.of(*learnt, wanted))


def test_regressors_are_compared_by_their_error(learnt):
    frame, _, features = learnt
    truth = 10 * frame["wind"].to_numpy(np.float64) + 100
    wanted = Search(task="Regression", candidates=["DecisionTree", "Linear"], maxTrials=2)
    found = search(SearchProblem.of(frame, truth, features, wanted))
    assert (found.report.task, found.report.metric) == ("Regression", "rmse")
    assert found.candidate == "Linear"
    dummy, chosen = found.report.trials[0], found.report.trials[found.report.chosen]
    assert chosen.mean < dummy.mean / 10


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            {"task": "Regression", "metric": "f1"},
            "expected one of rmse, mae, r2, pinball_10, pinball_90 for numbers",
        ),
        ({"task": "Regression", "candidates": ["Logistic"]}, "Logistic is for Classification"),
    ],
)
def test_settings_for_classes_are_a_bad_plan_for_a_regression(learnt, wanted, message):
    frame, labels, features = learnt
    with pytest.raises(StepError, match=message) as caught:
        search(SearchProblem.of(frame, labels.astype(np.float64), features, Search(**wanted)))
    assert caught.value.reason is TrainingFailure.BAD_PLAN


def test_a_model_that_exceeds_the_budget_is_not_chosen(learnt):
    wanted = Search(candidates=["Logistic", "RandomForest"], maxTrials=2, metric="roc_auc")
    found = search(SearchProblem.of(*learnt, wanted, budget=Budget(sizeBytes="10Ki")))
    _, small, large = found.report.trials
    assert found.candidate == "Logistic"
    assert small.size_bytes <= 10 * 1024 < large.size_bytes
    assert (large.status, large.chosen) == ("OverBudget", False)
    assert "of 10,240" in large.problem
    assert found.report.budget == {"sizeBytes": 10240}


def test_the_error_of_an_exceeded_budget_has_all_costs_and_the_fix(learnt):
    wanted = Search(candidates=QUICK, maxTrials=2)
    with pytest.raises(StepError) as caught:
        search(SearchProblem.of(*learnt, wanted, budget=Budget(sizeBytes=100, p95Microseconds=1)))
    assert caught.value.reason is TrainingFailure.OVER_BUDGET
    message = caught.value.message
    assert "Logistic" in message
    assert "DecisionTree" in message
    assert "bytes of 100" in message
    assert "Raise budget.p95Microseconds or budget.sizeBytes" in message


def test_progress_is_shown_after_each_trial(learnt):
    shown: list[Progress] = []
    found = search(
        SearchProblem.of(*learnt, Search(candidates=QUICK, maxTrials=3)), show=shown.append
    )
    assert [(one.trialsDone, one.trialsTotal) for one in shown] == [(1, 3), (2, 3), (3, 3)]
    best = shown[-1].best
    assert best is not None
    assert best.metric == "f1"
    assert best.value == max(trial.mean for trial in found.report.trials[1:])
