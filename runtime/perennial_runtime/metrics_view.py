"""Metrics and counters for the routes that report them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import UnavailableError
from .metrics import Metrics, RunTotals, exposition
from .routing import Submit

if TYPE_CHECKING:
    from perennial_contracts.wire.counters import Counters


class MetricsView:
    """Metrics and counters of this process."""

    submit: Submit | None = None
    """Runs a function in another thread; set if the methods block."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._read: Callable[[], Counters] | None = None

    def serve(self, read: "Callable[[], Counters]") -> None:
        """Use ``read`` for the counters of the model, which is now loaded."""
        self._read = read

    def counters(self) -> "Counters":
        """Return the counters of the model.

        Raises:
            UnavailableError: if the model is still loading.
        """
        if self._read is None:
            raise UnavailableError("the model is still loading. Retry in a second")
        return self._read()

    def runs(self) -> RunTotals:
        """Return the number and the times of the model's runs."""
        return self._metrics.runs()

    def text(self) -> bytes:
        """Return the metrics in the format of Prometheus."""
        return exposition(self._metrics.families())

    def close(self) -> None:
        """Stop; nothing is counted from now on."""
