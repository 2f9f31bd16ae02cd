"""Programs of PyTorch convert to ONNX in an environment like trainer-torch."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import onnx
import pytest
from support.trainers import python_of, run

from perennial_contracts.wire.run_plan import TrainingFailure
from perennial_trainer import conversion as formats
from perennial_trainer.errors import StepError

MAKE = """
import sys
import torch
from torch import nn
from torch.export import Dim, export, save
folder, rows = sys.argv[1], Dim("rows")
torch.manual_seed(0)

def keep(name, model, example, **more):
    save(export(model.eval(), example, **more), f"{folder}/{name}.pt2")

dense = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(1))
keep("dense", dense, (torch.randn(4, 5),), dynamic_shapes=({0: rows},))
keep("one_row", dense, (torch.randn(1, 5),))
image = nn.Sequential(
    nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
keep("image", image, (torch.randn(4, 1, 8, 8),), dynamic_shapes=({0: rows},))

class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.last = nn.Embedding(50, 4), nn.Linear(4, 2)
    def forward(self, words, scale=2.0, *, weight):
        score = self.last(self.table(words).mean(1)) * scale * weight
        return {"score": score, "weight": weight * 1.5}

keep("words", Words(), (torch.randint(0, 50, (4, 7)), 2.0), kwargs={"weight": torch.randn(4, 1)},
     dynamic_shapes={"words": {0: rows}, "scale": None, "weight": {0: rows}})

class Two(nn.Module):
    def forward(self, output, b):
        return output + b, output * b

keep("two", Two(), (torch.randn(4, 2), torch.randn(4, 2)), dynamic_shapes=({0: rows}, {0: rows}))
keep("half", dense.to(torch.bfloat16), (torch.randn(4, 5, dtype=torch.bfloat16),))
dense.float()
torch.save(dense.state_dict(), f"{folder}/weights.pt")
torch.jit.trace(dense, torch.randn(4, 5)).save(f"{folder}/script.pt")
"""

CONVERT = """
import contextlib, io, sys
from pathlib import Path
from perennial_trainer import cli
for model in sorted(Path(sys.argv[1]).glob("*.pt*")):
    out = model.with_suffix("")
    log = io.StringIO()
    with contextlib.redirect_stderr(log):
        cli.main(["convert", str(model), "--out", str(out), "--trusted"])
    model.with_suffix(".txt").write_text(log.getvalue())
"""

# The first test downloads PyTorch.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ``NAME.pt2``, its conversion ``NAME/``, log ``NAME.txt``.

    PyTorch takes seconds to start: one process creates the programs, one converts them.
    """
    python, folder = python_of("trainer-torch"), tmp_path_factory.mktemp("torch")
    run(python, "-c", MAKE, folder)
    shutil.copy(folder / "image.pt2", folder / "again.pt2")
    run(python, "-c", CONVERT, folder)
    return folder


def shapes(values: Iterable[onnx.ValueInfoProto]) -> dict[str, list[object]]:
    return {
        value.name: [dim.dim_value or dim.dim_param for dim in value.type.tensor_type.shape.dim]
        for value in values
    }


@pytest.mark.parametrize(
    ("name", "taken", "given"),
    [
        ("dense", {"input": ["batch", 5]}, {"output": ["batch", 3]}),
        ("one_row", {"input": [1, 5]}, {"output": [1, 3]}),
        ("image", {"input": ["batch", 1, 8, 8]}, {"output": ["batch", 3]}),
        (
            "words",
            {"words": ["batch", 7], "weight": ["batch", 1]},
            {"score": ["batch", 2], "weight_output": ["batch", 1]},
        ),
        (
            "two",
            {"output": ["batch", 2], "b": ["batch", 2]},
            {"output_0": ["batch", 2], "output_1": ["batch", 2]},
        ),
    ],
)
def test_a_program_agrees_with_onnx_and_has_readable_names(
    models: Path, name: str, taken: object, given: object
) -> None:
    facts = json.loads((models / name / "conversion.json").read_text())
    assert facts["format"] == "PyTorch"
    assert facts["rows"] > 30
    assert facts["max_difference"] < 1e-4
    model = onnx.load(models / name / "model.onnx")
    assert shapes(model.graph.input) == taken
    assert shapes(model.graph.output) == given


def test_the_model_contains_nothing_of_its_source_code(models: Path) -> None:
    data = (models / "dense" / "model.onnx").read_bytes()
    assert b"pkg.torch" not in data
    assert b"stack_trace" not in data


def test_the_same_program_makes_the_same_bytes(models: Path) -> None:
    once, again = (models / name / "model.onnx" for name in ("image", "again"))
    assert once.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("weights", "torch.export.save"),
        ("script", "torch.export.save"),
        ("half", "expected a type of the Open Inference Protocol, got BFLOAT16"),
    ],
)
def test_a_file_that_does_not_convert_is_reported_with_a_fix(
    models: Path, name: str, message: str
) -> None:
    assert message in (models / f"{name}.txt").read_text()
    assert not (models / name).exists()


def test_warnings_of_pytorch_are_not_printed(models: Path) -> None:
    assert "torchvision" not in (models / "dense.txt").read_text()


def test_an_untrusted_program_is_not_read(models: Path) -> None:
    with pytest.raises(StepError, match="Nothing was loaded") as caught:
        formats.convert(models / "dense.pt2", None, formats.ConvertOptions())
    assert caught.value.reason == TrainingFailure.UNTRUSTED_MODEL


def test_without_pytorch_the_image_that_has_it_is_named(models: Path) -> None:
    with pytest.raises(StepError, match="perennial-trainer-torch") as caught:
        formats.convert(models / "dense.pt2", None, formats.ConvertOptions(trusted=True))
    assert caught.value.reason == TrainingFailure.CONVERTER_NOT_INSTALLED
