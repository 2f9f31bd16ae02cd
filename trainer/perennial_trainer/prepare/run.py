"""One step of ``prepare``, by its name."""

from perennial_contracts.outcome import Outcome
from perennial_contracts.preparation import CONVERT, FETCH

from .settings import PrepareSettings, load_preparation


def run(settings: PrepareSettings) -> Outcome | None:
    """Runs the step; the outcome of the last one.

    Raises:
        StepError: BadPlan, and what the step says.
    """
    plan = load_preparation()
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
