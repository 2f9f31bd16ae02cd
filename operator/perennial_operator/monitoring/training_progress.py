"""Read the progress of runs over HTTP from the pods that train."""

import asyncio
import logging

import aiohttp
from pydantic import ValidationError

from perennial_contracts.wire.run_plan import PROGRESS_PATH, PROGRESS_PORT, Progress

from ..objects import Key
from ..workqueue import WorkQueue
from .scraper import TIMEOUT_SECONDS, host_of

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 10.0
CONCURRENCY = 32
"""Pods that are read at the same time."""
LARGEST_RESPONSE = 65_536
"""Limit in bytes. The image of the pod may be anybody's, and return anything."""


class ProgressPoller:
    """The latest progress of each run that trains. Belongs to one event loop."""

    def __init__(self, queue: WorkQueue[Key]) -> None:
        self._queue = queue
        self._addresses: dict[Key, str] = {}
        self._progress: dict[Key, Progress] = {}

    def watch(self, key: Key, address: str | None) -> None:
        """Set or remove the address of the pod that trains for a run."""
        if address == self._addresses.get(key):
            return
        # The progress of another pod belongs to an attempt that is over.
        self._progress.pop(key, None)
        if address is None:
            self._addresses.pop(key, None)
        else:
            self._addresses[key] = address

    def progress_of(self, key: Key) -> Progress | None:
        """Return the latest progress of a run."""
        return self._progress.get(key)

    async def run(self) -> None:
        """Read until cancelled, and queue each run whose progress has changed."""
        slots = asyncio.Semaphore(CONCURRENCY)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        # A few bytes of a compressed response may expand to gigabytes.
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            while True:
                async with asyncio.TaskGroup() as readings:
                    for key, address in self._addresses.items():
                        readings.create_task(self._read(session, slots, key, address))
                await asyncio.sleep(INTERVAL_SECONDS)

    async def _read(
        self, session: aiohttp.ClientSession, slots: asyncio.Semaphore, key: Key, address: str
    ) -> None:
        url = f"http://{host_of(address)}:{PROGRESS_PORT}{PROGRESS_PATH}"
        try:
            # A redirect would send the operator to any address that the image names.
            async with slots, session.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    return
                body = b""
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > LARGEST_RESPONSE:
                        return
            progress = Progress.model_validate_json(body)
        except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
            # A trainer need not report its progress.
            logger.debug(
                "%s: cannot read the training progress: %s", key, str(error) or type(error).__name__
            )
            return
        if self._addresses.get(key) == address and self._progress.get(key) != progress:
            self._progress[key] = progress
            self._queue.add(key)
