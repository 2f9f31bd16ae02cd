"""Builders of worlds with monitored models and runs."""

from datetime import datetime, timedelta
from typing import Any

from perennial_contracts.api.common import Condition
from perennial_contracts.api.modeldeployment import ModelDeploymentSpec
from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.monitoring import (
    DriftedFeature,
    DriftState,
    MonitoringStatus,
    QualityState,
)
from perennial_contracts.api.retrainjob import RetrainJobSpec
from perennial_contracts.api.retrainjob_status import Challenger, ModelReference, RetrainJobStatus
from perennial_contracts.api.trigger import Trigger
from perennial_contracts.stats.quality import SCORE_BINS
from perennial_contracts.wire.profile import Baseline, Distribution, Profile
from perennial_operator.clock import to_text
from perennial_operator.modeldeployment.monitoring import MonitoringResult, decide
from perennial_operator.monitoring.windows import LabelWindow, Observation, PredictionWindow
from perennial_operator.world import LiveRun, World
from support import worlds
from support.worlds import DIGEST, NOW, OTHER_DIGEST

TEMPLATE: dict[str, Any] = {"data": {"label": "late"}, "output": {"uri": "s3://models/out/"}}


def spec(
    policy: dict[str, Any] | None = None,
    monitoring: dict[str, Any] | None = None,
    **retraining: Any,
) -> ModelDeploymentSpec:
    """Return a monitored, retrained model; a single window of a minute decides."""
    watched = {
        "window": "60s",
        "drift": {"minSamples": 100, "consecutive": 1},
        "quality": {"metric": "accuracy", "minLabels": 100, "consecutive": 1},
        **(monitoring or {}),
    }
    rules = {"cooldown": "1h", "minLabels": 0, **(policy or {})}
    return worlds.spec(
        monitoring=watched, retraining={"template": TEMPLATE, "policy": rules, **retraining}
    )


def profile() -> Profile:
    return Profile(
        rows=10_000,
        features=[Distribution(name="x", edges=[0.0], counts=[5000, 5000, 0])],
        score=Distribution(name="score", edges=[0.5], counts=[5000, 5000, 0]),
        label=Distribution(name="label", categories=["0", "1"], counts=[5000, 5000, 0, 0]),
        positive="1",
        quality={"accuracy": Baseline(value=0.9, deviation=0.005, rows=1000)},
    )


def observation(
    x: tuple[int, int] = (500, 500),
    score: tuple[int, int] = (500, 500),
    right: int = 900,
    wrong: int = 100,
    age: float = 60,
    now: datetime = NOW,
    digest: str = DIGEST,
    **more: Any,
) -> Observation:
    """Return the counts of a window that started ``age`` seconds ago."""
    start = now - timedelta(seconds=age)
    half = (right // 2, right - right // 2)
    return Observation(
        digest=digest,
        profile=profile(),
        has_profile=True,
        predictions=PredictionWindow(start, sum(x), {"x": (*x, 0)}, (*score, 0), (*score, 0, 0)),
        labels=LabelWindow(
            start,
            right + wrong,
            ((half[0], wrong), (0, half[1])),
            ((0,) * SCORE_BINS, (0,) * SCORE_BINS),
        ),
        **more,
    )


def nothing_seen() -> Observation:
    """Return an empty window that has just started."""
    return observation(x=(0, 0), score=(0, 0), right=0, wrong=0, age=0)


def condition_of(type_: str, status: str, reason: str, message: str = "") -> Condition:
    return Condition(
        type=type_,
        status=status,
        observedGeneration=3,
        lastTransitionTime=to_text(NOW),
        reason=reason,
        message=message,
    )


def drift_state(inputs: int = 0, predictions: int = 0) -> DriftState:
    levels = (("x", inputs), ("score", predictions))
    return DriftState(
        windowEnd=to_text(NOW),
        samples=1000,
        features=[
            DriftedFeature(
                name=name, level="Act" if streak else "Stable", psiPermille=300, limitPermille=20
            )
            for name, streak in levels
        ],
        inputStreak=inputs,
        predictionStreak=predictions,
    )


def quality_state(streak: int = 0) -> QualityState:
    return QualityState(
        windowEnd=to_text(NOW),
        labels=1000,
        metric="accuracy",
        valuePermille=800 if streak else 900,
        baselinePermille=900,
        limitPermille=880,
        streak=streak,
    )


def world(
    of: ModelDeploymentSpec | None = None,
    *,
    drifted: bool = False,
    dropped: bool = False,
    labels: int = 10_000,
    status: dict[str, Any] | None = None,
    runs: tuple[LiveRun, ...] = (),
    annotations: dict[str, str] | None = None,
    observed: Observation | None = None,
) -> World:
    """Return a served model, with the results of its last windows in the status."""
    of = of or spec()
    stable = worlds.revision(of)
    monitoring = MonitoringStatus(
        digest=DIGEST,
        labels=labels,
        drift=drift_state(inputs=int(drifted), predictions=int(drifted)),
        quality=quality_state(streak=int(dropped)),
    )
    state = ModelDeploymentStatus(**{"stable": stable, "monitoring": monitoring, **(status or {})})
    more: dict[str, Any] = {
        "annotations": annotations or {},
        "runs": runs,
        "observation": observed or nothing_seen(),
    }
    around = worlds.world(of, state, **more)
    assert state.stable is not None
    live = worlds.live_deployment(around, state.stable, replicas=1, ready=1)
    return worlds.world(of, state, [live], **more)


def live_run(
    name: str,
    *,
    state: tuple[str, str] = ("Unknown", "Training"),
    decision: str | None = None,
    champion: str = DIGEST,
    trigger: Trigger | None = None,
    created: datetime = NOW,
    ended: datetime | None = None,
) -> LiveRun:
    """Return a RetrainJob in the cluster."""
    return LiveRun(
        name=name,
        created=to_text(created),
        spec=RetrainJobSpec.model_validate(
            {**TEMPLATE, "modelRef": {"name": "delays"}, "trigger": trigger or Trigger()}
        ),
        status=RetrainJobStatus(
            conditions=[condition_of("Succeeded", *state)],
            champion=ModelReference(uri="s3://models/delays/1/", digest=champion),
            challenger=Challenger(uri="s3://models/out/b/", digest=OTHER_DIGEST),
            decision=decision,
            message="the numbers",
            completionTime=to_text(ended) if ended else None,
        ),
    )


def accepted(name: str = "delays-1", **more: Any) -> LiveRun:
    return live_run(name, state=("True", "Accepted"), decision="Accepted", **{"ended": NOW, **more})


def rejected(name: str = "delays-1", **more: Any) -> LiveRun:
    return live_run(name, state=("True", "Rejected"), decision="Rejected", **{"ended": NOW, **more})


def judged(observed: Observation, before: Any = None, **monitoring: Any) -> MonitoringResult:
    """Return the verdicts on an observation, given the status of the window before."""
    around = world(spec(monitoring=monitoring), observed=observed, status={"monitoring": before})
    result = decide(around, NOW)
    assert result is not None
    return result
