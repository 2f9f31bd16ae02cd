"""What a document is about: one model, and what its server can do with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from perennial_contracts.wire.profile import Profile

from ..classes import Classes
from ..regression import is_regression
from ..signature import TensorSpec, is_tabular


@dataclass(frozen=True)
class Served:
    """One model behind its server."""

    name: str
    version: str
    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    classes: Classes | None
    are_labels_stated: bool
    """Whether the bundle names the classes: else a label may be none of them."""
    profile: Profile | None
    binary_tensors: bool
    """Whether tensors may be bytes after the JSON head."""
    bare_rows: bool
    """Whether rows may come without their envelope."""
    limits_load: bool
    """Whether requests are refused with 429 where too many are in flight."""

    @property
    def is_regression(self) -> bool:
        return is_regression(self.outputs, self.classes)

    @property
    def is_tabular(self) -> bool:
        return is_tabular(self.inputs)
