"""Runs with a warm start, from captured rows to published trees."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.capturing import NOW, capture, make_plan, put_bundle

from perennial_contracts.api.retrainjob_status import DataSummary
from perennial_contracts.api.search import Search
from perennial_contracts.wire.bundle import Bundle
from perennial_trainer.selection import boosted_trees
from perennial_trainer.selection.model_kinds import (
    SETTINGS,
)
from perennial_trainer.selection.report import SearchReport
from perennial_trainer.settings import StepSettings
from perennial_trainer.steps import assemble, judge, train
from perennial_trainer.steps.fit import make_bundle

BOOSTERS = ["LightGBM", "XGBoost"]


@pytest.fixture(params=BOOSTERS)
def booster(request) -> str:
    pytest.importorskip(request.param.lower())
    return request.param


WANTED = Search(candidates=["DecisionTree"], maxTrials=2, metric="roc_auc")


@pytest.fixture(scope="module")
def made(rows):
    return make_bundle(rows(900, 9), label="late", positive=None, search=WANTED, lineage={})


class Site:
    """Captured rows of two weeks, and runs on them in folders of their own."""

    def __init__(self, root: Path, rows) -> None:
        self.root = root
        for days, prefix in ((10, "p"), (3, "q")):
            table = rows(1500, days, drift=0.7)
            self.captured = root / "captured"
            capture(
                self.captured,
                table.drop(columns="late"),
                table["late"].tolist(),
                start=NOW - timedelta(days=days),
                prefix=prefix,
                step=timedelta(minutes=1),
            )

    def run(self, name, champion, days=0, **search):
        folder = self.root / name
        settings = StepSettings("any", folder / "in", folder / "held", folder / "out", None, 0)
        plan = make_plan(
            folder / "made",
            champion=champion,
            captured=str(self.captured),
            search=search,
            gate={"minImprovementPermille": 0},
            now=(NOW - timedelta(days=days)).isoformat(),
        )
        assemble.run(plan, settings)
        train.run(plan, settings)
        report = SearchReport.model_validate_json((settings.output / "search.json").read_bytes())
        return judge.run(plan, settings), report, settings


@pytest.fixture
def site(tmp_path, rows):
    return Site(tmp_path, rows)


@pytest.fixture
def serving(tmp_path, made):
    return put_bundle(tmp_path / "serves", made.files, made.digest)


def test_the_next_run_continues_from_the_champions_trees(site, serving, booster, capsys):
    wanted = {"candidates": [booster], "maxTrials": 1, "warmStart": True}
    first, _, _ = site.run("first", serving, days=5, **wanted)
    assert first.decision == "Accepted"
    assert "the kind of the served model, is not one of the candidates" in capsys.readouterr().out
    second, report, settings = site.run("second", first.challenger, **wanted)
    assert report.trials[1].goes_on
    assert f"begins with {booster}, and continues from its trees" in capsys.readouterr().out
    found = DataSummary.model_validate_json((settings.input / "data.json").read_bytes())
    # 2400 of 3000 rows are training rows; the first run had 1200 of them.
    assert (found.rows, found.fresh) == (2400, 1200)
    in_settings = SETTINGS[booster][0]["n_estimators"]
    trees = boosted_trees.read(settings.output / "extra", booster, ["0", "1"])
    assert trees is not None
    assert trees.count() == in_settings + in_settings // 4
    again, _, _ = site.run("again", first.challenger, **wanted)
    assert again.challenger.digest == second.challenger.digest


def test_without_a_champion_the_log_reports_it_and_the_search_is_cold(site, serving, capsys):
    _, cold, _ = site.run("cold", serving, maxTrials=2)
    settings = replace_folders(site, "warm")
    plan = make_plan(site.root / "made", champion=None, search={"maxTrials": 2, "warmStart": True})
    (settings.input).mkdir(parents=True)
    rows = (site.root / "cold" / "in" / "train.parquet").read_bytes()
    (settings.input / "train.parquet").write_bytes(rows)
    train.run(plan, settings)
    log = capsys.readouterr().out
    assert "search.warmStart: there is no champion; the search starts from scratch" in log
    warm = SearchReport.model_validate_json((settings.output / "search.json").read_bytes())
    assert [(t.kind, t.params, t.mean) for t in warm.trials] == [
        (t.kind, t.params, t.mean) for t in cold.trials
    ]


def replace_folders(site: Site, name: str) -> StepSettings:
    folder = site.root / name
    settings = StepSettings("any", Path(), Path(), Path(), None, 0)
    return replace(settings, input=folder / "in", holdout=folder / "held", output=folder / "out")


def test_a_run_without_warm_start_stores_settings_but_no_trees(site, serving, booster):
    result, _, settings = site.run("one", serving, days=5, candidates=[booster], maxTrials=1)
    assert not (settings.output / "extra").exists()
    folder = Path(result.challenger.uri)
    lineage = Bundle.model_validate_json((folder / "bundle.json").read_bytes()).lineage
    assert lineage["candidate"] == booster
    assert json.loads(lineage["settings"]) == SETTINGS[booster][0]
    assert lineage["learntUntil"] == "2026-03-22T07:59:00Z"
