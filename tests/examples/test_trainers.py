"""The example trainers, run twice as their images would run them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.capturing import capture, make_plan, put_bundle, write_parquet
from support.tabular import SHIFTED, TRUTH, Concept
from support.trainers import make_environment

from perennial_build.cache import cache_root, cached, content_hash
from perennial_contracts.api.search import Search
from perennial_contracts.wire.run_plan import PLAN_VARIABLE, Model, Plan, TrainingResult
from perennial_trainer.steps.fit import make_bundle

TRAINERS = Path(__file__).parents[2] / "examples" / "trainers"
# Environments are made for the first ones.
pytestmark = pytest.mark.timeout(1800)
LOGISTIC = Search(candidates=["Logistic"], maxTrials=1, metric="roc_auc")


def environment_of(name: str) -> Path:
    """Return the Python of an environment with the requirements of an example."""
    requirements = TRAINERS / name / "requirements.txt"

    def make(folder: Path) -> None:
        make_environment(folder, "-r", requirements)

    target = cache_root() / "trainers" / f"{name}-{content_hash([requirements])}"
    return cached(target, make) / "bin" / "python"


class Run:
    """Run of a RetrainJob on folders: steps as programs, training in its own Python."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name

    def __call__(self, plan: Plan) -> tuple[TrainingResult, str]:
        """Run all steps; return the result of the judge and the output of the trainer."""
        folders = {
            each: str(self.root / plan.job / each) for each in ("input", "holdout", "output")
        }
        (self.root / plan.job / "output").mkdir(parents=True)
        message = self.root / plan.job / "message"
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PERENNIAL_")},
            **{f"PERENNIAL_{key.upper()}": value for key, value in folders.items()},
            PLAN_VARIABLE: plan.model_dump_json(exclude_none=True),
            "PERENNIAL_TERMINATION_MESSAGE_PATH": str(message),
        }

        def step(*words: object) -> str:
            done = subprocess.run(
                list(map(str, words)), env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr[-2000:]
            return done.stdout

        step(sys.executable, "-m", "perennial_trainer", "assemble")
        held_out = environment.pop("PERENNIAL_HOLDOUT")
        said = step(environment_of(self.name), TRAINERS / self.name / "train.py")
        environment["PERENNIAL_HOLDOUT"] = held_out
        step(sys.executable, "-m", "perennial_trainer", "judge")
        result = TrainingResult.from_text(message.read_text())
        assert result is not None
        return result, said


@pytest.mark.parametrize(
    ("name", "kept", "first", "second"),
    [
        ("xgboost", {"trees.ubj", "columns.skops"}, "100 trees, 100 of", "200 trees, 100 of"),
        (
            "keras",
            {"model.keras", "columns.skops"},
            "Start with a new network",
            "Continue with the served network",
        ),
    ],
)
def test_an_example_trainer_continues_from_the_model_of_its_last_run(
    tmp_path: Path, name: str, kept: set[str], first: str, second: str
) -> None:
    base = TRUTH.rows(1500, seed=1)
    made = make_bundle(base, label="buys", positive="1", search=LOGISTIC, lineage={})
    champion = put_bundle(tmp_path / "first", made.files, made.digest)
    write_parquet(base, tmp_path / "base.parquet")
    run = Run(tmp_path, name)

    def plan(job: str, champion: Model, concept: Concept) -> Plan:
        rows = concept.rows(2000, seed=2)
        capture(tmp_path / f"captured-{job}", rows.drop(columns="buys"), rows["buys"].tolist())
        return make_plan(
            tmp_path / "made",
            job=job,
            champion=champion,
            captured=str(tmp_path / f"captured-{job}"),
            data={"label": "buys", "positive": "1", "baseline": str(tmp_path / "base.parquet")},
            gate={"maxRegressionPermille": 1000},
        )

    # The truth turns, so that whoever learns it beats the champion.
    result, said = run(plan("a", champion, Concept(weight=-2.0)))
    assert result.decision == "Accepted", result.message
    assert first in said
    published = Path(result.challenger.uri)
    assert {path.name for path in (published / "extra").iterdir()} == kept

    result, said = run(plan("b", result.challenger, SHIFTED))
    assert result.decision == "Accepted", result.message
    assert second in said
