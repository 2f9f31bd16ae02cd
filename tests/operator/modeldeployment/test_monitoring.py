from dataclasses import replace

import pytest
from support import loops
from support.loops import judged, observation
from support.worlds import NOW, OTHER_DIGEST, planned

from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_operator.monitoring.windows import JudgedWindows, Observation


def test_without_spec_monitoring_nothing_is_reported_or_read() -> None:
    from support import worlds

    plan = planned(worlds.world())
    assert plan.target is None
    assert plan.status.monitoring is None
    assert {each.type for each in plan.status.conditions} == {
        "Ready",
        "Progressing",
        "ModelResolved",
    }


def test_traffic_like_the_profile_is_no_drift() -> None:
    result = judged(observation())
    assert result.drift[:2] == ("False", "NoDrift")
    assert result.quality[:2] == ("False", "AsEvaluated")
    assert result.judged == JudgedWindows(predictions=True, labels=True)


def test_input_drift_alone_warns_that_nothing_is_retrained() -> None:
    result = judged(observation(x=(900, 100)))
    assert result.drift[:2] == ("True", "InputDrift")
    assert "x (PSI " in result.drift.message
    assert "nothing is retrained" in result.drift.message


def test_drift_of_answers_alone_has_its_own_reason_and_both_together_are_the_trigger() -> None:
    assert judged(observation(score=(900, 100))).drift.reason == "PredictionDrift"
    both = judged(observation(x=(900, 100), score=(900, 100)))
    assert both.drift[:2] == ("True", "InputAndPredictionDrift")


def test_drift_needs_the_number_of_windows_in_a_row_that_the_spec_sets() -> None:
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


def test_a_window_that_is_too_short_or_too_small_stays_open_and_keeps_the_last_verdict() -> None:
    moved = {"x": (900, 100), "score": (900, 100)}
    first = judged(observation(**moved))
    for unfinished in (observation(age=59), observation(x=(50, 49), right=50, wrong=49)):
        result = judged(unfinished, first.status)
        assert result.drift == first.drift
        assert result.status == first.status
        assert result.judged == JudgedWindows(predictions=False, labels=False)


def test_too_few_rows_are_unknown_and_the_message_names_the_needed_number() -> None:
    result = judged(observation(x=(50, 49), right=50, wrong=49))
    assert result.drift[:2] == ("Unknown", "TooFewSamples")
    assert "100 predictions" in result.drift.message
    assert result.quality[:2] == ("Unknown", "TooFewLabels")


def test_worse_labels_for_the_same_inputs_are_a_quality_drop_without_drift() -> None:
    result = judged(observation(right=800, wrong=200))
    assert result.drift[:2] == ("False", "NoDrift")
    assert result.quality[:2] == ("True", "Dropped")
    assert "accuracy is 0.800 on 1,000 labels" in result.quality.message
    assert "It was 0.900" in result.quality.message


def test_a_drop_needs_the_number_of_windows_in_a_row_that_the_spec_sets() -> None:
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


def test_another_model_starts_from_zero() -> None:
    moved = judged(observation(x=(900, 100), score=(900, 100)))
    assert moved.status is not None
    of_another = moved.status.model_copy(update={"digest": OTHER_DIGEST})
    result = judged(observation(age=0), of_another)
    assert result.drift.reason == "TooFewSamples"
    assert result.status is not None
    assert result.status.labels == 0


def test_a_bundle_without_profile_is_reported_and_not_judged() -> None:
    bare = replace(observation(), profile=None, has_profile=False)
    result = judged(bare)
    assert result.drift[:2] == ("Unknown", "NoProfile")
    assert "profile.json" in result.drift.message


def test_a_metric_without_baseline_is_reported_with_those_that_have_one() -> None:
    result = judged(observation(), quality={"metric": "roc_auc"})
    assert result.quality[:2] == ("Unknown", "NoBaseline")
    assert "only: accuracy" in result.quality.message


def test_unreachable_pods_are_reported_with_the_cause() -> None:
    result = judged(
        Observation.begin(loops.DIGEST, NOW).__class__(
            loops.DIGEST,
            None,
            observation().predictions,
            observation().labels,
            problem="pod a cannot be read: refused",
        )
    )
    assert result.drift[:2] == ("Unknown", "PodsUnreachable")
    assert "Pod a cannot be read: refused." in result.drift.message


@pytest.mark.parametrize(("problem", "status"), [("", "True"), ("no such bucket", "False")])
def test_capture_reports_the_problem_of_the_pods(problem: str, status: str) -> None:
    seen = replace(observation(), capture_problem=problem)
    result = judged(seen, capture={"uri": "s3://models/capture/"})
    assert result.capture is not None
    assert result.capture.status == status
    assert problem in result.capture.message


def test_after_a_restart_of_the_operator_the_verdicts_stay_until_the_pods_are_read() -> None:
    first = planned(loops.world(observed=observation(x=(900, 100), score=(900, 100))))
    again = loops.world(status=first.status.model_dump(exclude_none=True))
    later = planned(replace(again, observation=None))
    before = {each.type: each.reason for each in first.status.conditions}
    after = {each.type: each.reason for each in later.status.conditions}
    assert after["DriftDetected"] == before["DriftDetected"] == "InputAndPredictionDrift"
    assert after["QualityDropped"] == before["QualityDropped"]


def test_the_same_window_gives_the_same_status_twice() -> None:
    world = loops.world(observed=observation(x=(900, 100)))
    assert planned(world).status == planned(world).status
    assert isinstance(planned(world).status, ModelDeploymentStatus)
