"""The settings of the steps."""

import pytest

from perennial_contracts.wire.prepare_plan import Preparation
from perennial_trainer.errors import StepError
from perennial_trainer.settings import read_plan


def test_a_missing_plan_is_reported() -> None:
    with pytest.raises(StepError, match="PERENNIAL_PLAN"):
        read_plan(Preparation, {})
