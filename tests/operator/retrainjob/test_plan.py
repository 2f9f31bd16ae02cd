from support import loops
from support.loops import TEMPLATE
from support.runs import CHAMPION, condition_of, job_status, planned, started, succeeded, world
from support.worlds import NOW

from perennial_operator.diagnosis import Diagnosis
from perennial_operator.retrainjob.plan import refused


def test_a_run_waits_until_its_model_exists_and_serves() -> None:
    for around, problem in (
        (world(deployed=False), "does not exist"),
        (world(stable=False), "has no stable revision"),
    ):
        status, reason, message = succeeded(around)
        assert (status, reason) == ("Unknown", "WaitingForModel")
        assert problem in message
        assert planned(around).children == []


def test_the_champion_is_recorded_before_the_job_is_created() -> None:
    first = planned(world())
    assert first.children == []
    assert first.status.champion == CHAMPION
    second = planned(world(first.status))
    assert [child["kind"] for child in second.children] == ["Job"]


def test_a_run_without_training_data_fails_and_names_the_fields_to_set() -> None:
    status, reason, message = succeeded(world(capture=None))
    assert (status, reason) == ("False", "NothingToLearnFrom")
    assert "spec.monitoring.capture.uri" in message
    assert succeeded(
        world(capture=None, data={**TEMPLATE["data"], "baseline": "s3://m/x.parquet"})
    )[:2] == ("Unknown", "Starting")


def test_a_refused_job_is_reported_and_the_run_stays_open() -> None:
    plan = refused(world(started()), Diagnosis("ApplyRefused", "no quota"), NOW)
    condition = condition_of(plan.status, "Succeeded")
    assert (condition.status, condition.message) == ("Unknown", "no quota")


def test_an_ended_run_does_not_change() -> None:
    over = started().model_copy(
        update={"conditions": [loops.condition_of("Succeeded", "True", "Rejected")]}
    )
    plan = planned(world(over, job=job_status("Complete")))
    assert plan.status == over
    assert plan.events == []
    assert [child["kind"] for child in plan.children] == ["Job"]
    # Kubernetes deletes its Job after its time to live. It is not created again.
    assert planned(world(over)).children == []
