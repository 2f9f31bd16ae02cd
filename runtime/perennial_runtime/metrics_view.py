"""What has been counted, for whoever asks."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import UnavailableError
from .metrics import Metrics, RunTotals, exposition
from .routing import Apart

if TYPE_CHECKING:
    from perennial_contracts.wire.counters import Counters


class MetricsView:
    """Of this process."""

    apart: Apart | None = None
    """Has something done in another thread, where telling takes waiting."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._read: Callable[[], Counters] | None = None

    def serve(self, read: "Callable[[], Counters]") -> None:
        """From now on there is a model, whose counters are read so."""
        self._read = read

    def counters(self) -> "Counters":
        """The model's counters.

        Raises:
            UnavailableError: before the model is there.
        """
        if self._read is None:
            raise UnavailableError("the model is still being loaded. Try again in a second")
        return self._read()

    def runs(self) -> RunTotals:
        """The model's runs."""
        return self._metrics.runs()

    def text(self) -> bytes:
        """The metrics, as Prometheus reads them."""
        return exposition(self._metrics.families())

    def close(self) -> None:
        """Nothing is counted any more."""
