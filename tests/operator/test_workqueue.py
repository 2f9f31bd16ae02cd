import asyncio
from collections.abc import Coroutine
from typing import Any

from perennial_operator.workqueue import WorkQueue


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(coroutine)


def test_a_waiting_key_is_stored_once() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        queue.add("a")
        queue.add("b")
        assert [await queue.get(), await queue.get()] == ["a", "b"]
        assert len(queue) == 0

    run(scenario())


def test_a_key_that_is_added_while_it_is_processed_is_processed_again_afterwards() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        key = await queue.get()
        queue.add("a")
        second = asyncio.ensure_future(queue.get())
        await asyncio.sleep(0)
        assert not second.done()
        queue.done(key)
        assert await second == "a"
        queue.done("a")
        assert len(queue) == 0

    run(scenario())


def test_two_workers_never_hold_the_same_key() -> None:
    async def scenario() -> None:
        queue: WorkQueue[int] = WorkQueue()
        held: set[int] = set()
        runs = 0

        async def worker() -> None:
            nonlocal runs
            while True:
                key = await queue.get()
                assert key not in held
                held.add(key)
                await asyncio.sleep(0)
                held.discard(key)
                runs += 1
                queue.done(key)

        workers = [asyncio.ensure_future(worker()) for _ in range(4)]
        for turn in range(300):
            queue.add(turn % 3)
            if turn % 5 == 0:
                await asyncio.sleep(0)
        for _ in range(10_000):
            await asyncio.sleep(0)
        assert not held
        assert len(queue) == 0
        for each in workers:
            assert not each.done()
            each.cancel()
        assert runs >= 3

    run(scenario())


def test_the_earlier_of_two_delays_counts() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_after("a", 60)
        queue.add_after("a", 0.001)
        queue.add_after("a", 60)
        assert await asyncio.wait_for(queue.get(), 5) == "a"

    run(scenario())


def test_failures_back_off_by_key_until_one_reconciliation_succeeds() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        delays = [queue.add_failed("a") for _ in range(20)]
        assert delays[:3] == [0.1, 0.2, 0.4]
        assert delays[-1] == 300
        assert queue.add_failed("b") == 0.1
        queue.forget("a")
        assert queue.add_failed("a") == 0.1

    run(scenario())
