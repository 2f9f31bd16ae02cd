"""API server in memory, with the behaviour that the operator's writes need."""

import asyncio
import copy
import itertools
from collections.abc import Callable
from typing import Any

from perennial_operator.api import ApiError
from perennial_operator.objects import RESOURCE_KINDS, Kind, Object, name_of

Refuses = Callable[[Kind, Object], bool]


class FakeApi:
    """API server in memory; it rejects objects that ``refuses`` matches with 422.

    Attributes:
        requests: verb, kind and name of each write that was accepted.
        statuses: every status that was written.
        events: every event that was posted.
    """

    def __init__(self, refuses: Refuses | None = None) -> None:
        self.refuses: Refuses = refuses or (lambda kind, obj: False)
        self.objects: dict[tuple[str, str], Object] = {}
        self.requests: list[tuple[str, str, str]] = []
        self.statuses: list[dict[str, Any]] = []
        self.events: list[Object] = []
        self._versions = itertools.count(100)

    def put(self, kind: Kind, obj: Object) -> Object:
        """Store an object as a client other than the operator would."""
        live = self._live(kind, name_of(obj))
        metadata = {
            "uid": f"uid-{kind.name}-{name_of(obj)}",
            "generation": 1,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            **(live["metadata"] if live else {}),
            **obj["metadata"],
            "resourceVersion": str(next(self._versions)),
        }
        stored = {**(live or {}), **obj, "kind": kind.name, "metadata": metadata}
        self.objects[kind.name, name_of(obj)] = stored
        return copy.deepcopy(stored)

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        await asyncio.sleep(0)
        live = self._live(kind, name)
        if live is None:
            raise ApiError(404, "NotFound", f"{kind.plural} {name} not found")
        return copy.deepcopy(live)

    async def create(self, kind: Kind, obj: Object) -> Object:
        await asyncio.sleep(0)
        if self._live(kind, name_of(obj)):
            raise ApiError(409, "AlreadyExists", f"{kind.plural} {name_of(obj)} already exists")
        return self._write("create", kind, obj)

    async def apply(self, kind: Kind, obj: Object, subresource: str = "") -> Object:
        await asyncio.sleep(0)
        if subresource == "status":
            assert kind in RESOURCE_KINDS
            self.statuses.append(obj["status"])
            return self.put(kind, obj)
        return self._write("apply", kind, obj)

    async def delete(self, kind: Kind, obj: Object) -> None:
        await asyncio.sleep(0)
        self.requests.append(("delete", kind.name, name_of(obj)))
        self.objects.pop((kind.name, name_of(obj)), None)

    async def post_event(self, namespace: str, event: Object) -> None:
        await asyncio.sleep(0)
        self.events.append(event)

    def reasons(self) -> list[str]:
        """Return the reason of each event in order."""
        return [event["reason"] for event in self.events]

    def _write(self, verb: str, kind: Kind, obj: Object) -> Object:
        if self.refuses(kind, obj):
            raise ApiError(422, "Invalid", f"exceeded quota: {name_of(obj)}")
        self.requests.append((verb, kind.name, name_of(obj)))
        return self.put(kind, obj)

    def _live(self, kind: Kind, name: str) -> Object | None:
        return self.objects.get((kind.name, name))
