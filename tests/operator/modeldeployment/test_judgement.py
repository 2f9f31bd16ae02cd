from dataclasses import replace
from datetime import timedelta

import numpy as np
from support.loops import judged, observation
from support.worlds import NOW

from perennial_contracts.wire.profile import Profile, fit_categories, fit_numbers
from perennial_operator.monitoring.windows import PredictionWindow


def test_a_drop_below_the_minimum_is_no_drop() -> None:
    metric = {"metric": "accuracy", "minLabels": 100, "consecutive": 1, "minDropPermille": 200}
    assert judged(observation(right=800, wrong=200), quality=metric).quality.reason == "AsEvaluated"


def test_two_hundred_windows_without_drift_raise_no_alarm() -> None:
    """Judge 26 features with the lowest thresholds that make sense."""
    random = np.random.default_rng(4)
    names = [f"x{number}" for number in range(26)]
    fitted = Profile(
        rows=2000,
        features=[fit_numbers(name, random.normal(size=2000)) for name in names],
        score=fit_numbers("score", random.beta(2, 5, size=2000)),
        label=fit_categories("label", random.binomial(1, 0.3, 2000).astype(str).tolist()),
        positive="1",
    )
    drift = {"minSamples": 500, "consecutive": 2, "actPermille": 100, "warnPermille": 50}
    before, shifting = None, 0
    for _ in range(200):
        counts = {
            each.name: tuple(map(int, each.count(random.normal(size=500))))
            for each in fitted.features
        }
        score = tuple(map(int, fitted.score.count(random.beta(2, 5, size=500))))
        label = tuple(map(int, fitted.label.count(random.binomial(1, 0.3, 500).astype(str))))
        window = PredictionWindow(NOW - timedelta(seconds=60), 500, counts, score, label)
        seen = replace(observation(), profile=fitted, predictions=window)
        result = judged(seen, before, drift=drift)
        assert result.drift.status == "False", result.drift
        before = result.status
        shifting += result.drift.reason == "Shifting"
    # The rate of the rule is 0.5 % or less, and a single window starts no run.
    assert shifting <= 5
