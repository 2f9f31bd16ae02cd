"""Facts about a model that the monitoring needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from perennial_contracts.wire.profile import Profile

from ..classes import Classes
from ..protocol.perennial.prediction_id import IdMaker
from ..signature import TensorSpec


@dataclass(frozen=True)
class MonitoredModel:
    """A model under its name, with the meaning of its outputs."""

    name: str
    """Name of the model in paths."""
    version: str
    """First digits of the model's digest."""
    digest: str
    inputs: Sequence[TensorSpec]
    ids: IdMaker
    """Makes the prediction ids of this model and version."""
    classes: Classes | None = None
    """None if the model is not a classifier."""
    profile: Profile | None = None
    is_regression: bool = False
    """True if the model returns a number for each row."""
