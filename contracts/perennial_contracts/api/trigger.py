"""Reason for a run."""

from typing import Annotated, Literal

from pydantic import Field

from .common import ApiModel

TriggerType = Literal["Drift", "QualityDrop", "Schedule", "Manual"]


class Trigger(ApiModel):
    """Reason for a run."""

    type: TriggerType = "Manual"
    """Trigger. Manual means requested by a person."""
    fingerprint: Annotated[str, Field(max_length=64)] = ""
    """Hash of the evidence."""
    message: Annotated[str, Field(max_length=2048)] = ""
    """Evidence, for people."""
