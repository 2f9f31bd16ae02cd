from datetime import datetime, timedelta
from typing import Any

import pytest
from support import loops
from support.loops import TEMPLATE, accepted, live_run, rejected, spec, world
from support.worlds import NOW, OTHER_DIGEST, planned

from perennial_contracts.api.retraining import PROMOTE_ANNOTATION, RETRAIN_ANNOTATION
from perennial_contracts.api.trigger import Trigger
from perennial_operator.clock import to_text
from perennial_operator.objects import Object
from perennial_operator.world import World


def step(around: World, seconds: float = 0) -> tuple[list[Object], tuple[str, str], str, Any]:
    """The RetrainJobs that are made, the condition with its message, and the plan."""
    plan = planned(around, seconds)
    jobs = [child for child in plan.children if child["kind"] == "RetrainJob"]
    told = next(each for each in plan.status.conditions if each.type == "Retraining")
    return jobs, (told.status, told.reason), told.message, plan


def runs_of(*ended: tuple[str, datetime], fingerprint: str = "") -> dict[str, Any]:
    """A status with runs by outcome and time, the latest first."""
    return {
        "retraining": {
            "runs": [
                {
                    "job": f"old-{place}",
                    "trigger": "Drift",
                    "fingerprint": fingerprint,
                    "started": to_text(moment),
                    "ended": to_text(moment),
                    "outcome": outcome,
                }
                for place, (outcome, moment) in enumerate(ended)
            ]
        }
    }


def launched(around: World) -> Object:
    jobs, told, message, _ = step(around)
    assert told == ("True", "Running"), message
    return jobs[0]


def test_no_trigger_no_job() -> None:
    jobs, told, _, _ = step(world())
    assert (jobs, told) == ([], ("False", "NotNeeded"))


def test_the_template_is_passed_on_with_its_queue() -> None:
    job = launched(world(spec(template={**TEMPLATE, "queueName": "team-a"}), drifted=True))
    assert job["spec"]["queueName"] == "team-a"


def test_drift_of_inputs_and_answers_launches_a_job_with_the_evidence_in_it() -> None:
    job = launched(world(drifted=True))
    trigger = job["spec"]["trigger"]
    assert trigger["type"] == "Drift"
    assert "x (PSI 0.300)" in trigger["message"]
    assert job["spec"]["modelRef"] == {"name": "delays"}
    assert job["spec"]["data"]["label"] == "late"
    assert job["metadata"]["ownerReferences"][0]["kind"] == "ModelDeployment"


def test_a_drop_of_quality_comes_before_drift() -> None:
    trigger = launched(world(drifted=True, dropped=True))["spec"]["trigger"]
    assert trigger["type"] == "QualityDrop"


def test_only_what_the_spec_names_is_a_trigger() -> None:
    jobs, told, _, _ = step(world(spec(when=["QualityDrop"]), drifted=True))
    assert (jobs, told[1]) == ([], "NotNeeded")
    jobs, told, _, _ = step(world(spec(when=[]), drifted=True, dropped=True))
    assert (jobs, told[1]) == ([], "NotNeeded")


def test_drift_waits_for_labels_and_says_how_many() -> None:
    jobs, told, message, _ = step(world(spec(policy={"minLabels": 500}), drifted=True, labels=12))
    assert (jobs, told) == ([], ("False", "TooFewLabels"))
    assert "12 labels" in message
    assert "500 are needed" in message


def test_one_run_at_a_time() -> None:
    busy = world(drifted=True, runs=(live_run("delays-1"),))
    jobs, told, message, _ = step(busy)
    assert (jobs, told) == ([], ("True", "Running"))
    assert "delays-1" in message


def test_the_cooldown_counts_from_the_end_of_the_last_run_and_says_when_it_is_over() -> None:
    half_an_hour_ago = NOW - timedelta(minutes=30)
    around = world(drifted=True, status=runs_of(("Promoted", half_an_hour_ago)))
    jobs, told, message, plan = step(around)
    assert (jobs, told) == ([], ("False", "Cooldown"))
    assert to_text(NOW + timedelta(minutes=30)) in message
    assert plan.look_again == pytest.approx(1800)
    assert step(around, 1800)[0]


def test_the_same_evidence_in_vain_doubles_the_wait_each_time() -> None:
    fingerprint = launched(world(drifted=True))["spec"]["trigger"]["fingerprint"]
    for vain, hours in ((1, 2), (2, 4), (3, 8)):
        ended = [("Rejected", NOW)] * vain
        around = world(
            spec(policy={"maxPerWeek": 10}),
            drifted=True,
            status=runs_of(*ended, fingerprint=fingerprint),
        )
        jobs, told, _, plan = step(around)
        assert (jobs, told[1]) == ([], "EvidenceKnown")
        assert plan.look_again == pytest.approx(hours * 3600)
        assert step(around, hours * 3600)[0]


def test_the_weekly_budget_holds_until_its_first_run_is_a_week_old() -> None:
    days = [NOW - timedelta(days=day) for day in (1, 3, 6)]
    around = world(drifted=True, status=runs_of(*(("Promoted", day) for day in days)))
    jobs, told, message, plan = step(around)
    assert (jobs, told[1]) == ([], "BudgetSpent")
    assert "maxPerWeek is 3" in message
    assert plan.look_again == pytest.approx(86400)
    assert step(around, 86400)[0]


def test_no_run_begins_while_another_model_is_on_its_way() -> None:
    from support import worlds

    candidate = worlds.revision(spec(), OTHER_DIGEST).model_dump(exclude_none=True)
    of = spec()
    of = of.model_copy(update={"model": of.model.model_copy(update={"digest": OTHER_DIGEST})})
    jobs, told, _, _ = step(world(of, drifted=True, status={"candidate": candidate}))
    assert (jobs, told[1]) == ([], "RolloutInProgress")


def test_an_operator_that_forgot_its_own_job_makes_no_second_one() -> None:
    job = launched(world(drifted=True))
    # The status was not written any more; after the restart the RetrainJob is there.
    trigger = Trigger.model_validate(job["spec"]["trigger"])
    orphan = live_run(job["metadata"]["name"], trigger=trigger)
    jobs, told, _, plan = step(world(drifted=True, runs=(orphan,)))
    assert (jobs, told) == ([], ("True", "Running"))
    assert plan.status.retraining.runs[0].fingerprint == trigger.fingerprint
    # And where even the cache has not got it yet, the name is the same: it cannot be made twice.
    assert launched(world(drifted=True))["metadata"]["name"] == job["metadata"]["name"]


def test_the_annotation_starts_one_run_past_cooldown_and_budget() -> None:
    around = world(
        annotations={RETRAIN_ANNOTATION: "now"}, status=runs_of(*[("Promoted", NOW)] * 3)
    )
    jobs, _, _, plan = step(around)
    assert jobs[0]["spec"]["trigger"]["type"] == "Manual"
    assert plan.status.retraining.retrainRequest == "now"
    after = world(
        annotations={RETRAIN_ANNOTATION: "now"},
        status={"retraining": plan.status.retraining},
        runs=(rejected(jobs[0]["metadata"]["name"]),),
    )
    assert step(after)[:2] == ([], ("False", "NotNeeded"))


def test_the_schedule_starts_a_run_when_it_comes_round_and_one_for_many_missed() -> None:
    of = spec(schedule="0 3 * * 1", when=[])  # NOW is Friday the 2nd of January 2026, 03:04:05
    first = step(world(of))
    assert first[0] == []
    since = first[3].status.retraining
    assert since.scheduledAt == to_text(NOW)
    monday = datetime(2026, 1, 5, 3, 0, tzinfo=NOW.tzinfo)
    assert first[3].look_again == pytest.approx((monday - NOW).total_seconds())
    waiting = world(of, status={"retraining": since})
    assert step(waiting, (monday - NOW).total_seconds() - 1)[0] == []
    for later in (monday, monday + timedelta(days=29)):
        jobs, _, _, plan = step(waiting, (later - NOW).total_seconds())
        assert jobs[0]["spec"]["trigger"]["type"] == "Schedule"
        assert plan.status.retraining.scheduledAt == to_text(later)


def test_a_schedule_that_cannot_be_read_is_told_with_an_example() -> None:
    jobs, told, message, _ = step(world(spec(schedule="every monday"), drifted=True))
    assert (jobs, told) == ([], ("False", "InvalidSchedule"))
    assert "such as 0 3 * * 1, got 'every monday'" in message


# --- what becomes of runs ---


def promoted(around: World) -> Any:
    return planned(around).status.promoted


def outcome(around: World) -> str:
    status = planned(around).status.retraining
    assert status is not None
    return status.runs[0].outcome


def test_an_accepted_challenger_becomes_the_candidate_with_its_lineage() -> None:
    plan = planned(world(runs=(accepted(),)))
    assert plan.status.candidate is not None
    assert plan.status.candidate.digest == OTHER_DIGEST
    assert plan.status.candidate.uri == "s3://models/out/b/"
    assert plan.status.candidate.lineage is not None
    assert plan.status.candidate.lineage.retrainJob == "delays-1"
    assert plan.status.stable is not None
    assert plan.status.stable.digest == loops.DIGEST
    assert [run.outcome for run in plan.status.retraining.runs] == ["Promoted"]  # type: ignore[union-attr]
    assert "RetrainPromoted" in [event.reason for event in plan.events]


def test_a_promotion_stands_until_spec_model_changes() -> None:
    first = planned(world(runs=(accepted(),))).status
    kept = world(status=first.model_dump(exclude_none=True), runs=(accepted(),))
    assert promoted(kept).digest == OTHER_DIGEST
    of = spec()
    changed = of.model_copy(
        update={"model": of.model.model_copy(update={"uri": "s3://models/delays/2/"})}
    )
    superseded = world(changed, status=first.model_dump(exclude_none=True), runs=(accepted(),))
    plan = planned(superseded)
    assert plan.status.promoted is None
    assert plan.status.candidate is not None
    assert plan.status.candidate.uri == "s3://models/delays/2/"


def test_a_rejected_challenger_changes_nothing_and_is_remembered() -> None:
    around = world(runs=(rejected(),))
    assert promoted(around) is None
    assert outcome(around) == "Rejected"
    assert planned(around).status.candidate is None


def test_a_challenger_of_a_champion_that_is_gone_is_superseded() -> None:
    around = world(runs=(accepted(champion=OTHER_DIGEST),))
    assert promoted(around) is None
    assert outcome(around) == "Superseded"


def test_manual_waits_for_the_annotation_with_the_name_of_the_run() -> None:
    of = spec(policy={"promotion": "Manual"})
    waiting = world(of, runs=(accepted(),))
    jobs, told, message, _ = step(waiting)
    assert (jobs, told, outcome(waiting)) == (
        [],
        ("False", "AwaitingApproval"),
        "AwaitingApproval",
    )
    assert f"{PROMOTE_ANNOTATION}=delays-1" in message
    assert promoted(waiting) is None
    other = world(of, runs=(accepted(),), annotations={PROMOTE_ANNOTATION: "delays-9"})
    assert promoted(other) is None
    approved = world(of, runs=(accepted(),), annotations={PROMOTE_ANNOTATION: "delays-1"})
    assert promoted(approved).digest == OTHER_DIGEST


def test_suggest_says_what_to_write_into_the_spec_and_promotes_nothing() -> None:
    around = world(spec(policy={"promotion": "Suggest"}), runs=(accepted(),), drifted=True)
    jobs, told, message, _ = step(around)
    assert (jobs, told) == ([], ("False", "Suggested"))
    assert (
        f"spec.model.uri to s3://models/out/b/ and spec.model.digest to {OTHER_DIGEST}" in message
    )
    assert promoted(around) is None


def test_without_retraining_in_the_spec_a_run_by_hand_waits_for_approval() -> None:
    of = spec().model_copy(update={"retraining": None})
    around = world(of, runs=(accepted(),))
    assert promoted(around) is None
    assert outcome(around) == "AwaitingApproval"
    approved = world(of, runs=(accepted(),), annotations={PROMOTE_ANNOTATION: "delays-1"})
    assert promoted(approved).digest == OTHER_DIGEST


def test_of_two_accepted_challengers_one_is_promoted() -> None:
    around = world(runs=(accepted("delays-1"), accepted("delays-2")))
    status = planned(around).status
    assert status.promoted is not None
    assert sorted(run.outcome for run in status.retraining.runs) == [  # type: ignore[union-attr]
        "Promoted",
        "Superseded",
    ]


def test_a_run_that_was_deleted_counts_as_failed_and_holds_up_nothing() -> None:
    before = {
        "retraining": {"runs": [{"job": "delays-1", "trigger": "Drift", "started": to_text(NOW)}]}
    }
    around = world(status=before)
    assert outcome(around) == "Failed"
    assert step(around)[1] == ("False", "NotNeeded")


def test_runs_of_the_last_week_are_kept_for_the_budget_and_older_ones_go() -> None:
    days = [("Rejected", NOW - timedelta(hours=8 * third)) for third in range(45)]
    status = planned(world(status=runs_of(*days))).status.retraining
    assert status is not None
    assert len(status.runs) == 21
