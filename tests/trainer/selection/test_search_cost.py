"""The search on many rows, within a budget, and how far it says that it is."""

import json
import socket
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest

from perennial_contracts.api.search import Budget, Search
from perennial_contracts.wire.run_plan import Progress, TrainingFailure
from perennial_trainer import progress_server
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


def test_with_many_rows_all_are_tried_on_the_latest_and_only_the_better_on_all(learnt, halved):
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


def test_the_same_rows_and_seed_take_the_same_way(learnt, halved):
    wanted = Search(candidates=QUICK, maxTrials=6, metric="roc_auc", seed=5)
    assert without_times(search(SearchProblem.of(*learnt, wanted))) == without_times(
        search(SearchProblem.of(*learnt, wanted))
    )


def test_when_the_time_is_over_among_the_better_ones_the_choice_is_of_what_is_known(learnt, halved):
    wanted = Search(candidates=QUICK, maxTrials=6, metric="roc_auc", maxSeconds=100)
    now = 0.0
    told = []

    def clock():
        return now

    def log(line):
        nonlocal now
        told.append(line)
        if line.endswith("candidates on 900 rows"):
            now = 1000.0

    found = search(SearchProblem.of(*learnt, wanted), log=log, clock=clock)
    chosen = found.report.trials[found.report.chosen]
    assert (chosen.status, chosen.rows) == ("Done", 300)
    assert chosen.problem == "100 s are over"


def test_what_fails_on_more_rows_is_not_taken_for_how_it_did_on_fewer(learnt, halved, monkeypatch):
    fit = pipelines.fit

    def failing(candidate, frame, *arguments):
        if candidate.kind == "Logistic" and len(frame) > 300:
            raise ValueError("too many")
        return fit(candidate, frame, *arguments)

    monkeypatch.setattr(pipelines, "fit", failing)
    wanted = Search(candidates=["Logistic"], maxTrials=4, metric="f1")
    with pytest.raises(StepError, match=r"no candidate could be fitted: .*too many"):
        search(SearchProblem.of(*learnt, wanted))


def test_numbers_are_learnt_by_their_error(learnt):
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
def test_what_does_not_fit_numbers_is_a_bad_plan(learnt, wanted, message):
    frame, labels, features = learnt
    with pytest.raises(StepError, match=message) as caught:
        search(SearchProblem.of(frame, labels.astype(np.float64), features, Search(**wanted)))
    assert caught.value.reason is TrainingFailure.BAD_PLAN


def test_what_is_larger_than_the_budget_is_not_taken(learnt):
    wanted = Search(candidates=["Logistic", "RandomForest"], maxTrials=2, metric="roc_auc")
    found = search(SearchProblem.of(*learnt, wanted, budget=Budget(sizeBytes="10Ki")))
    _, small, large = found.report.trials
    assert found.candidate == "Logistic"
    assert small.size_bytes <= 10 * 1024 < large.size_bytes
    assert (large.status, large.chosen) == ("OverBudget", False)
    assert "of 10,240" in large.problem
    assert found.report.budget == {"sizeBytes": 10240}


def test_where_nothing_is_within_the_budget_each_ones_numbers_and_what_to_raise_are_told(learnt):
    wanted = Search(candidates=QUICK, maxTrials=2)
    with pytest.raises(StepError) as caught:
        search(SearchProblem.of(*learnt, wanted, budget=Budget(sizeBytes=100, p95Microseconds=1)))
    assert caught.value.reason is TrainingFailure.OVER_BUDGET
    message = caught.value.message
    assert "Logistic" in message
    assert "DecisionTree" in message
    assert "bytes of 100" in message
    assert "Raise budget.p95Microseconds or budget.sizeBytes" in message


def test_how_far_the_search_is_is_shown_after_each_trial(learnt):
    shown: list[Progress] = []
    found = search(
        SearchProblem.of(*learnt, Search(candidates=QUICK, maxTrials=3)), show=shown.append
    )
    assert [(one.trialsDone, one.trialsTotal) for one in shown] == [(1, 3), (2, 3), (3, 3)]
    best = shown[-1].best
    assert best is not None
    assert best.metric == "f1"
    assert best.value == max(trial.mean for trial in found.report.trials[1:])


def test_progress_is_served_while_the_block_runs_and_nothing_else():
    with progress_server.serve(0) as shown:
        shown.show(Progress(trialsDone=2, trialsTotal=5))
        with urlopen(f"http://127.0.0.1:{shown.port}/progress") as answer:
            said = json.load(answer)
        assert Progress.model_validate(said) == Progress(trialsDone=2, trialsTotal=5)
        assert said["phase"] == "Training"
        with pytest.raises(HTTPError, match="404") as caught:
            urlopen(f"http://127.0.0.1:{shown.port}/")
        caught.value.close()
        port = shown.port
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("", port))


def test_a_port_that_is_taken_does_not_stop_the_training(capsys):
    with socket.create_server(("", 0)) as taken:
        with progress_server.serve(taken.getsockname()[1]) as shown:
            shown.show(Progress(trialsDone=1))
        assert shown.port is None
    assert "training continues" in capsys.readouterr().err
