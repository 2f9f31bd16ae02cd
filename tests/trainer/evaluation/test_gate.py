"""The gate: its limits to the thousandth, and its message."""

import pytest

from perennial_contracts.api.search import Gate
from perennial_trainer.evaluation.compare import Gain
from perennial_trainer.evaluation.gate import decide, decide_first

GATE = Gate(
    metric="roc_auc", minImprovementPermille=2, maxRegressionPermille=5, minValuePermille=800
)


def gain(low: float, high: float = 0.02, *, on="Recent", before=0.889, after=0.9, metric="roc_auc"):
    return Gain(metric, on, 5123, before, after, low, high)


@pytest.mark.parametrize(
    ("low", "decision"),
    [(0.0019, "Rejected"), (0.002, "Accepted"), (0.001 + 0.001, "Accepted"), (-0.1, "Rejected")],
)
def test_the_lower_bound_of_the_gain_must_reach_the_limit(low, decision):
    assert decide(GATE, [gain(low)], captured=True).decision == decision


@pytest.mark.parametrize(
    ("low", "decision"), [(-0.005, "Rejected"), (-0.0049, "Accepted"), (0.01, "Accepted")]
)
def test_the_lower_bound_on_the_baseline_must_be_above_the_limit(low, decision):
    assert decide(GATE, [gain(0.01), gain(low, on="Reference")], captured=True).decision == decision


@pytest.mark.parametrize(("value", "decision"), [(0.7999, "Rejected"), (0.8, "Accepted")])
def test_the_value_itself_must_reach_its_minimum(value, decision):
    assert decide(GATE, [gain(0.01, after=value)], captured=True).decision == decision
    assert decide_first(GATE, "roc_auc", value, 100).decision == decision


def test_only_the_metric_of_the_gate_counts():
    gains = [gain(-0.5, metric="accuracy"), gain(0.01), gain(-0.5, metric="f1", on="Reference")]
    assert decide(GATE, gains, captured=True).decision == "Accepted"


def test_the_message_has_the_scores_and_the_limits():
    message = decide(GATE, [gain(-0.0005, 0.0035, after=0.8914)], captured=True).message
    assert message == (
        "Rejected: on 5,123 captured rows ROC AUC .889 → .891, gain between -.001 and +.004; "
        "required: a gain of at least +.002"
    )


def test_the_message_of_a_rejection_never_shows_a_passing_gain():
    message = decide(GATE, [gain(0.0019)], captured=True).message
    assert "between +.001 and" in message


def test_the_message_has_each_reason_for_a_rejection():
    gains = [gain(0.0, after=0.7), gain(-0.02, on="Reference")]
    message = decide(GATE, gains, captured=True).message
    assert "required: a gain of at least +.002" in message
    assert "required: ROC AUC of at least .800" in message
    assert "required on the baseline: a loss of less than .005" in message


def test_the_message_for_a_first_model():
    assert decide_first(GATE, "roc_auc", 0.9, 1200).message == (
        "Accepted: a first model, on 1,200 rows ROC AUC .900; required: at least .800"
    )
