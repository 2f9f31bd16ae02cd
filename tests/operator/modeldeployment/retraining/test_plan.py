from support.loops import TEMPLATE, live_run, spec, world
from support.retrainings import new_run, retraining

from perennial_contracts.api.trigger import Trigger


def test_without_a_trigger_no_run_starts() -> None:
    jobs, state, _, _ = retraining(world())
    assert (jobs, state) == ([], ("False", "NotNeeded"))


def test_a_run_gets_the_queue_of_the_template() -> None:
    job = new_run(world(spec(template={**TEMPLATE, "queueName": "team-a"}), drifted=True))
    assert job["spec"]["queueName"] == "team-a"


def test_drift_of_inputs_and_answers_starts_a_run_with_the_evidence() -> None:
    job = new_run(world(drifted=True))
    trigger = job["spec"]["trigger"]
    assert trigger["type"] == "Drift"
    assert "x (PSI 0.300)" in trigger["message"]
    assert job["spec"]["modelRef"] == {"name": "delays"}
    assert job["spec"]["data"]["label"] == "late"
    assert job["metadata"]["ownerReferences"][0]["kind"] == "ModelDeployment"


def test_only_one_run_at_a_time() -> None:
    busy = world(drifted=True, runs=(live_run("delays-1"),))
    jobs, state, message, _ = retraining(busy)
    assert (jobs, state) == ([], ("True", "Running"))
    assert "delays-1" in message


def test_an_operator_that_lost_the_record_of_a_run_starts_no_second_one() -> None:
    job = new_run(world(drifted=True))
    # The status was not written any more; after the restart the RetrainJob is there.
    trigger = Trigger.model_validate(job["spec"]["trigger"])
    orphan = live_run(job["metadata"]["name"], trigger=trigger)
    jobs, state, _, plan = retraining(world(drifted=True, runs=(orphan,)))
    assert (jobs, state) == ([], ("True", "Running"))
    assert plan.status.retraining.runs[0].fingerprint == trigger.fingerprint
    # And where even the cache has not got it yet, the name is the same: it cannot be made twice.
    assert new_run(world(drifted=True))["metadata"]["name"] == job["metadata"]["name"]
