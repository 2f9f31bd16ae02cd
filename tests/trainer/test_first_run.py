"""One run, step by step. Begin to read the tests of the trainer here."""

from pathlib import Path

from support.capturing import capture, make_plan, put_bundle

from perennial_contracts.api.search import Search
from perennial_contracts.wire.bundle import Bundle
from perennial_trainer.data import tables
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps import assemble, judge, train
from perennial_trainer.steps.fit import make_bundle


def test_a_run_replaces_a_champion_after_drift(tmp_path: Path, rows) -> None:
    search = Search(candidates=["Logistic"], maxTrials=1, metric="roc_auc")
    first = make_bundle(rows(1500, 9), label="late", positive=None, search=search, lineage={})
    champion = put_bundle(tmp_path / "served", first.files, first.digest)

    # Then late flights get another cause. The runtime captures predictions, clients send labels.
    traffic = rows(1500, 1, drift=0.8)
    capture(tmp_path / "captured", traffic.drop(columns="late"), traffic["late"].tolist())
    plan = make_plan(
        tmp_path / "published",
        champion=champion,
        captured=str(tmp_path / "captured"),
        search=search.model_dump(),
    )
    folders = StepSettings(
        "any", tmp_path / "input", tmp_path / "holdout", tmp_path / "output", None
    )

    assemble.run(plan, folders)
    assert len(tables.read(folders.input / "train.parquet")) == 1200
    assert len(tables.read(folders.holdout / "recent.parquet")) == 300

    train.run(plan, folders)
    assert {path.name for path in folders.output.iterdir()} == {"model.skops", "search.json"}

    result = judge.run(plan, folders)
    assert result.decision == "Accepted"
    assert result.message.startswith("Accepted: on 300 captured rows ROC AUC ")
    bundle = Path(result.challenger.uri)
    assert {path.name for path in bundle.iterdir()} == {
        "bundle.json", "model.onnx", "profile.json", "modelcard.json", "report.html",
    }  # fmt: skip
    manifest = Bundle.model_validate_json((bundle / "bundle.json").read_bytes())
    assert manifest.lineage["champion"] == champion.digest
    assert manifest.metrics["roc_auc"] > 0.8
