"""Automatic retraining: settings in the spec, runs in the status."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from .common import GROUP, ApiModel, Moment
from .duration import Duration
from .retrainjob import RetrainTemplate
from .trigger import TriggerType

PROMOTE_ANNOTATION = f"{GROUP}/promote"
"""Annotation with the name of a RetrainJob to promote, for the policy Manual."""
RETRAIN_ANNOTATION = f"{GROUP}/retrain"
"""Annotation that starts one RetrainJob from the template for each new value."""


class RetrainingReason(StrEnum):
    """Reasons of the condition Retraining."""

    RUNNING = "Running"
    """A RetrainJob is running."""
    NOT_NEEDED = "NotNeeded"
    """No trigger has fired."""
    ROLLOUT_IN_PROGRESS = "RolloutInProgress"
    """A trigger has fired during a rollout, which must finish first."""
    COOLDOWN = "Cooldown"
    """A trigger has fired within policy.cooldown of the last run."""
    BUDGET_SPENT = "BudgetSpent"
    """A trigger has fired after policy.maxPerWeek runs within seven days."""
    EVIDENCE_KNOWN = "EvidenceKnown"
    """Runs for the same evidence did not help; the cooldown doubles for each."""
    TOO_FEW_LABELS = "TooFewLabels"
    """A trigger has fired, and the model has fewer labels than policy.minLabels."""
    AWAITING_APPROVAL = "AwaitingApproval"
    """A challenger was accepted, and policy.promotion is Manual."""
    SUGGESTED = "Suggested"
    """A challenger was accepted, and policy.promotion is Suggest."""
    INVALID_SCHEDULE = "InvalidSchedule"
    """spec.retraining.schedule is not a valid cron line."""


class RetrainingPolicy(ApiModel):
    """Limits of automatic retraining. They do not apply to requests by a person."""

    cooldown: Duration = "24h"
    """Least time from the end of one run to the next, such as 24h. It doubles for each run for the
    same evidence that failed or was rejected."""
    maxPerWeek: Annotated[int, Field(ge=1, le=1000)] = 3
    """Largest number of automatic runs within seven days."""
    minLabels: Annotated[int, Field(ge=0, le=10_000_000)] = 500
    """Least number of labels for the current model before the trigger Drift starts a run."""
    promotion: Literal["Automatic", "Manual", "Suggest"] = "Automatic"
    """Promotion of a challenger that passed the gate. Automatic means that it is rolled out. Manual
    means that it waits for the annotation perennial.dev/promote with the name of the RetrainJob.
    Suggest means that it is reported only; set its uri and digest in spec.model."""


class Retraining(ApiModel):
    """Automatic retraining: triggers, policy, and the RetrainJobs to create."""

    when: Annotated[
        list[Literal["Drift", "QualityDrop"]] | None,
        Field(max_length=2, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = None
    """Triggers that start a run. Defaults to both. Both require spec.monitoring."""
    schedule: Annotated[str | None, Field(min_length=9, max_length=100)] = None
    """Schedule of runs, as a cron line in UTC, such as 0 3 * * 1."""
    policy: Annotated[RetrainingPolicy, Field(default_factory=RetrainingPolicy)]
    """Limits of automatic retraining."""
    template: RetrainTemplate
    """Spec of the RetrainJobs to create, without modelRef and trigger."""


RunOutcome = Literal[
    "Running", "Failed", "Rejected", "AwaitingApproval", "Suggested", "Promoted", "Superseded"
]


class Run(ApiModel):
    """RetrainJob of this model; recorded even after its deletion."""

    job: Annotated[str, Field(max_length=253)]
    """Name of the RetrainJob."""
    trigger: TriggerType
    """Trigger of the run."""
    fingerprint: Annotated[str, Field(max_length=64)] = ""
    """Hash of the evidence for the trigger."""
    started: Moment
    """Time when the RetrainJob was created."""
    ended: Moment | None = None
    """Time when the run ended."""
    outcome: RunOutcome = "Running"
    """Outcome of the run."""


class RetrainingStatus(ApiModel):
    """Runs, and the data that decides the time of the next one."""

    runs: Annotated[list[Run], Field(default_factory=list, max_length=50)]
    """Runs, the latest first; at least those of the last seven days."""
    scheduledAt: Moment | None = None
    """Last processed time of the schedule, or the time from which the schedule applies."""
    retrainRequest: Annotated[str | None, Field(max_length=253)] = None
    """Last processed value of the annotation perennial.dev/retrain."""
