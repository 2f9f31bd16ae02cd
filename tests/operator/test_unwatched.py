import asyncio

import pytest
from support import loops, worlds

from perennial_contracts.api.retrainjob import RetrainJobSpec
from perennial_contracts.api.retrainjob_status import RetrainJobStatus
from perennial_operator import unwatched
from perennial_operator.api import ApiError, parsed
from perennial_operator.clock import to_text
from perennial_operator.objects import CLAIM, TRAIN_JOB, Kind, Object
from perennial_operator.world import RunWorld

WANTED = [(TRAIN_JOB, "delays-1"), (CLAIM, "delays-1-work")]


class AnsweringApi:
    """Returns an object, or raises an error."""

    def __init__(self, answer: Object | ApiError) -> None:
        self.answer = answer

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        await asyncio.sleep(0)
        if isinstance(self.answer, ApiError):
            raise self.answer
        return self.answer


def looked(answer: Object | ApiError, wanted: list[tuple[Kind, str]] | None = None) -> RunWorld:
    job = {"kind": "Job", "metadata": {"name": "delays-1"}}
    around = RunWorld(
        namespace="default",
        name="delays-1",
        uid="uid-2",
        generation=1,
        children={("Job", "delays-1"): job},
        spec=RetrainJobSpec.model_validate({**loops.TEMPLATE, "modelRef": {"name": "delays"}}),
        status=RetrainJobStatus(startTime=to_text(worlds.NOW)),
    )
    api = AnsweringApi(answer)
    return asyncio.run(unwatched.add_children(api, around, WANTED if wanted is None else wanted))  # type: ignore[arg-type]


def owned_by(uid: str) -> Object:
    return {"metadata": {"ownerReferences": [{"controller": True, "uid": uid}]}}


def test_its_own_objects_come_before_the_jobs_so_that_they_are_deleted_first() -> None:
    kinds = [kind for kind, _ in looked(owned_by("uid-2")).children]
    assert kinds == ["TrainJob", "PersistentVolumeClaim", "Job"]


def test_an_object_of_another_owner_is_no_child() -> None:
    assert [kind for kind, _ in looked(owned_by("uid-9")).children] == ["Job"]


def test_an_unknown_kind_differs_from_a_missing_object() -> None:
    assert looked(ApiError(404, "NotFound", "no such object")).missing_kinds == frozenset()
    no_such_kind = ApiError(404, "Unknown", "404 page not found")
    assert looked(no_such_kind).missing_kinds == {"TrainJob", "PersistentVolumeClaim"}
    assert looked(no_such_kind, []).missing_kinds == frozenset()


def test_any_other_error_response_is_raised() -> None:
    with pytest.raises(ApiError):
        looked(ApiError(403, "Forbidden", "no"))


def test_a_response_in_plain_text_becomes_a_message() -> None:
    # So the API server answers for a group that it does not serve.
    assert parsed(b"404 page not found\n") == {"message": "404 page not found"}
    assert parsed(b'{"a": 1}') == {"a": 1}
    assert parsed(b"") == {}
