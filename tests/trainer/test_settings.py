"""The settings of the steps."""

from pathlib import Path

import pytest

from perennial_contracts.wire.prepare_plan import Preparation
from perennial_contracts.wire.run_plan import OUTPUT_FOLDER
from perennial_trainer.errors import StepError
from perennial_trainer.settings import PrepareSettings, StepSettings, parse, read_plan


def test_a_missing_plan_is_reported() -> None:
    with pytest.raises(StepError, match="PERENNIAL_PLAN"):
        read_plan(Preparation, {})


@pytest.mark.parametrize("command", [["judge"], ["prepare", "--step", "fetch"]])
def test_an_empty_flag_or_variable_counts_as_unset(command: list[str]) -> None:
    variables = {"PERENNIAL_INPUT": "/from/variable", "PERENNIAL_OUTPUT": ""}
    settings = parse([*command, "--input", "", "--retry-seconds", ""], variables)
    assert isinstance(settings, StepSettings | PrepareSettings)
    assert settings.input == Path("/from/variable")
    assert settings.output == Path(OUTPUT_FOLDER)
    assert settings.retry_seconds == 30
