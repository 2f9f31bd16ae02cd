from datetime import timedelta

from support import loops
from support.loops import accepted, live_run, rejected, spec, world
from support.retrainings import latest_outcome, promotion, recorded_runs, retraining
from support.worlds import NOW, OTHER_DIGEST, planned

from perennial_contracts.api.retraining import PROMOTE_ANNOTATION
from perennial_operator.clock import to_text


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


def test_a_promotion_is_valid_until_spec_model_changes() -> None:
    first = planned(world(runs=(accepted(),))).status
    kept = world(status=first.model_dump(exclude_none=True), runs=(accepted(),))
    assert promotion(kept).digest == OTHER_DIGEST
    of = spec()
    changed = of.model_copy(
        update={"model": of.model.model_copy(update={"uri": "s3://models/delays/2/"})}
    )
    superseded = world(changed, status=first.model_dump(exclude_none=True), runs=(accepted(),))
    plan = planned(superseded)
    assert plan.status.promoted is None
    assert plan.status.candidate is not None
    assert plan.status.candidate.uri == "s3://models/delays/2/"


def test_a_rejected_challenger_is_recorded_and_changes_nothing() -> None:
    around = world(runs=(rejected(),))
    assert promotion(around) is None
    assert latest_outcome(around) == "Rejected"
    assert planned(around).status.candidate is None


def test_a_challenger_of_a_replaced_champion_is_superseded() -> None:
    around = world(runs=(accepted(champion=OTHER_DIGEST),))
    assert promotion(around) is None
    assert latest_outcome(around) == "Superseded"


def test_manual_promotion_waits_for_the_annotation_with_the_name_of_the_run() -> None:
    of = spec(policy={"promotion": "Manual"})
    waiting = world(of, runs=(accepted(),))
    jobs, state, message, _ = retraining(waiting)
    assert (jobs, state, latest_outcome(waiting)) == (
        [],
        ("False", "AwaitingApproval"),
        "AwaitingApproval",
    )
    assert f"{PROMOTE_ANNOTATION}=delays-1" in message
    assert promotion(waiting) is None
    other = world(of, runs=(accepted(),), annotations={PROMOTE_ANNOTATION: "delays-9"})
    assert promotion(other) is None
    approved = world(of, runs=(accepted(),), annotations={PROMOTE_ANNOTATION: "delays-1"})
    assert promotion(approved).digest == OTHER_DIGEST


def test_a_suggested_promotion_names_the_fields_to_set_and_promotes_nothing() -> None:
    around = world(spec(policy={"promotion": "Suggest"}), runs=(accepted(),), drifted=True)
    jobs, state, message, _ = retraining(around)
    assert (jobs, state) == ([], ("False", "Suggested"))
    assert (
        f"spec.model.uri to s3://models/out/b/ and spec.model.digest to {OTHER_DIGEST}" in message
    )
    assert promotion(around) is None


def test_a_run_created_by_hand_waits_for_approval_without_spec_retraining() -> None:
    of = spec().model_copy(update={"retraining": None})
    around = world(of, runs=(accepted(),))
    assert promotion(around) is None
    assert latest_outcome(around) == "AwaitingApproval"
    approved = world(of, runs=(accepted(),), annotations={PROMOTE_ANNOTATION: "delays-1"})
    assert promotion(approved).digest == OTHER_DIGEST


def test_a_run_in_progress_is_reported_with_its_trigger_without_spec_retraining() -> None:
    of = spec().model_copy(update={"retraining": None})
    run = {"job": "delays-1", "trigger": "Drift", "started": to_text(NOW)}
    around = world(of, status={"retraining": {"runs": [run]}}, runs=(live_run("delays-1"),))
    _, state, message, _ = retraining(around)
    assert state == ("True", "Running")
    assert message == "RetrainJob delays-1 is running; trigger: Drift."


def test_only_one_of_two_accepted_challengers_is_promoted() -> None:
    around = world(runs=(accepted("delays-1"), accepted("delays-2")))
    status = planned(around).status
    assert status.promoted is not None
    assert sorted(run.outcome for run in status.retraining.runs) == [  # type: ignore[union-attr]
        "Promoted",
        "Superseded",
    ]


def test_a_deleted_run_counts_as_failed_and_blocks_nothing() -> None:
    before = {
        "retraining": {"runs": [{"job": "delays-1", "trigger": "Drift", "started": to_text(NOW)}]}
    }
    around = world(status=before)
    assert latest_outcome(around) == "Failed"
    assert retraining(around)[1] == ("False", "NotNeeded")


def test_runs_of_the_last_week_are_kept_for_the_budget_and_older_ones_dropped() -> None:
    days = [("Rejected", NOW - timedelta(hours=8 * third)) for third in range(45)]
    status = planned(world(status=recorded_runs(*days))).status.retraining
    assert status is not None
    assert len(status.runs) == 21
