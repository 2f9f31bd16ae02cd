from support import loops, worlds
from support.loops import observation
from support.worlds import NOW, planned

from perennial_operator.diagnosis import Diagnosis
from perennial_operator.modeldeployment.plan import refused
from perennial_operator.monitoring.windows import JudgedWindows

DRIFTED = observation(x=(900, 100), score=(900, 100))


def test_the_service_account_comes_first_and_the_run_last() -> None:
    kinds = [child["kind"] for child in planned(loops.world(observed=DRIFTED)).children]
    assert kinds[:3] == ["ServiceAccount", "Service", "PodDisruptionBudget"]
    assert kinds[-1] == "RetrainJob"


def test_the_pods_of_the_stable_revision_are_read() -> None:
    plan = planned(loops.world(observed=DRIFTED))
    assert plan.status.stable is not None
    assert plan.target is not None
    assert (plan.target.revision, plan.target.window) == (plan.status.stable.name, 60.0)
    assert planned(worlds.world(loops.spec())).target is None


def test_a_refused_plan_keeps_observations_and_drops_decisions() -> None:
    around = loops.world(observed=DRIFTED)
    accepted = planned(around)
    plan = refused(around, accepted, Diagnosis("ApplyRefused", "exceeded quota."), NOW)
    assert plan.children == []
    assert plan.status.monitoring == accepted.status.monitoring
    assert plan.judged == accepted.judged == JudgedWindows(predictions=True, labels=True)
    assert plan.target == accepted.target
    assert accepted.status.retraining is not None
    assert plan.status.retraining is None
    assert "RetrainStarted" in [event.reason for event in accepted.events]
    assert "RetrainStarted" not in [event.reason for event in plan.events]
    assert "ApplyRefused" in [event.reason for event in plan.events]
