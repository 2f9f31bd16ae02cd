"""Asks the pods that train how far they are, over HTTP, as long as they do."""

import asyncio
import logging

import aiohttp
from pydantic import ValidationError

from perennial_contracts.wire.run_plan import PROGRESS_PATH, PROGRESS_PORT, Progress

from ..objects import Key
from ..workqueue import WorkQueue
from .scraper import TIMEOUT_SECONDS, host_of

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 10.0
AT_ONCE = 32
"""Pods that are asked side by side."""
LARGEST_ANSWER = 65_536
"""Bytes. Whose image it is may write what it likes."""


class Trainers:
    """The runs that train, and what each trainer said last. Belongs to one event loop."""

    def __init__(self, queue: WorkQueue[Key]) -> None:
        self._queue = queue
        self._addresses: dict[Key, str] = {}
        self._said: dict[Key, Progress] = {}

    def watch(self, key: Key, address: str | None) -> None:
        """From now on asks this pod for a run's progress, or none."""
        if address == self._addresses.get(key):
            return
        # What another pod said is of an attempt that is over.
        self._said.pop(key, None)
        if address is None:
            self._addresses.pop(key, None)
        else:
            self._addresses[key] = address

    def progress_of(self, key: Key) -> Progress | None:
        """What the trainer of a run said last."""
        return self._said.get(key)

    async def run(self) -> None:
        """Asks until it is cancelled, and queues each run that has news."""
        slots = asyncio.Semaphore(AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        # A few bytes of a compressed answer may be gigabytes.
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            while True:
                async with asyncio.TaskGroup() as asking:
                    for key, address in self._addresses.items():
                        asking.create_task(self._ask(session, slots, key, address))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(
        self, session: aiohttp.ClientSession, slots: asyncio.Semaphore, key: Key, address: str
    ) -> None:
        url = f"http://{host_of(address)}:{PROGRESS_PORT}{PROGRESS_PATH}"
        try:
            # A redirect would make the operator ask whomever the image names.
            async with slots, session.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    return
                body = b""
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > LARGEST_ANSWER:
                        return
            progress = Progress.model_validate_json(body)
        except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
            # A trainer need not tell.
            logger.debug("%s: no progress: %s", key, str(error) or type(error).__name__)
            return
        if self._addresses.get(key) == address and self._said.get(key) != progress:
            self._said[key] = progress
            self._queue.add(key)
