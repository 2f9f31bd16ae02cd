from datetime import timedelta

import pytest
from support.loops import spec, world
from support.retrainings import new_run, recorded_runs, retraining
from support.worlds import NOW, OTHER_DIGEST

from perennial_operator.clock import to_text


def test_drift_waits_for_labels_and_reports_how_many_are_needed() -> None:
    jobs, state, message, _ = retraining(
        world(spec(policy={"minLabels": 500}), drifted=True, labels=12)
    )
    assert (jobs, state) == ([], ("False", "TooFewLabels"))
    assert "12 labels" in message
    assert "500 are needed" in message


def test_the_cooldown_starts_at_the_end_of_the_last_run_and_reports_its_own_end() -> None:
    half_an_hour_ago = NOW - timedelta(minutes=30)
    around = world(drifted=True, status=recorded_runs(("Promoted", half_an_hour_ago)))
    jobs, state, message, plan = retraining(around)
    assert (jobs, state) == ([], ("False", "Cooldown"))
    assert to_text(NOW + timedelta(minutes=30)) in message
    assert plan.look_again == pytest.approx(1800)
    assert retraining(around, 1800)[0]


def test_each_unsuccessful_run_for_the_same_evidence_doubles_the_wait() -> None:
    fingerprint = new_run(world(drifted=True))["spec"]["trigger"]["fingerprint"]
    for vain, hours in ((1, 2), (2, 4), (3, 8)):
        ended = [("Rejected", NOW)] * vain
        around = world(
            spec(policy={"maxPerWeek": 10}),
            drifted=True,
            status=recorded_runs(*ended, fingerprint=fingerprint),
        )
        jobs, state, _, plan = retraining(around)
        assert (jobs, state[1]) == ([], "EvidenceKnown")
        assert plan.look_again == pytest.approx(hours * 3600)
        assert retraining(around, hours * 3600)[0]


def test_the_weekly_budget_blocks_until_its_first_run_is_a_week_old() -> None:
    days = [NOW - timedelta(days=day) for day in (1, 3, 6)]
    around = world(drifted=True, status=recorded_runs(*(("Promoted", day) for day in days)))
    jobs, state, message, plan = retraining(around)
    assert (jobs, state[1]) == ([], "BudgetSpent")
    assert "maxPerWeek is 3" in message
    assert plan.look_again == pytest.approx(86400)
    assert retraining(around, 86400)[0]


def test_no_run_starts_during_a_rollout() -> None:
    from support import worlds

    candidate = worlds.revision(spec(), OTHER_DIGEST).model_dump(exclude_none=True)
    of = spec()
    of = of.model_copy(update={"model": of.model.model_copy(update={"digest": OTHER_DIGEST})})
    jobs, state, _, _ = retraining(world(of, drifted=True, status={"candidate": candidate}))
    assert (jobs, state[1]) == ([], "RolloutInProgress")
