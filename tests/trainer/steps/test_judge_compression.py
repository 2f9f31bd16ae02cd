"""Compression in a run, with the real tools."""

from pathlib import Path

from support.capturing import make_plan, write_parquet

from perennial_contracts.api.compression import Compression
from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.wire.modelcard import ModelCard
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps import judge, train


def test_a_forest_is_distilled_and_its_student_is_judged_and_published(tmp_path, rows):
    settings = StepSettings("judge", tmp_path / "in", tmp_path / "held", tmp_path / "out", None, 0)
    write_parquet(rows(700, 1), settings.input / "train.parquet")
    write_parquet(rows(400, 2), settings.holdout / "recent.parquet")
    summary = DataSummary(digest="sha256:1", rows=700, captured=400)
    (settings.holdout / "data.json").write_text(summary.model_dump_json())
    gate = {"metric": "roc_auc", "maxLossPermille": 100}
    wanted = Compression(methods=[{"type": "Float16"}, {"type": "Distill"}], gate=gate)
    search = {"candidates": ["RandomForest"]}
    plan = make_plan(tmp_path / "made", champion=None, compression=wanted, search=search)
    train.run(plan, settings)
    result = judge.run(plan, settings)
    folder = Path(result.challenger.uri)
    card = ModelCard.model_validate_json((folder / "modelcard.json").read_bytes())
    original, _, distilled = card.compression
    assert (original.method, distilled.method) == ("Original", "Distill")
    assert distilled.status == "Kept"
    size = (folder / "model.onnx").stat().st_size
    assert size == distilled.size_bytes == result.sizeBytes == card.size_bytes
    assert size < (original.size_bytes or 0) / 2
    assert distilled.p95_microseconds == card.p95_microseconds
    # A third of the rows chose the student, the others judged it.
    assert card.evaluation is not None
    assert (card.data.held_out, card.evaluation.rows) == (400, 266)
    told = {metric.name: float(metric.value) for metric in result.metrics}
    assert distilled.value is not None
    assert distilled.value != told["roc_auc"]
