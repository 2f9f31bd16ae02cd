"""When a model is trained anew: the settings in the spec, the runs in the status."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from .common import GROUP, ApiModel, Moment
from .duration import Duration
from .retrainjob import RetrainTemplate
from .trigger import TriggerType

PROMOTE_ANNOTATION = f"{GROUP}/promote"
"""Set to the name of a RetrainJob, it promotes its challenger where the policy is Manual."""
RETRAIN_ANNOTATION = f"{GROUP}/retrain"
"""Each new value starts one RetrainJob from the template."""


class RetrainingReason(StrEnum):
    """Reasons of the condition Retraining."""

    RUNNING = "Running"
    """A RetrainJob runs."""
    NOT_NEEDED = "NotNeeded"
    """No trigger has fired."""
    ROLLOUT_IN_PROGRESS = "RolloutInProgress"
    """A trigger has fired while another model is on its way; that one is to show itself first."""
    COOLDOWN = "Cooldown"
    """A trigger has fired, too soon after the last run."""
    BUDGET_SPENT = "BudgetSpent"
    """A trigger has fired, and policy.maxPerWeek runs were made within a week."""
    EVIDENCE_KNOWN = "EvidenceKnown"
    """The same evidence led to a run that did not help; it is waited for longer each time."""
    TOO_FEW_LABELS = "TooFewLabels"
    """A trigger has fired, and fewer labels than policy.minLabels have come back."""
    AWAITING_APPROVAL = "AwaitingApproval"
    """A challenger was accepted, and policy.promotion is Manual."""
    SUGGESTED = "Suggested"
    """A challenger was accepted, and policy.promotion is Suggest: commit it to spec.model."""
    INVALID_SCHEDULE = "InvalidSchedule"
    """spec.retraining.schedule cannot be read."""


class RetrainingPolicy(ApiModel):
    """What keeps retraining in bounds. It does not hold for what a person asks for."""

    cooldown: Duration = "24h"
    """Least time from the end of one run to the next; doubled for each run that the same evidence
    led to in vain."""
    maxPerWeek: Annotated[int, Field(ge=1, le=1000)] = 3
    """Most runs within any seven days."""
    minLabels: Annotated[int, Field(ge=0, le=10_000_000)] = 500
    """Labels that must have come back for the present model before drift leads to a run."""
    promotion: Literal["Automatic", "Manual", "Suggest"] = "Automatic"
    """What happens with a challenger that passed the gate. Automatic: it is rolled out. Manual: it
    waits for the annotation perennial.dev/promote with the RetrainJob's name. Suggest: it is only
    told, to be written into spec.model."""


class Retraining(ApiModel):
    """When and how the model is trained anew."""

    when: Annotated[
        list[Literal["Drift", "QualityDrop"]] | None,
        Field(max_length=2, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = None
    """What starts a run by itself; both where absent."""
    schedule: Annotated[str | None, Field(min_length=9, max_length=100)] = None
    """Starts a run by the clock: a cron line in UTC, such as 0 3 * * 1."""
    policy: Annotated[RetrainingPolicy, Field(default_factory=RetrainingPolicy)]
    """What keeps retraining in bounds."""
    template: RetrainTemplate
    """The RetrainJobs that are made."""


RunOutcome = Literal[
    "Running", "Failed", "Rejected", "AwaitingApproval", "Suggested", "Promoted", "Superseded"
]


class Run(ApiModel):
    """One RetrainJob of this model, kept after it is gone."""

    job: Annotated[str, Field(max_length=253)]
    """Its name."""
    trigger: TriggerType
    """What started it."""
    fingerprint: Annotated[str, Field(max_length=64)] = ""
    """Hash of the evidence."""
    started: Moment
    """When it was made."""
    ended: Moment | None = None
    """When it ended."""
    outcome: RunOutcome = "Running"
    """What became of it."""


class RetrainingStatus(ApiModel):
    """The runs, and what is known of when the next one may be."""

    runs: Annotated[list[Run], Field(default_factory=list, max_length=50)]
    """The latest runs, the latest first; those of a week at least, for the budget."""
    scheduledAt: Moment | None = None
    """The last time of the schedule that was acted on, or that the schedule counts from."""
    retrainRequest: Annotated[str | None, Field(max_length=253)] = None
    """Value of the annotation perennial.dev/retrain that was acted on last."""
