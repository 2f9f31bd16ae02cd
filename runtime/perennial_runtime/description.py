"""Facts about a served model, for the page and the OpenAPI document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.profile import Profile

from .classes import Classes
from .regression import is_regression
from .signature import TensorSpec, is_tabular


@dataclass(frozen=True)
class ModelDescription:
    """A model with its name, its signature and its bundle."""

    name: str
    """Name of the model in paths."""
    version: str
    """First digits of the model's digest."""
    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    classes: Classes | None = None
    bundle: Bundle | None = None
    profile: Profile | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    """Properties of the model's metadata, such as the digest and the execution provider."""

    @property
    def has_stated_labels(self) -> bool:
        """True if the bundle names the classes. Otherwise a label may be none of them."""
        return self.bundle is not None and self.bundle.labels is not None

    @property
    def is_regression(self) -> bool:
        """True for a model of one number for each row."""
        return is_regression(self.outputs, self.classes)

    @property
    def is_tabular(self) -> bool:
        """True for a model of rows of a table."""
        return is_tabular(self.inputs)
