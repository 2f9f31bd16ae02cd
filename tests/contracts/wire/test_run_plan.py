import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.api.retrainjob import TrainingData
from perennial_contracts.api.retrainjob_status import Comparison, DataSummary
from perennial_contracts.api.search import Gate, Search
from perennial_contracts.api.trigger import Trigger
from perennial_contracts.wire import capture
from perennial_contracts.wire.counters import CaptureCounts, Counters
from perennial_contracts.wire.outcome import Outcome
from perennial_contracts.wire.run_plan import Model, Plan, TrainingResult

KUBELET_KEEPS = 4096

WORDS = st.text(max_size=20)
AMOUNTS = st.integers(0, 2**63)
PERMILLE = st.integers(-1000, 1000)
ROW = st.lists(AMOUNTS, max_size=4)
MODELS = st.builds(Model, uri=WORDS, digest=WORDS)
COMPARISONS = st.builds(
    Comparison,
    metric=st.sampled_from(["accuracy", "f1", "recall", "precision", "roc_auc"]),
    on=st.sampled_from(["Recent", "Reference"]),
    rows=AMOUNTS,
    championPermille=PERMILLE,
    challengerPermille=PERMILLE,
    lowPermille=PERMILLE,
    highPermille=PERMILLE,
)
RESULTS = st.builds(
    TrainingResult,
    decision=st.sampled_from(["Accepted", "Rejected"]),
    message=st.text(max_size=3000) | st.text(alphabet="é\x01\n🦜", min_size=900, max_size=2000),
    challenger=MODELS,
    candidate=WORDS,
    data=st.builds(DataSummary, digest=WORDS, rows=AMOUNTS),
    comparisons=st.lists(COMPARISONS, max_size=10),
    report=st.none() | WORDS,
)


@given(
    st.builds(
        Counters,
        instance=WORDS,
        digest=WORDS,
        rows=AMOUNTS,
        features=st.dictionaries(WORDS, ROW, max_size=4),
        score=st.none() | ROW,
        label=st.none() | ROW,
        labels=AMOUNTS,
        matrix=st.lists(ROW, max_size=3),
        scores=st.lists(ROW, max_size=2),
        capture=st.none()
        | st.builds(CaptureCounts, written=AMOUNTS, dropped=AMOUNTS, problem=WORDS),
    )
)
def test_counters_read_back_as_they_were_written(counters: Counters) -> None:
    assert Counters.model_validate_json(counters.model_dump_json()) == counters
    assert Counters.model_validate_json(counters.model_dump_json(exclude_none=True)) == counters


def test_counters_of_a_newer_server_are_read() -> None:
    counters = Counters.model_validate({"instance": "a", "digest": "b", "later": 1})
    assert (counters.rows, counters.features, counters.capture) == (0, {}, None)


@given(
    st.builds(
        Plan,
        namespace=WORDS,
        model=WORDS,
        job=WORDS,
        champion=st.none() | MODELS,
        captured=st.none() | WORDS,
        trigger=st.builds(Trigger, message=WORDS),
        data=st.builds(TrainingData, label=WORDS.filter(bool), positive=st.none() | WORDS),
        search=st.builds(Search, candidates=st.none() | st.just(["MLP", "Logistic"])),
        gate=st.builds(Gate, minValuePermille=st.integers(0, 1000)),
        output=WORDS,
        now=WORDS,
    )
)
def test_a_plan_reads_back_as_it_was_written(plan: Plan) -> None:
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert Plan.model_validate_json(plan.model_dump_json(exclude_none=True)) == plan


@given(RESULTS)
def test_a_result_survives_the_termination_message(result: TrainingResult) -> None:
    text = result.to_text()
    assert len(text.encode()) <= KUBELET_KEEPS
    read = TrainingResult.from_text(text)
    assert read is not None
    assert read.model_copy(update={"message": ""}) == result.model_copy(update={"message": ""})
    assert result.message.startswith(read.message)
    if len(result.message) <= 100:
        assert read.message == result.message


def test_a_message_is_cut_to_the_bytes_that_the_kubelet_keeps() -> None:
    text = Outcome(reason="ModelCorrupt", message="🦜" * 3000).to_text()
    assert KUBELET_KEEPS - 4 < len(text.encode()) <= KUBELET_KEEPS


@pytest.mark.parametrize("text", ["", "Killed", "{}", "[]", '{"decision": "Perhaps"}'])
def test_another_programs_termination_message_is_not_a_result(text: str) -> None:
    assert TrainingResult.from_text(text) is None


def test_the_outcome_of_a_failed_step_is_not_a_result() -> None:
    assert TrainingResult.from_text(Outcome(reason="NoLabels", message="None.").to_text()) is None


def test_missing_facts_are_omitted_from_a_result() -> None:
    result = TrainingResult(
        decision="Rejected",
        message="No better.",
        challenger=Model(uri="s3://b/x", digest="sha256:0"),
        data=DataSummary(digest="sha256:1", rows=5),
        comparisons=[],
    )
    assert "report" not in json.loads(result.to_text())


def test_captured_files_are_in_hive_partitions() -> None:
    assert (
        capture.predictions_folder("delays", "r3", "2026-01-31")
        == "predictions/model=delays/version=r3/date=2026-01-31"
    )
    assert capture.labels_folder("delays", "2026-01-31") == "labels/model=delays/date=2026-01-31"


def test_reserved_columns_are_not_features() -> None:
    assert len(set(capture.COLUMNS)) == len(capture.COLUMNS) == 4
    assert all(column.startswith("_") for column in capture.COLUMNS)
