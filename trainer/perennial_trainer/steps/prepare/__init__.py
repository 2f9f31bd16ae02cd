"""Job ``prepare``: from a framework's artifact to a bundle in the store.

``fetch`` has credentials and only copies bytes. ``convert`` reads files that can come from an
attacker, and has neither credentials nor network. ``publish`` has credentials and treats the files
of ``convert`` as data.
"""

from perennial_contracts.wire.outcome import Outcome
from perennial_contracts.wire.prepare_plan import CONVERT, FETCH, Preparation

from ...settings import PrepareSettings


def run(plan: Preparation, settings: PrepareSettings) -> Outcome | None:
    """Run one stage; return the outcome of the last one.

    Raises:
        StepError: as the stage.
    """
    # No stage imports modules that only another one needs.
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
