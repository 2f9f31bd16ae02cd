"""The kinds of a search, and the order of its candidates."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.api.search import CANDIDATES
from perennial_trainer.data.features import clean, infer
from perennial_trainer.selection import model_kinds as candidates
from perennial_trainer.selection import pipelines
from perennial_trainer.selection.model_kinds import (
    BALANCED,
    SETTINGS,
    SearchCandidate,
    is_installed,
    kinds_for,
    list_candidates,
    list_candidates_near,
    usable,
)


@given(
    kinds=st.sets(st.sampled_from(CANDIDATES), min_size=1),
    trials=st.integers(1, 40),
    metric=st.sampled_from(["f1", "roc_auc"]),
)
def test_every_kind_comes_once_before_any_comes_twice(kinds, trials, metric):
    proposed = list_candidates(list(kinds), metric, trials)
    wanted = [kind for kind in CANDIDATES if kind in kinds]
    assert [p.kind for p in proposed[: len(wanted)]] == wanted[:trials]
    assert len(proposed) <= trials
    counted = Counter(p.kind for p in proposed[: 2 * len(wanted)])
    assert max(counted.values()) - min(counted.values()) <= 1
    assert len({(p.kind, str(p.params)) for p in proposed}) == len(proposed)


def test_classes_are_weighted_only_for_metrics_of_the_rarer_class():
    def weighs(metric):
        return any(
            BALANCED.items() <= p.params.items() for p in list_candidates(CANDIDATES, metric, 100)
        )

    assert weighs("f1")
    assert weighs("recall")
    assert not weighs("roc_auc")


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


@pytest.fixture(scope="module")
def numbers(rows):
    """Rows with gaps and texts, and a number of thousands to learn."""
    table = rows(600, 3)
    features = infer(table, "late")
    frame = clean(table, features, "rows")
    noise = np.random.default_rng(0).normal(size=600) * 50
    truth = 5000 + 800 * table["wind"] + 900 * (table["carrier"] == "AA") + noise
    return frame, truth.to_numpy(np.float64), features


def test_a_kind_that_is_not_installed_is_skipped_or_reported_if_listed(numbers, monkeypatch):
    monkeypatch.setitem(pipelines.PACKAGES, "XGBoost", "no_such_package")
    assert not is_installed("XGBoost")
    assert "XGBoost" not in usable(kinds_for("Regression"), numbers[1])
    with pytest.raises(ModuleNotFoundError, match=r"no_such_package is not installed. Remove XGB"):
        pipelines.make_pipeline(SearchCandidate("XGBoost", {}), [], "Regression", 0)


def test_a_kind_that_rejects_the_classes_is_skipped(monkeypatch):
    monkeypatch.setitem(pipelines.PACKAGES, "XGBoost", "json")
    monkeypatch.setattr(candidates, "CONVERTERS", "json")
    assert "XGBoost" in usable(["XGBoost"], np.array([0, 1, 2]))
    assert "XGBoost" in usable(["XGBoost"], np.array([0.5, 1.5]))
    assert usable(["XGBoost"], np.array([1, 2, 3])) == []
    assert usable(["XGBoost"], np.array(["no", "yes"], object)) == []
