from datetime import datetime, timedelta

import pytest
from support.loops import rejected, spec, world
from support.retrainings import new_run, recorded_runs, retraining
from support.worlds import NOW

from perennial_contracts.api.retraining import RETRAIN_ANNOTATION
from perennial_operator.clock import to_text


def test_a_quality_drop_takes_precedence_over_drift() -> None:
    trigger = new_run(world(drifted=True, dropped=True))["spec"]["trigger"]
    assert trigger["type"] == "QualityDrop"


def test_only_triggers_in_the_spec_fire() -> None:
    jobs, state, _, _ = retraining(world(spec(when=["QualityDrop"]), drifted=True))
    assert (jobs, state[1]) == ([], "NotNeeded")
    jobs, state, _, _ = retraining(world(spec(when=[]), drifted=True, dropped=True))
    assert (jobs, state[1]) == ([], "NotNeeded")


def test_the_annotation_starts_one_run_despite_cooldown_and_budget() -> None:
    around = world(
        annotations={RETRAIN_ANNOTATION: "now"}, status=recorded_runs(*[("Promoted", NOW)] * 3)
    )
    jobs, _, _, plan = retraining(around)
    assert jobs[0]["spec"]["trigger"]["type"] == "Manual"
    assert plan.status.retraining.retrainRequest == "now"
    after = world(
        annotations={RETRAIN_ANNOTATION: "now"},
        status={"retraining": plan.status.retraining},
        runs=(rejected(jobs[0]["metadata"]["name"]),),
    )
    assert retraining(after)[:2] == ([], ("False", "NotNeeded"))


def test_the_schedule_starts_a_run_when_it_is_due_and_one_for_all_missed() -> None:
    of = spec(schedule="0 3 * * 1", when=[])  # NOW is Friday the 2nd of January 2026, 03:04:05
    first = retraining(world(of))
    assert first[0] == []
    since = first[3].status.retraining
    assert since.scheduledAt == to_text(NOW)
    monday = datetime(2026, 1, 5, 3, 0, tzinfo=NOW.tzinfo)
    assert first[3].look_again == pytest.approx((monday - NOW).total_seconds())
    waiting = world(of, status={"retraining": since})
    assert retraining(waiting, (monday - NOW).total_seconds() - 1)[0] == []
    for later in (monday, monday + timedelta(days=29)):
        jobs, _, _, plan = retraining(waiting, (later - NOW).total_seconds())
        assert jobs[0]["spec"]["trigger"]["type"] == "Schedule"
        assert plan.status.retraining.scheduledAt == to_text(later)


def test_an_invalid_schedule_is_reported_with_an_example() -> None:
    jobs, state, message, _ = retraining(world(spec(schedule="every monday"), drifted=True))
    assert (jobs, state) == ([], ("False", "InvalidSchedule"))
    assert "such as 0 3 * * 1, got 'every monday'" in message
