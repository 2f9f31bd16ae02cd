"""One step of ``prepare``, by its name."""

from perennial_contracts.wire.outcome import Outcome
from perennial_contracts.wire.prepare_plan import CONVERT, FETCH, Preparation

from ..options import read_plan
from .settings import PrepareSettings


def run(settings: PrepareSettings) -> Outcome | None:
    """Runs the step; the outcome of the last one.

    Raises:
        StepError: BadPlan, and what the step says.
    """
    plan = read_plan(Preparation)
    # No step loads what only another one needs.
    if settings.step == FETCH:
        from . import fetch

        fetch.run(plan, settings)
        return None
    if settings.step == CONVERT:
        from . import convert

        convert.run(plan, settings)
        return None
    from . import publish

    return publish.run(plan, settings)
