"""The rows of a run, from captured files and a baseline."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from support.capturing import NOW, capture, make_plan, put_bundle, put_labels, write_parquet

from perennial_contracts.api.search import Search
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.run_plan import Plan, TrainingFailure
from perennial_storage.errors import StorageError
from perennial_trainer.data import tables
from perennial_trainer.data.split import Datasets
from perennial_trainer.errors import StepError
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps.assemble import gather, run
from perennial_trainer.steps.fit import make_bundle


@pytest.fixture(scope="module")
def champion_files(rows):
    search = Search(candidates=["Logistic"], maxTrials=1, metric="roc_auc")
    made = make_bundle(rows(600, 9), label="late", positive=None, search=search, lineage={})
    return made.files, made.digest


@pytest.fixture
def site(tmp_path, champion_files, rows):
    """A folder with a champion, a baseline of 400 rows and nothing captured yet."""
    put_bundle(tmp_path / "champion", *champion_files)
    write_parquet(numbered(rows(400, 1)), tmp_path / "base.parquet")
    return tmp_path


def numbered(table: pd.DataFrame, start: int = 0) -> pd.DataFrame:
    """Return the rows with a different ``wind`` each, which identifies them."""
    return table.assign(wind=np.arange(start, start + len(table), dtype=np.float32))


def plan_of(site, **changes) -> Plan:
    champion = {"uri": f"{site}/champion/", "digest": changes.pop("digest", None)}
    if champion["digest"] is None:
        champion["digest"] = digest_of((site / "champion/bundle.json").read_bytes())
    data = {"baseline": str(site / "base.parquet"), **changes.pop("data", {})}
    defaults = {"champion": champion, "captured": str(site / "captured")}
    (site / "captured").mkdir(exist_ok=True)
    return make_plan(site / "out", data=data, **{**defaults, **changes})


def collect(site, **changes) -> Datasets:
    scratch = site / f"scratch-{len(list(site.iterdir()))}"
    scratch.mkdir()
    return gather(plan_of(site, **changes), scratch, 0)


def failure(site, **changes) -> StepError | StorageError:
    with pytest.raises((StepError, StorageError)) as caught:
        collect(site, **changes)
    return caught.value


def put(site, table, **options):
    return capture(site / "captured", table.drop(columns="late"), table["late"].tolist(), **options)


def test_the_latest_captured_and_baseline_rows_are_held_out(site, rows):
    table = numbered(rows(200, 2), 1000)
    put(site, table)
    got = collect(site)
    np.testing.assert_array_equal(got.recent.frame["wind"], np.arange(1160, 1200))
    np.testing.assert_array_equal(got.recent.labels, table["late"][160:])
    assert got.reference is not None
    np.testing.assert_array_equal(got.reference.frame["wind"], np.arange(320, 400))
    learnt = got.train.frame["wind"].to_numpy()
    captured = learnt[learnt >= 1000]
    np.testing.assert_array_equal(captured, np.arange(1000, 1160))
    replayed = learnt[learnt < 1000]
    assert len(replayed) == round(160 * 300 / 700)
    assert replayed.max() < 320
    assert (np.diff(learnt) > 0).all()
    assert (got.summary.rows, got.summary.captured) == (len(learnt), 200)
    assert got.summary.start == "2026-03-21T12:00:00Z"


def test_the_last_of_several_labels_counts(site, rows):
    table = numbered(rows(100, 2), 1000)
    ids = put(site, table)
    changed = [(ids[0], NOW - timedelta(days=2), 1 - table["late"][0])]
    older = [(ids[1], NOW - timedelta(days=11), 1 - table["late"][1])]
    put_labels(site / "captured", [*changed, *older])
    got = collect(site)
    labels = dict(zip(got.train.frame["wind"], got.train.labels, strict=True))
    assert labels[1000] == 1 - table["late"][0]
    assert labels[1001] == table["late"][1]


def test_a_label_joins_its_prediction_days_later(site, rows):
    put(site, rows(100, 2), delay=timedelta(days=8))
    assert collect(site).summary.captured == 100


def test_future_labels_and_predictions_before_the_window_are_left_out(site, rows):
    put(site, rows(100, 2))
    put(site, rows(60, 3), prefix="late", delay=timedelta(days=30))
    put(site, rows(60, 4), prefix="old", start=NOW - timedelta(days=40))
    put(site, rows(60, 5), prefix="edge", start=NOW - timedelta(days=30, hours=1))
    # Two minutes apart, the first hour of the last ones is before the window.
    assert collect(site).summary.captured == 100 + 30
    assert collect(site, data={"window": "90d"}).summary.captured == 220


def test_of_too_many_rows_the_newest_are_kept(site, rows):
    put(site, numbered(rows(300, 2), 1000))
    got = collect(site, data={"maxRows": 100})
    captured = [wind for wind in got.train.frame["wind"] if wind >= 1000]
    assert min(captured) == 1200
    assert got.summary.captured == 100


def test_a_prediction_that_was_written_twice_counts_once(site, rows):
    table = rows(100, 2)
    put(site, table)
    put(site, table)
    assert collect(site).summary.captured == 100


def test_captures_of_another_model_are_ignored(site, rows):
    put(site, rows(100, 2))
    put(site, rows(100, 3), prefix="other", model="delays-2")
    assert collect(site).summary.captured == 100


def test_files_of_several_versions_with_other_columns_are_read_together(site, rows):
    table = rows(120, 2)
    put(site, table[:60].drop(columns="gap").assign(more=1.5), version="old")
    put(site, table[60:], prefix="q", start=NOW - timedelta(days=3), version="new")
    got = collect(site)
    assert got.summary.captured == 120
    assert list(got.train.frame.columns) == ["gap", "wind", "carrier", "hour"]
    captured = got.train.frame[-96:]
    assert captured["gap"][:60].isna().all()


def test_missing_and_infinite_values_become_nan_or_empty_text(site, rows):
    table = rows(100, 2)
    table.loc[0, "wind"] = np.inf
    table.loc[1, "carrier"] = None
    put(site, table)
    captured = collect(site).train.frame[-80:].reset_index(drop=True)
    assert np.isnan(captured["wind"][0])
    assert captured["carrier"][1] == ""
    assert captured["wind"].dtype == captured["hour"].dtype == np.float32


def test_the_digest_depends_on_the_rows(site, rows):
    put(site, rows(100, 2))
    first = collect(site).summary.digest
    assert collect(site).summary.digest == first
    assert collect(site, search={"seed": 5}).summary.digest != first
    assert first.startswith("sha256:")


def test_without_captured_rows_the_baseline_is_the_training_data(site):
    got = collect(site, captured=None)
    assert got.reference is None
    assert (len(got.train), len(got.recent), got.summary.captured) == (320, 80, 0)


def test_without_a_baseline_labels_that_are_whole_numbers_are_numbers(site, rows):
    put(site, rows(100, 2))
    got = collect(site, data={"baseline": None})
    assert got.reference is None
    assert got.train.labels.dtype == np.int64
    assert len(got.train) == 80


def test_feedback_text_becomes_numbers_for_a_regression(site, rows):
    truth = np.round(np.random.default_rng(0).normal(10, 5, 100), 2)
    capture(site / "captured", rows(100, 2).drop(columns="late"), [f"{v:g}" for v in truth])
    minutes = rows(400, 1).assign(late=np.arange(400) / 4)
    write_parquet(minutes, site / "minutes.parquet")
    search = {"task": "Regression", "metric": "rmse"}
    data = {"baseline": str(site / "minutes.parquet"), "minRows": 50}
    got = collect(site, champion=None, search=search, data=data, gate={"metric": "rmse"})
    assert got.recent.labels.dtype == got.train.labels.dtype == np.float64
    np.testing.assert_allclose(got.recent.labels, truth[80:])
    assert got.reference is not None
    np.testing.assert_allclose(got.reference.labels, np.arange(320, 400) / 4)


NUMBERS = {"task": "Regression", "metric": "rmse", "candidates": None}


NO_NUMBERS = ["late", "nan", "inf", "12,5"]


def collect_numbers(site, rows, odd: int) -> Datasets:
    """Gather a hundred labels, of which the first ones are no numbers."""
    labels = [*NO_NUMBERS * 25][:odd] + ["12.5"] * (100 - odd)
    capture(site / "captured", rows(100, 2).drop(columns="late"), labels)
    return collect(site, champion=None, search=NUMBERS, gate={"metric": "rmse"})


def test_feedback_that_is_no_number_is_left_out_counted_and_logged(site, rows, capsys):
    got = collect_numbers(site, rows, odd=4)
    assert (got.summary.captured, got.summary.leftOut) == (96, 4)
    assert set(got.recent.labels) == {12.5}
    log = capsys.readouterr().out
    assert "4 rows are left out because of labels that are no numbers: 12,5, inf, late, nan" in log


def test_a_run_with_too_few_numbers_fails_with_all_counts(site, rows):
    with pytest.raises(StepError) as caught:
        collect_numbers(site, rows, odd=60)
    assert caught.value.reason is TrainingFailure.TOO_FEW_ROWS
    message = caught.value.message
    assert "expected at least 50 rows with a label (data.minRows), got 40 of 100" in message
    assert (
        "60 rows are left out because of labels that are no numbers: 12,5, inf, late, nan"
        in message
    )


def test_an_unknown_label_is_left_out_and_logged(site, rows, capsys):
    ids = put(site, rows(100, 2))
    put_labels(site / "captured", [(ids[0], NOW - timedelta(hours=1), "lat")])
    summary = collect(site).summary
    assert (summary.captured, summary.leftOut) == (99, 1)
    log = capsys.readouterr().out
    assert "1 rows are left out because of labels that neither model nor baseline has: lat" in log


def test_predictions_without_labels_are_reported_with_their_number(site, rows):
    capture(site / "captured", rows(70, 2).drop(columns="late"))
    error = failure(site)
    assert error.reason is TrainingFailure.NO_LABELS
    assert "70 predictions of delays captured in the last 30d" in error.message
    assert "Send the true labels back" in error.message


@pytest.mark.parametrize("count", [0, 49])
def test_too_few_rows_are_reported_with_the_minimum(site, rows, count):
    if count:
        put(site, rows(count, 2))
    error = failure(site)
    assert error.reason is TrainingFailure.TOO_FEW_ROWS
    assert f"at least 50 rows with a label (data.minRows), got {count} of {count}" in error.message


def test_rows_of_one_label_are_rejected(site, rows):
    put(site, rows(100, 2).assign(late=1))
    error = failure(site)
    assert error.reason is TrainingFailure.ONE_CLASS
    assert "20 rows that are all 1" in error.message


def test_an_invalid_captured_file_is_named(site, rows):
    put(site, rows(100, 2))
    path = site / "captured/predictions/model=delays/version=abc/date=2026-03-25/broken.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PAR1 no parquet")
    error = failure(site)
    assert error.reason is TrainingFailure.DATA_UNREADABLE
    assert str(path) in error.message


def test_a_truncated_captured_file_is_named(site, rows):
    put(site, rows(200, 2))
    path = next((site / "captured").rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    error = failure(site)
    assert error.reason is TrainingFailure.DATA_UNREADABLE
    assert path.name in error.message


def test_a_truncated_baseline_is_named(site, rows):
    put(site, rows(200, 2))
    path = site / "base.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    error = failure(site)
    assert error.reason is TrainingFailure.DATA_UNREADABLE
    assert "base.parquet: cannot be read" in error.message


def test_a_column_without_any_value_is_kept(site, rows):
    put(site, rows(200, 2).assign(gap=np.float32(np.nan), carrier=""))
    got = collect(site)
    assert np.isnan(got.recent.frame["gap"]).all()
    assert set(got.recent.frame["carrier"]) == {""}


def test_a_missing_or_mistyped_captured_column_is_named(site, rows):
    put(site, rows(100, 2).drop(columns="wind"))
    error = failure(site)
    assert error.reason is TrainingFailure.DATA_UNREADABLE
    assert "expected a column wind in the captured files, got gap" in error.message
    put(site, rows(100, 2).assign(wind="strong"), prefix="q", version="other")
    error = failure(site)
    assert error.reason is TrainingFailure.DATA_UNREADABLE
    assert "column wind: expected numbers" in error.message


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.drop(columns="late"), r"expected a column late \(data.label\), got gap, wind"),
        (lambda t: t.drop(columns="hour"), "expected a column hour, an input of the model"),
        (lambda t: t.assign(wind="strong"), "column wind: expected numbers"),
        (lambda t: t.assign(late=[0.5] * len(t)), "expected classes"),
        (lambda t: t.assign(late="yes"), "the classes of the model, 0, 1, got yes"),
    ],
)
def test_a_baseline_that_does_not_fit_is_reported_by_file_and_column(site, rows, spoil, message):
    put(site, rows(100, 2))
    write_parquet(spoil(rows(400, 1)), site / "base.parquet")
    with pytest.raises(StepError, match=message) as caught:
        collect(site)
    assert caught.value.reason is TrainingFailure.DATA_UNREADABLE


def test_a_missing_or_invalid_baseline_is_unreadable(site):
    error = failure(site, data={"baseline": str(site / "none.parquet")}, captured=None)
    assert error.reason is TrainingFailure.DATA_UNREADABLE
    assert "Check data.baseline" in error.message
    (site / "base.parquet").write_bytes(b"no")
    error = failure(site, captured=None)
    assert error.reason is TrainingFailure.DATA_UNREADABLE
    assert "base.parquet: cannot be read" in error.message


def test_a_baseline_and_a_champion_never_show_the_secrets_of_their_urls(site, web, capsys):
    champion = site / "champion"
    web.files |= {f"/champion/{path.name}": path.read_bytes() for path in champion.iterdir()}
    web.files["/base.parquet"] = (site / "base.parquet").read_bytes()
    url = web.url.replace("://", "://me:secret@")
    champion = {
        "uri": f"{url}/champion/?sig=secret",
        "digest": digest_of((champion / "bundle.json").read_bytes()),
    }
    baseline = f"{url}/base.parquet?sig=secret"
    collect(site, champion=champion, data={"baseline": baseline}, captured=None)
    data = {"baseline": baseline, "label": "none"}
    error = failure(site, champion=None, data=data, captured=None)
    assert error.message.startswith(f"{web.url}/base.parquet: expected a column none")
    shown = capsys.readouterr().out
    assert f"{web.url}/base.parquet: 400 rows" in shown
    assert "secret" not in shown + error.message


def test_a_missing_or_changed_champion_is_reported(site):
    nowhere = {"uri": f"{site}/nowhere/", "digest": f"sha256:{'0' * 64}"}
    assert failure(site, champion=nowhere).reason is LoadFailure.MODEL_NOT_FOUND
    error = failure(site, digest=f"sha256:{'0' * 64}")
    assert error.reason is LoadFailure.DIGEST_MISMATCH


def test_the_step_writes_its_files(site, rows):
    table = rows(100, 2)
    put(site, table)
    plan = plan_of(site)
    settings = StepSettings("assemble", site / "in", site / "held", site / "left", None, 0)
    run(plan, settings)
    learnt = tables.read(site / "in/train.parquet")
    assert list(learnt.columns) == ["gap", "wind", "carrier", "hour", "late"]
    assert len(tables.read(site / "held/recent.parquet")) == 20
    assert len(tables.read(site / "held/reference.parquet")) == 80
    assert Plan.model_validate_json((site / "in/plan.json").read_bytes()) == plan
    assert sorted(path.name for path in (site / "in").iterdir()) == [
        "champion",
        "data.json",
        "plan.json",
        "train.parquet",
    ]
