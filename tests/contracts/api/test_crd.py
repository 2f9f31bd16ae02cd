import json
import re
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import BaseModel, Field

from perennial_contracts.api import crd
from perennial_contracts.api.common import BUCKET_URIS, PARQUET_FILE
from perennial_contracts.api.modeldeployment import MODEL_URIS

ROOT = Path(__file__).parents[3]
LAST_APPLIED_LIMIT = 262_144


def test_the_files_in_crds_match_the_contracts() -> None:
    assert crd.main([str(ROOT / "crds"), "--check"]) == 0


def test_a_stale_crd_file_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert crd.main([str(tmp_path), "--check"]) == 1
    assert "make crds" in capsys.readouterr().err
    assert crd.main([str(tmp_path)]) == 0
    assert crd.main([str(tmp_path), "--check"]) == 0


def test_client_side_apply_can_hold_each_crd() -> None:
    for text in crd.crd_files().values():
        assert len(json.dumps(yaml.safe_load(text))) < LAST_APPLIED_LIMIT / 4


def test_every_field_is_described() -> None:
    def undescribed(schema: dict[str, Any], path: str) -> list[str]:
        own = [] if "description" in schema else [path]
        for name, child in schema.get("properties", {}).items():
            own += undescribed(child, f"{path}.{name}")
        return own

    for text in crd.crd_files().values():
        schema = yaml.safe_load(text)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        assert undescribed(schema, "") == []


def test_references_are_inlined_and_nulls_dropped() -> None:
    class Inner(BaseModel):
        text: Annotated[str, Field(max_length=5)]

    class Outer(BaseModel):
        inner: Inner | None = None
        amount: int | Annotated[str, Field(max_length=9)] = 1

    assert crd.openapi(Outer)["properties"] == {
        "inner": {
            "type": "object",
            "required": ["text"],
            "properties": {"text": {"type": "string", "maxLength": 5}},
        },
        "amount": {"x-kubernetes-int-or-string": True, "maxLength": 9, "default": 1},
    }


@pytest.mark.parametrize("annotation", [str, list[int], dict[str, int]])
def test_a_field_without_an_upper_bound_is_rejected(annotation: Any) -> None:
    model = type("Model", (BaseModel,), {"__annotations__": {"field": annotation}})
    with pytest.raises(ValueError, match=r"\.field: a \w+ needs an upper bound"):
        crd.openapi(model)


def test_a_construct_without_a_structural_form_is_rejected() -> None:
    class Model(BaseModel):
        either: int | list[Annotated[str, Field(max_length=3)]]

    with pytest.raises(ValueError, match="no structural counterpart"):
        crd.openapi(Model)


IMAGE_DIGEST = "sha256:" + "1" * 64


@pytest.mark.parametrize(
    ("uri", "fits"),
    [
        ("s3://bucket/models/1/", True),
        ("s3://bucket", False),
        ("https://host/model.onnx", True),
        ("gs://bucket/models/1/", True),
        ("gs://bucket/", False),
        ("az://container/model.onnx", True),
        ("abfss://container@account.dfs.core.windows.net/models/1/", True),
        ("abfss://container/models/1/", False),
        ("hf://org/repository/", True),
        ("hf://org/repository@refs%2Fpr%2F1/onnx/model.onnx", True),
        ("hf://org/", False),
        ("hf://org/repository", False),
        ("pvc://claim/models/1/", True),
        ("oci://ghcr.io/org/delays:1/", True),
        ("oci://localhost:5000/delays:1/models/model.onnx", True),
        (f"oci://ghcr.io/org/delays@{IMAGE_DIGEST}/models/", True),
        (f"oci://ghcr.io/org/delays:1@{IMAGE_DIGEST}/models/", True),
        ("oci://ghcr.io/org/delays/models/", False),
        ("oci://ghcr.io/org/delays:1", False),
        ("oci://ghcr.io/Org/delays:1/", False),
        ("ftp://host/model.onnx", False),
    ],
)
def test_a_model_uri_has_a_scheme_that_the_runtime_or_kubelet_reads(uri: str, fits: bool) -> None:
    """Use only patterns that Python and RE2 interpret alike."""
    assert (re.fullmatch("|".join(MODEL_URIS), uri) is not None) is fits


@pytest.mark.parametrize(
    ("uri", "put", "read"),
    [
        ("s3://bucket/made", True, True),
        ("gs://bucket/made/", True, True),
        ("az://container/made", True, True),
        ("abfss://container@account.dfs.core.windows.net/made", True, True),
        ("abfss://container/made", False, False),
        ("gs://bucket", False, False),
        ("https://host/rows.parquet", False, True),
        ("hf://datasets/org/flights/rows.parquet", False, True),
        ("hf://org/delays@v1/rows.parquet", False, True),
        ("pvc://claim/rows.parquet", False, False),
        ("/rows.parquet", False, False),
    ],
)
def test_bundles_are_written_to_buckets_and_tables_are_also_read_from_elsewhere(
    uri: str, put: bool, read: bool
) -> None:
    assert (re.fullmatch("|".join(BUCKET_URIS), uri) is not None) is put
    rule = PARQUET_FILE["x-kubernetes-validations"][0]["rule"]
    pattern = rule.removeprefix("self.matches('").removesuffix("')")
    assert (re.search(pattern, uri) is not None) is read
