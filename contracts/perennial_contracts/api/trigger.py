"""Why there is a run."""

from typing import Annotated, Literal

from pydantic import Field

from .common import ApiModel

TriggerType = Literal["Drift", "QualityDrop", "Schedule", "Manual"]


class Trigger(ApiModel):
    """Why there is this run."""

    type: TriggerType = "Manual"
    """What started it."""
    fingerprint: Annotated[str, Field(max_length=64)] = ""
    """Hash of the evidence, by which the same evidence is known again."""
    message: Annotated[str, Field(max_length=2048)] = ""
    """The evidence, for people."""
