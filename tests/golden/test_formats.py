"""The files and messages that programs of different versions exchange."""

import json
from typing import Any

from golden.cases import RUNS, run
from golden.record import DATA, bare, check
from pydantic import BaseModel
from support.modelcards import full_card, full_profile

from perennial_contracts.api.modeldeployment_status import ModelDeploymentStatus
from perennial_contracts.api.retrainjob_status import DataSummary, RetrainJobStatus
from perennial_contracts.stats.quality import SCORE_BINS
from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME, Bundle
from perennial_contracts.wire.capture import COLUMNS, labels_folder, predictions_folder
from perennial_contracts.wire.counters import CaptureCounts, Counters, merged
from perennial_contracts.wire.digest import digest_of, digest_of_files
from perennial_contracts.wire.modelcard import MODEL_CARD_NAME, REPORT_NAME, ModelCard
from perennial_contracts.wire.names import RETRY_EXIT_CODE
from perennial_contracts.wire.outcome import TERMINATION_MESSAGE_PATH, Outcome
from perennial_contracts.wire.prepare_plan import (
    ARTIFACT_FOLDER,
    CONVERT,
    FETCH,
    FETCHED_FILE,
    GATE_FILE,
    PREPARE,
    PUBLISH,
    SAMPLE_FILE,
    Fetched,
    Preparation,
)
from perennial_contracts.wire.profile import PROFILE_NAME, Profile
from perennial_contracts.wire.run_plan import (
    ASSEMBLE,
    CANDIDATE,
    CHAMPION_FOLDER,
    EXTRA_FOLDER,
    HOLDOUT_FOLDER,
    INPUT_FOLDER,
    JUDGE,
    LEARNT_UNTIL,
    MODEL_ONNX,
    MODEL_SKOPS,
    OUTPUT_FOLDER,
    PLAN_FILE,
    PLAN_VARIABLE,
    PROGRESS_PATH,
    PROGRESS_PORT,
    RECENT_FILE,
    REFERENCE_FILE,
    SEARCH_FILE,
    SETTINGS,
    SUMMARY_FILE,
    TRAIN,
    TRAIN_FILE,
    Best,
    Model,
    Plan,
    Progress,
    TrainingResult,
)

SCHEMAS: dict[str, type[BaseModel]] = {
    "bundle": Bundle,
    "profile": Profile,
    "modelcard": ModelCard,
    "counters": Counters,
    "outcome": Outcome,
    "plan": Plan,
    "progress": Progress,
    "result": TrainingResult,
    "data": DataSummary,
    "preparation": Preparation,
    "fetched": Fetched,
    "model status": ModelDeploymentStatus,
    "run status": RetrainJobStatus,
}
DIGEST = "sha256:" + "a" * 64


def inlined(model: type[BaseModel]) -> Any:
    """Return a schema without texts for people and without the names of classes."""
    schema = bare(model.model_json_schema())
    definitions = schema.pop("$defs", {})

    def inline(part: Any) -> Any:
        if isinstance(part, list):
            return [inline(each) for each in part]
        if not isinstance(part, dict):
            return part
        name = part.get("$ref")
        rest = {key: inline(each) for key, each in part.items() if key != "$ref"}
        return {**inline(definitions[name.rsplit("/", 1)[1]]), **rest} if name else rest

    return inline(schema)


def test_the_schemas_are_those_that_were_recorded() -> None:
    for name, model in SCHEMAS.items():
        check(f"schemas/{name.replace(' ', '-')}", inlined(model))


def counters(**more: Any) -> Counters:
    fields = {"instance": "i", "digest": DIGEST, "rows": 2, "features": {"x": [1, 1, 0]}}
    return Counters(**{**fields, "matrix": [[1, 0], [0, 1]], "labels": 2, **more})


def test_what_is_written_is_what_was_recorded() -> None:
    both = [counters(), counters(score=[1, 1], capture=CaptureCounts(written=2, problem="p"))]
    plan = Plan.model_validate_json(
        json.dumps(
            {
                "namespace": "default",
                "model": "delays",
                "job": "delays-1",
                "champion": {"uri": "s3://models/1/", "digest": DIGEST},
                "trigger": {"type": "Drift", "message": "x"},
                "data": {"label": "late"},
                "search": {},
                "gate": {},
                "output": "s3://models/out",
                "now": "2026-01-02T03:04:05Z",
            }
        )
    )
    result = TrainingResult(
        decision="Accepted",
        message="better",
        challenger=Model(uri="s3://models/out/b/", digest=DIGEST),
        data=DataSummary(digest=DIGEST, rows=9),
        comparisons=[],
    )
    kept = result.model_copy(update={"message": "m" * 3000})
    long = [Outcome(reason="ModelNotFound", message="x" * i + '"' * 5000) for i in (0, 1)]
    best = Best(kind="LightGBM", metric="f1", value=0.5)
    card = full_card("said").model_copy(update={"headline": "Accepted: said"})
    found = {
        "bundle": Bundle.model_validate_json(_file("bundle.json")).to_bytes().decode(),
        "profile": Profile.model_validate_json(_file("profile.json")).to_bytes().decode(),
        "whole profile": full_profile("said").to_bytes().decode(),
        "modelcard": card.model_dump_json(exclude_none=True),
        "counters": merged(both).model_dump_json(),
        "outcome": Outcome(digest=DIGEST, uri="s3://models/b/", format="Keras").to_text(),
        "long outcomes": [digest_of(each.to_text().encode()) for each in long],
        "result": result.to_text(),
        "long result": digest_of(kept.to_text().encode()),
        "plan": plan.model_dump_json(exclude_none=True),
        "progress": Progress(trialsDone=1, trialsTotal=3, best=best).model_dump_json(),
        "no progress": Progress().model_dump_json(),
        "preparation": Preparation(name="a/b", uri="u", output="o").model_dump_json(),
        "fetched": Fetched(digest=DIGEST, path="m.pkl").model_dump_json(),
    }
    check("written", found)


def test_what_earlier_versions_wrote_is_still_read() -> None:
    foreign = Outcome.from_text("Killed")
    more = Outcome.from_text(f'{{"digest": "{DIGEST}", "later": 1}}')
    assert (foreign, more and more.digest) == (None, DIGEST)
    assert TrainingResult.from_text("{}") is None
    assert run(**RUNS["full"]).spec.search.seed == 7


def test_the_names_that_programs_share_are_those_that_were_recorded() -> None:
    check(
        "names",
        {
            "columns": list(COLUMNS),
            "captured": [
                predictions_folder("m", "v", "2026-01-02"),
                labels_folder("m", "2026-01-02"),
            ],
            "steps": [ASSEMBLE, TRAIN, JUDGE, PREPARE, FETCH, CONVERT, PUBLISH],
            "folders": [INPUT_FOLDER, HOLDOUT_FOLDER, OUTPUT_FOLDER],
            "in folders": [CHAMPION_FOLDER, EXTRA_FOLDER, ARTIFACT_FOLDER],
            "files": [
                TRAIN_FILE,
                RECENT_FILE,
                REFERENCE_FILE,
                SUMMARY_FILE,
                PLAN_FILE,
                MODEL_ONNX,
                MODEL_SKOPS,
                SEARCH_FILE,
                FETCHED_FILE,
                SAMPLE_FILE,
                GATE_FILE,
            ],
            "bundle": [MANIFEST_NAME, MODEL_NAME, PROFILE_NAME, MODEL_CARD_NAME, REPORT_NAME],
            "lineage": [CANDIDATE, SETTINGS, LEARNT_UNTIL],
            "progress": [PROGRESS_PORT, PROGRESS_PATH],
            "plan": PLAN_VARIABLE,
            "retry": RETRY_EXIT_CODE,
            "termination message": TERMINATION_MESSAGE_PATH,
            "score bins": SCORE_BINS,
            "digest": [digest_of(b"x"), digest_of_files({"b": DIGEST, "a/c": DIGEST})],
        },
    )


def _file(name: str) -> bytes:
    return (DATA / "models" / "flights" / name).read_bytes()
