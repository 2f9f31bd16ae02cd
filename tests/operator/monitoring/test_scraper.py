"""Counters are read over real HTTP from the responses of a pod."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web
from support.loops import profile
from support.worlds import DIGEST

from perennial_contracts.wire.counters import Counters
from perennial_operator.cache import ObjectCache
from perennial_operator.monitoring import scraper
from perennial_operator.monitoring.targets import Target, Targets
from perennial_operator.names import MODEL_LABEL, OWNER_ANNOTATION, REVISION_LABEL
from perennial_operator.objects import POD, Key, Object
from perennial_operator.workqueue import WorkQueue

KEY = Key("default", "delays")


TARGET = Target("delays", "abc", DIGEST, 12.0)


BASE = "/v2/models/delays"


def pod(revision: str = "abc", state: str = "running") -> Object:
    return {
        "metadata": {
            "name": f"delays-{revision}",
            "namespace": "default",
            "uid": revision,
            "resourceVersion": "1",
            "labels": {MODEL_LABEL: "delays", REVISION_LABEL: revision},
            "annotations": {OWNER_ANNOTATION: "delays"},
        },
        "status": {
            "podIP": "127.0.0.1",
            "containerStatuses": [{"name": "runtime", "state": {state: {}}}],
        },
    }


def observed(
    answers: dict[str, tuple[int, bytes]],
    pods: list[Object],
    monkeypatch: Any,
    enough: Callable[[Targets], bool],
) -> Targets:
    """Return the targets after readings until ``enough`` is true."""

    async def answer(request: web.Request) -> web.Response:
        status, body = answers.get(request.path.removeprefix(BASE), (404, b""))
        return web.Response(status=status, body=body)

    async def scenario() -> Targets:
        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        monkeypatch.setattr(scraper, "HTTP_PORT", port)
        cache, queue, targets = ObjectCache(), WorkQueue[Key](), Targets()
        for each in pods:
            cache.put(POD, each)
        targets.watch(KEY, TARGET, 0.0)
        task = asyncio.ensure_future(scraper.Scraper(cache, queue, targets).run())
        try:
            await asyncio.wait_for(_until(queue, lambda: enough(targets)), 20)
        finally:
            task.cancel()
            await asyncio.wait([task])
            await runner.cleanup()
        return targets

    return asyncio.run(scenario())


async def _until(queue: "WorkQueue[Key]", holds: Callable[[], bool]) -> None:
    """Wait until a condition holds. Each reading queues its model."""
    while True:
        queue.done(await queue.get())
        if holds():
            return


def counters(rows: int) -> bytes:
    return Counters(instance="a", digest=DIGEST, rows=rows).model_dump_json().encode()


def test_counters_and_profile_of_the_running_pods_of_the_revision_are_read(
    monkeypatch: Any,
) -> None:
    answers = {"/counters": (200, counters(7)), "/profile": (200, profile().to_bytes())}
    pods = [pod(), pod("other"), pod("waiting", "waiting")]
    seen = observed(
        answers,
        pods,
        monkeypatch,
        lambda targets: bool((found := targets.of(KEY)) and found.has_profile),
    ).of(KEY)
    assert seen is not None
    assert seen.last["a"].rows == 7
    assert seen.profile == profile()
    assert seen.problem == ""


def test_a_bundle_without_profile_is_recorded_as_such(monkeypatch: Any) -> None:
    seen = observed(
        {"/counters": (200, counters(7))},
        [pod()],
        monkeypatch,
        lambda targets: bool((found := targets.of(KEY)) and found.has_profile is not None),
    ).of(KEY)
    assert seen is not None
    assert seen.has_profile is False


def test_a_failed_reading_is_a_problem_that_names_the_pod(monkeypatch: Any) -> None:
    for body, cause in (
        ((500, b""), "500"),
        ((302, b""), "302"),
        ((200, b"{}"), "validation error"),
        ((404, b""), "old"),
    ):
        seen = observed(
            {"/counters": body}, [pod()], monkeypatch, lambda targets: bool(targets.of(KEY))
        ).of(KEY)
        assert seen is not None
        assert "pod delays-abc" in seen.problem
        assert cause in seen.problem


def test_a_pod_that_loads_its_model_is_no_problem(monkeypatch: Any) -> None:
    seen = observed(
        {"/counters": (503, b"")},
        [pod()],
        monkeypatch,
        lambda targets: bool(targets.of(KEY)),
    ).of(KEY)
    assert seen is not None
    assert (seen.problem, seen.last) == ("", {})
