from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from support import loops
from support.loops import observation, spec
from support.worlds import NOW, OTHER_DIGEST, planned

from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.wire.profile import Profile, fit_categories, fit_numbers
from perennial_operator.modeldeployment.monitoring import MonitoringResult, decide
from perennial_operator.monitoring.windows import JudgedWindows, Observation, PredictionWindow


def judged(observed: Observation, before: Any = None, **monitoring: Any) -> MonitoringResult:
    world = loops.world(
        spec(monitoring=monitoring), observed=observed, status={"monitoring": before}
    )
    watched = decide(world, NOW)
    assert watched is not None
    return watched


def test_without_monitoring_in_the_spec_nothing_is_said_and_nothing_watched() -> None:
    from support import worlds

    plan = planned(worlds.world())
    assert plan.target is None
    assert plan.status.monitoring is None
    assert {each.type for each in plan.status.conditions} == {
        "Ready",
        "Progressing",
        "ModelResolved",
    }


def test_traffic_as_in_the_profile_is_no_drift() -> None:
    watched = judged(observation())
    assert watched.drift[:2] == ("False", "NoDrift")
    assert watched.quality[:2] == ("False", "AsEvaluated")
    assert watched.judged == JudgedWindows(predictions=True, labels=True)


def test_inputs_alone_warn_and_say_that_nothing_is_retrained_for_it() -> None:
    watched = judged(observation(x=(900, 100)))
    assert watched.drift[:2] == ("True", "InputDrift")
    assert "x (PSI " in watched.drift.message
    assert "nothing is retrained" in watched.drift.message


def test_answers_alone_are_prediction_drift_and_both_together_the_trigger() -> None:
    assert judged(observation(score=(900, 100))).drift.reason == "PredictionDrift"
    both = judged(observation(x=(900, 100), score=(900, 100)))
    assert both.drift[:2] == ("True", "InputAndPredictionDrift")


def test_drift_needs_as_many_windows_in_a_row_as_the_spec_says() -> None:
    drift = {"minSamples": 100, "consecutive": 2}
    moved = observation(x=(900, 100), score=(900, 100))
    first = judged(moved, drift=drift)
    assert first.drift[:2] == ("False", "Shifting")
    assert "in 2 windows in a row; so far 1" in first.drift.message
    second = judged(moved, first.status, drift=drift)
    assert second.drift.reason == "InputAndPredictionDrift"
    calm = judged(observation(), first.status, drift=drift)
    assert calm.status is not None
    assert calm.status.drift is not None
    assert calm.status.drift.inputStreak == 0


def test_a_window_that_is_too_short_or_too_small_goes_on_and_keeps_the_last_verdict() -> None:
    moved = {"x": (900, 100), "score": (900, 100)}
    first = judged(observation(**moved))
    for unfinished in (observation(age=59), observation(x=(50, 49), right=50, wrong=49)):
        watched = judged(unfinished, first.status)
        assert watched.drift == first.drift
        assert watched.status == first.status
        assert watched.judged == JudgedWindows(predictions=False, labels=False)


def test_too_little_to_tell_is_unknown_and_says_how_much_is_needed() -> None:
    watched = judged(observation(x=(50, 49), right=50, wrong=49))
    assert watched.drift[:2] == ("Unknown", "TooFewSamples")
    assert "100 predictions" in watched.drift.message
    assert watched.quality[:2] == ("Unknown", "TooFewLabels")


def test_worse_labels_with_the_same_inputs_are_a_drop_of_quality_without_drift() -> None:
    watched = judged(observation(right=800, wrong=200))
    assert watched.drift[:2] == ("False", "NoDrift")
    assert watched.quality[:2] == ("True", "Dropped")
    assert "accuracy is 0.800 on 1,000 labels" in watched.quality.message
    assert "It was 0.900" in watched.quality.message


def test_a_drop_smaller_than_the_least_that_matters_is_none() -> None:
    metric = {"metric": "accuracy", "minLabels": 100, "consecutive": 1, "minDropPermille": 200}
    assert judged(observation(right=800, wrong=200), quality=metric).quality.reason == "AsEvaluated"


def test_a_drop_must_last_as_many_windows_as_the_spec_says() -> None:
    metric = {"metric": "accuracy", "minLabels": 100, "consecutive": 2}
    worse = observation(right=800, wrong=200)
    first = judged(worse, quality=metric)
    assert first.quality[:2] == ("False", "BelowOnce")
    assert judged(worse, first.status, quality=metric).quality.reason == "Dropped"


def test_labels_add_up_over_the_windows_of_one_model() -> None:
    first = judged(observation())
    assert first.status is not None
    assert first.status.labels == 1000
    second = judged(observation(), first.status)
    assert second.status is not None
    assert second.status.labels == 2000


def test_another_model_starts_from_nothing() -> None:
    moved = judged(observation(x=(900, 100), score=(900, 100)))
    assert moved.status is not None
    of_another = moved.status.model_copy(update={"digest": OTHER_DIGEST})
    watched = judged(observation(age=0), of_another)
    assert watched.drift.reason == "TooFewSamples"
    assert watched.status is not None
    assert watched.status.labels == 0


def test_a_bundle_without_profile_is_told_and_not_judged() -> None:
    bare = replace(observation(), profile=None, has_profile=False)
    watched = judged(bare)
    assert watched.drift[:2] == ("Unknown", "NoProfile")
    assert "profile.json" in watched.drift.message


def test_a_metric_without_baseline_names_those_that_there_are() -> None:
    watched = judged(observation(), quality={"metric": "roc_auc"})
    assert watched.quality[:2] == ("Unknown", "NoBaseline")
    assert "only: accuracy" in watched.quality.message


def test_pods_that_cannot_be_read_are_told_with_the_reason() -> None:
    watched = judged(
        Observation.begin(loops.DIGEST, NOW).__class__(
            loops.DIGEST,
            None,
            observation().predictions,
            observation().labels,
            problem="pod a cannot be read: refused",
        )
    )
    assert watched.drift[:2] == ("Unknown", "PodsUnreachable")
    assert "Pod a cannot be read: refused." in watched.drift.message


@pytest.mark.parametrize(("problem", "status"), [("", "True"), ("no such bucket", "False")])
def test_capture_is_told_with_what_the_pods_say_of_it(problem: str, status: str) -> None:
    seen = replace(observation(), capture_problem=problem)
    watched = judged(seen, capture={"uri": "s3://models/capture/"})
    assert watched.capture is not None
    assert watched.capture.status == status
    assert problem in watched.capture.message


def test_after_a_restart_of_the_operator_the_verdicts_stand_until_the_pods_are_read() -> None:
    first = planned(loops.world(observed=observation(x=(900, 100), score=(900, 100))))
    again = loops.world(status=first.status.model_dump(exclude_none=True))
    later = planned(replace(again, observation=None))
    before = {each.type: each.reason for each in first.status.conditions}
    after = {each.type: each.reason for each in later.status.conditions}
    assert after["DriftDetected"] == before["DriftDetected"] == "InputAndPredictionDrift"
    assert after["QualityDropped"] == before["QualityDropped"]


def test_the_same_window_read_twice_leads_to_the_same_status() -> None:
    world = loops.world(observed=observation(x=(900, 100)))
    assert planned(world).status == planned(world).status
    assert isinstance(planned(world).status, ModelDeploymentStatus)


def test_two_hundred_windows_without_drift_say_nothing() -> None:
    """Twenty-six features, and thresholds as low as anybody sets them."""
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
    before, told = None, 0
    for _ in range(200):
        counts = {
            each.name: tuple(map(int, each.count(random.normal(size=500))))
            for each in fitted.features
        }
        score = tuple(map(int, fitted.score.count(random.beta(2, 5, size=500))))
        label = tuple(map(int, fitted.label.count(random.binomial(1, 0.3, 500).astype(str))))
        window = PredictionWindow(NOW - timedelta(seconds=60), 500, counts, score, label)
        seen = replace(observation(), profile=fitted, predictions=window)
        watched = judged(seen, before, drift=drift)
        assert watched.drift.status == "False", watched.drift
        before = watched.status
        told += watched.drift.reason == "Shifting"
    # The rule's own rate is .5 % and less; one window alone launches nothing.
    assert told <= 5
