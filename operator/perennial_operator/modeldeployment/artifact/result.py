"""What the decisions about a model's bytes come to."""

from dataclasses import dataclass

from perennial_contracts.api.conditions import ResolvedReason
from perennial_contracts.api.modeldeployment import ModelSource
from perennial_contracts.api.modeldeployment_status import Detection, Promotion, Resolution

from ...objects import Object

_UNDER_WAY = (ResolvedReason.RESOLVING, ResolvedReason.PACKAGING)


@dataclass(frozen=True)
class Packaging:
    """The digest, or how far one is from it."""

    digest: str | None
    resolution: Resolution | None
    """What is to be recorded."""
    reason: str
    message: str
    job: Object | None = None
    """The Job that finds or makes it."""
    promoted: Promotion | None = None
    """What is served in place of spec.model."""
    detected: Detection | None = None
    """The format that was found, to be recorded."""
    look_again: float | None = None
    """Seconds until the next look, where no event will bring it."""
    final: bool = False
    """Whether only a change of the spec can mend it."""
    source: ModelSource | None = None
    """What is served in place of spec.model, where a bundle was made."""

    def model(self, spec: ModelSource) -> ModelSource:
        """The source that is served: spec.model, what was made of it, or what was promoted."""
        if self.promoted:
            place = {"uri": self.promoted.uri, "digest": self.promoted.digest}
            return spec.model_copy(update=place)
        return self.source or spec

    @property
    def failed(self) -> bool:
        return self.digest is None and self.reason not in _UNDER_WAY
