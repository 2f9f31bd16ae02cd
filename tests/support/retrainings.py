"""Readers of the plan for a model that is retrained."""

from datetime import datetime
from typing import Any

from perennial_operator.clock import to_text
from perennial_operator.objects import Object
from perennial_operator.world import World
from support.worlds import planned


def retraining(around: World, seconds: float = 0) -> tuple[list[Object], tuple[str, str], str, Any]:
    """Return new RetrainJobs, state and message of Retraining, and the plan."""
    plan = planned(around, seconds)
    jobs = [child for child in plan.children if child["kind"] == "RetrainJob"]
    condition = next(each for each in plan.status.conditions if each.type == "Retraining")
    return jobs, (condition.status, condition.reason), condition.message, plan


def new_run(around: World) -> Object:
    """Return the RetrainJob that starts."""
    jobs, state, message, _ = retraining(around)
    assert state == ("True", "Running"), message
    return jobs[0]


def recorded_runs(*ended: tuple[str, datetime], fingerprint: str = "") -> dict[str, Any]:
    """Return a status with runs by outcome and time, latest first."""
    return {
        "retraining": {
            "runs": [
                {
                    "job": f"old-{index}",
                    "trigger": "Drift",
                    "fingerprint": fingerprint,
                    "started": to_text(moment),
                    "ended": to_text(moment),
                    "outcome": outcome,
                }
                for index, (outcome, moment) in enumerate(ended)
            ]
        }
    }


def promotion(around: World) -> Any:
    """Return the promotion in the planned status."""
    return planned(around).status.promoted


def latest_outcome(around: World) -> str:
    """Return the outcome of the latest run in the planned status."""
    status = planned(around).status.retraining
    assert status is not None
    return status.runs[0].outcome
