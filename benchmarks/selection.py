"""Compare the search with an evaluation of all settings: quality and cost.

    PYTHONPATH=examples/flights .venv/bin/python -m benchmarks.selection

For each data set a fifth is held out: the last rows of a month of flights, drawn at random from the
others. ``everything`` cross-validates every setting of every kind on all other rows and fits each
on them; ``best`` is the best score of these on the held-out fifth, which no search can know. Prints
scores, the loss in per cent of the best, and the ratio of the CPU seconds of both. Writes
build/benchmarks/selection.json.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

from flights_demo.data import LABEL, load
from perennial_contracts.api.search import Search
from perennial_trainer.data.features import clean, infer
from perennial_trainer.selection.choose import gain
from perennial_trainer.selection.folds import hold_out
from perennial_trainer.selection.model_kinds import kinds_for, list_candidates, usable
from perennial_trainer.selection.report import start_trial
from perennial_trainer.selection.scoring import score
from perennial_trainer.selection.search import search
from perennial_trainer.selection.trials import SearchProblem, cross_validate

ROOT = Path(__file__).parents[1]
Data = tuple[pd.DataFrame, np.ndarray]


def bundled(load_set: Callable[[], Any], kind: type) -> Data:
    """Load a data set of scikit-learn: features and labels."""
    loaded = load_set()
    columns = [f"f{place}" for place in range(loaded.data.shape[1])]
    return pd.DataFrame(loaded.data, columns=columns), loaded.target.astype(kind)


def flights() -> Data:
    """Load the flights of January, with carriers and airports as texts."""
    table = load().month(1).table()
    return table.drop(columns=LABEL), table[LABEL].to_numpy(np.int64)


CASES: dict[str, tuple[Callable[[], Data], dict[str, Any]]] = {
    "digits": (
        lambda: bundled(datasets.load_digits, np.int64),
        {"metric": "accuracy", "order": "Shuffled"},
    ),
    "breast cancer": (
        lambda: bundled(datasets.load_breast_cancer, np.int64),
        {"metric": "roc_auc", "order": "Shuffled"},
    ),
    "wine": (
        lambda: bundled(datasets.load_wine, np.int64),
        {"metric": "accuracy", "order": "Shuffled"},
    ),
    "diabetes": (
        lambda: bundled(datasets.load_diabetes, np.float64),
        {"task": "Regression", "metric": "rmse", "order": "Shuffled"},
    ),
    "flights": (flights, {"metric": "roc_auc"}),
}


def compare(data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Compare the search with all settings, on one data set."""
    wanted = Search.model_validate(settings)
    table, labels = data
    features = infer(table, "")
    frame = clean(table, features, "data")
    learnt, judged = hold_out(labels, 0.2, wanted.seed, wanted.order, wanted.task)
    held_out, truth = frame.iloc[judged], labels[judged]
    frame, labels = frame.iloc[learnt].reset_index(drop=True), labels[learnt]
    problem = SearchProblem.of(frame, labels, features, wanted)
    task = problem.task

    begun = time.process_time()
    found = search(problem)
    seconds = time.process_time() - begun
    chosen = score(found.pipeline, held_out, truth, task, wanted.metric)

    begun = time.process_time()
    folds, _ = problem.folds()
    scores: list[tuple[float, str]] = []
    for candidate in list_candidates(usable(kinds_for(wanted.task), labels), wanted.metric, 1000):
        cross_validate(candidate, start_trial(candidate), problem, folds, time.process_time)
        value = score(problem.fit(candidate), held_out, truth, task, wanted.metric)
        scores.append((value, f"{candidate.kind} {dict(candidate.params)}"))
    all_seconds = time.process_time() - begun
    best, name = max(scores, key=lambda one: gain(one[0], wanted.metric))
    loss = (gain(best, wanted.metric) - gain(chosen, wanted.metric)) / abs(best)
    return {
        "rows": len(labels),
        "metric": wanted.metric,
        "chosen": found.candidate,
        "score": round(chosen, 4),
        "best": name,
        "best_score": round(best, 4),
        "loss_percent": round(100 * loss, 2),
        "trials": len(found.report.trials) - 1,
        "cpu_seconds": round(seconds, 1),
        "all_settings": len(scores),
        "all_cpu_seconds": round(all_seconds, 1),
        "cost_ratio": round(seconds / all_seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"data sets: {', '.join(CASES)}")
    given = parser.parse_args().cases or list(CASES)
    results: dict[str, Any] = {}
    print(f"{'':14} {'rows':>6} {'chosen':>21} {'score':>8} {'best':>8} {'loss %':>6} {'cost':>5}")
    for name in given:
        if name not in CASES:
            parser.error(f"expected some of {', '.join(CASES)}, got {name!r}")
        make, settings = CASES[name]
        one = results[name] = compare(make(), settings)
        print(
            f"{name:14} {one['rows']:6} {one['chosen']:>21} {one['score']:8.4f} "
            f"{one['best_score']:8.4f} {one['loss_percent']:6.2f} {one['cost_ratio']:5.2f}",
            flush=True,
        )
    target = ROOT / "build" / "benchmarks" / "selection.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
