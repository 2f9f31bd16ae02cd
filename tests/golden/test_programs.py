"""Every flag and every environment variable of the three programs."""

from typing import Any

import pytest
from golden.programs import Parse, effects, flags, parser_of, settled, variables
from golden.record import check

from perennial_operator.settings import parse as parse_operator
from perennial_runtime.settings import parse as parse_runtime
from perennial_trainer.settings import parse as parse_trainer

IMAGES = ["--runtime-image=runtime:1", "--trainer-image=trainer:1"]
STEPS = {"assemble": [], "train": [], "judge": [], "prepare": ["--step", "fetch"]}
FIT = ["fit", "--data", "rows.csv", "--label", "late", "--out", "out"]
CONVERT = ["convert", "model.pkl", "--out", "out"]
REPORT = ["report", "bundle/modelcard.json", "--out", "report.html"]
COMMANDS: dict[str, tuple[Parse, list[str]]] = {
    "operator": (parse_operator, IMAGES),
    "runtime-serve": (parse_runtime, ["serve", "s3://models/delays/1/"]),
    "runtime-resolve": (parse_runtime, ["resolve", "s3://models/delays/1/"]),
    **{f"trainer-{name}": (parse_trainer, [name, *more]) for name, more in STEPS.items()},
    "trainer-fit": (parse_trainer, FIT),
    "trainer-convert": (parse_trainer, CONVERT),
    "trainer-report": (parse_trainer, REPORT),
}


@pytest.mark.parametrize("name", ["operator", "runtime", "trainer"])
def test_the_flags_of_a_program_are_those_that_were_recorded(name: str) -> None:
    parse = next(each for command, (each, _) in COMMANDS.items() if command.startswith(name))
    check(f"programs/{name}-flags", flags(parser_of(parse)))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_settings_of_a_command_are_those_that_were_recorded(name: str) -> None:
    parse, arguments = COMMANDS[name]
    defaults = settled(parse, arguments, {})
    assert defaults
    listed = flags(parser_of(parse))
    from_variables = {
        each: effects(parse, arguments, variable=each) for each in variables(parse, arguments)
    }
    from_flags: dict[str, Any] = {}
    for words, facts in listed.get(arguments[0], listed).items():
        flag = words.split()[-1]
        if flag.startswith("--") and facts["nargs"] != 0:
            found = effects(parse, arguments, flag=flag)
            variable = "PERENNIAL_" + flag.removeprefix("--").replace("-", "_").upper()
            same = found == from_variables.get(variable)
            from_flags[flag] = f"as {variable}" if same else found
    found = {
        "defaults": sorted(map(str, defaults.values())),
        "variables": from_variables,
        "flags": from_flags,
    }
    check(f"programs/{name}", found)
