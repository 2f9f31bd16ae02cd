"""The folders of a run, as the step assemble leaves them, and the steps on them."""

from pathlib import Path

import pytest

from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.run_plan import TrainingResult
from perennial_trainer.errors import StepError
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps import judge, train
from support.capturing import make_plan, put_bundle, write_parquet


class RunFolders:
    """The folders of a run, with a champion."""

    def __init__(self, root: Path, champion) -> None:
        self.root = root
        self.settings = StepSettings("judge", root / "in", root / "held", root / "left", None, 0)
        self.champion = put_bundle(root / "champion", champion.files, champion.digest)

    def fill(self, learnt, recent, reference=None) -> None:
        """Write training and held-out rows."""
        write_parquet(learnt, self.settings.input / "train.parquet")
        write_parquet(recent, self.settings.holdout / "recent.parquet")
        if reference is not None:
            write_parquet(reference, self.settings.holdout / "reference.parquet")
        summary = DataSummary(digest="sha256:1", rows=len(learnt), captured=len(recent))
        (self.settings.holdout / "data.json").write_text(summary.model_dump_json())

    def plan(self, **changes):
        """Return the plan of the run, with changes."""
        return make_plan(self.root / "out", **{"champion": self.champion, **changes})

    def judge(self, **changes) -> TrainingResult:
        """Run the step judge."""
        return judge.run(self.plan(**changes), self.settings)

    def run(self, **changes) -> TrainingResult:
        """Run the steps train and judge."""
        train.run(self.plan(**changes), self.settings)
        return self.judge(**changes)

    def failure(self, **changes) -> StepError:
        """Return the error of the step judge."""
        with pytest.raises(StepError) as caught:
            self.judge(**changes)
        return caught.value

    def leave(self, name: str, content: bytes) -> None:
        """Write a file of the trainer."""
        self.settings.output.mkdir(exist_ok=True)
        (self.settings.output / name).write_bytes(content)


def published(result: TrainingResult) -> dict[str, bytes]:
    """Return the published files by name."""
    return {path.name: path.read_bytes() for path in Path(result.challenger.uri).iterdir()}
