"""Files that one training leaves for the next."""

import os
from pathlib import Path

import pytest
from support.capturing import capture, make_plan, put_bundle, write_parquet

from perennial_contracts.api.search import Search
from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.run_plan import Model, TrainingFailure
from perennial_trainer.bundle import extra
from perennial_trainer.errors import StepError
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps import assemble, judge, train
from perennial_trainer.steps.fit import make_bundle

LOGISTIC = Search(candidates=["Logistic"], maxTrials=1, metric="roc_auc")


@pytest.fixture(scope="module")
def champion(rows):
    return make_bundle(rows(1500, 9), label="late", positive=None, search=LOGISTIC, lineage={})


@pytest.fixture
def settings(tmp_path) -> StepSettings:
    return StepSettings("any", tmp_path / "in", tmp_path / "held", tmp_path / "out", None, 0)


@pytest.fixture
def plan(tmp_path, champion, rows):
    moved = rows(2000, 1, drift=0.7)
    capture(tmp_path / "captured", moved.drop(columns="late"), moved["late"].tolist())
    return make_plan(
        tmp_path / "made",
        champion=put_bundle(tmp_path / "serves", champion.files, champion.digest),
        captured=str(tmp_path / "captured"),
        data={"minRows": 100},
    )


def left(output: Path, **files: bytes) -> Path:
    folder = output / "extra"
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_the_next_training_has_the_champions_files(plan, settings, champion):
    assemble.run(plan, settings)
    found = settings.input / "champion"
    assert {path.name: path.read_bytes() for path in found.iterdir()} == champion.files


def test_a_bare_model_gets_the_usual_name(plan, settings, champion, tmp_path):
    data = champion.files["model.onnx"]
    (tmp_path / "serves" / "delays-7.onnx").write_bytes(data)
    bare = Model(uri=f"{tmp_path}/serves/delays-7.onnx", digest=digest_of(data))
    assemble.run(plan.model_copy(update={"champion": bare}), settings)
    found = settings.input / "champion"
    assert {path.name: path.read_bytes() for path in found.iterdir()} == {"model.onnx": data}


def test_without_a_champion_there_is_no_champion_folder(plan, settings, rows, tmp_path):
    write_parquet(rows(1500, 9), tmp_path / "base.parquet")
    data = plan.data.model_copy(update={"baseline": str(tmp_path / "base.parquet")})
    assemble.run(plan.model_copy(update={"champion": None, "data": data}), settings)
    assert not (settings.input / "champion").exists()


def test_files_beside_a_model_are_published_and_reach_the_next_training(plan, settings):
    assemble.run(plan, settings)
    train.run(plan, settings)
    left(settings.output, weights=b"of the first run")
    result = judge.run(plan, settings)
    assert result.decision == "Accepted"
    folder = Path(result.challenger.uri)
    listed = {
        file.path: file.digest
        for file in Bundle.model_validate_json((folder / "bundle.json").read_bytes()).files
    }
    assert listed["extra/weights"] == digest_of(b"of the first run")
    assert (folder / "extra" / "weights").read_bytes() == b"of the first run"

    assemble.run(plan.model_copy(update={"champion": result.challenger}), settings)
    found = settings.input / "champion" / "extra" / "weights"
    assert found.read_bytes() == b"of the first run"


def test_without_files_nothing_is_published(tmp_path):
    assert extra.read(tmp_path) == {}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "a").symlink_to("/etc/hostname"), "expected a plain file"),
        (lambda folder: (folder / "a").mkdir(), "expected a plain file"),
        (lambda folder: os.mkfifo(folder / "a"), "expected a plain file"),
        (lambda folder: (folder / ".a").write_bytes(b""), "expected names such as model.keras"),
        (lambda folder: (folder / "a b").write_bytes(b""), "expected names such as model.keras"),
        (
            lambda folder: [(folder / str(number)).touch() for number in range(21)],
            "expected at most 20 files, got 21",
        ),
        (
            lambda folder: os.truncate(os.open(folder / "a", os.O_CREAT | os.O_RDWR), 2**28 + 1),
            "expected at most 268,435,456 bytes in all, got 268,435,457",
        ),
    ],
)
def test_files_that_must_not_be_published_are_rejected(tmp_path, spoil, message):
    spoil(left(tmp_path))
    with pytest.raises(StepError, match=message) as caught:
        extra.read(tmp_path)
    assert caught.value.reason is TrainingFailure.EXTRA_REFUSED


def test_a_link_in_place_of_the_folder_is_rejected(tmp_path):
    (tmp_path / "held").mkdir()
    (tmp_path / "extra").symlink_to(tmp_path / "held")
    with pytest.raises(StepError, match="expected a folder of files"):
        extra.read(tmp_path)
    (tmp_path / "extra").unlink()
    (tmp_path / "extra").symlink_to(tmp_path / "gone")
    with pytest.raises(StepError, match="expected a folder of files"):
        extra.read(tmp_path)
