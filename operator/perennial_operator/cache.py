"""The operator's picture of the cluster: what the watches brought, and its own writes at once.

An object is kept as compact JSON without what no decision reads: a thousand small objects are
ten times smaller so than as dictionaries, and only those of one key are parsed at a time.
"""

import json
from collections import defaultdict
from collections.abc import Iterator

from .names import MODEL_LABEL, OWNER_ANNOTATION, child_name
from .objects import JOB, MODEL_DEPLOYMENT, POD, Key, Kind, Object, labels_of

_Address = tuple[str, str, str]
"""Kind, namespace, name."""


class Cache:
    """Objects by kind, namespace and name, and by the ModelDeployment that they belong to.

    A version that is older than the one that is held is ignored, so that an answer to a write and
    the watch's news of it can come in any order.
    """

    def __init__(self) -> None:
        self._objects: dict[_Address, tuple[str, int, bytes]] = {}
        self._by_label: defaultdict[tuple[str, str], set[_Address]] = defaultdict(set)
        self._gone: dict[str, None] = {}

    def put(self, kind: Kind, obj: Object) -> None:
        """Holds an object, unless a newer version is held or it was deleted already."""
        metadata = obj["metadata"]
        address = (kind.name, metadata["namespace"], metadata["name"])
        version = int(metadata["resourceVersion"])
        held = self._objects.get(address)
        if metadata["uid"] in self._gone or (held and held[1] > version):
            return
        data = json.dumps(_without_ballast(kind, obj), separators=(",", ":")).encode()
        self._objects[address] = (metadata["uid"], version, data)
        if label := labels_of(obj).get(MODEL_LABEL):
            self._by_label[metadata["namespace"], label].add(address)

    def drop(self, kind: Kind, obj: Object) -> None:
        """Forgets a deleted object, and late news of it."""
        metadata = obj["metadata"]
        self._gone[metadata["uid"]] = None
        if len(self._gone) > 10_000:
            del self._gone[next(iter(self._gone))]
        address = (kind.name, metadata["namespace"], metadata["name"])
        held = self._objects.get(address)
        if held and held[0] == metadata["uid"]:
            del self._objects[address]
            if label := labels_of(obj).get(MODEL_LABEL):
                siblings = self._by_label[metadata["namespace"], label]
                siblings.discard(address)
                if not siblings:
                    del self._by_label[metadata["namespace"], label]

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        held = self._objects.get((kind.name, namespace, name))
        return self._parse(held) if held else None

    def belonging_to(self, key: Key) -> Iterator[tuple[str, Object]]:
        """Children and pods that carry the label of a ModelDeployment, each with its kind."""
        for address in list(self._by_label.get((key.namespace, child_name(key.name)), ())):
            yield address[0], self._parse(self._objects[address])

    def all_of(self, kind: Kind) -> list[Object]:
        return [
            self._parse(held) for address, held in self._objects.items() if address[0] == kind.name
        ]

    @staticmethod
    def _parse(held: tuple[str, int, bytes]) -> Object:
        parsed: Object = json.loads(held[2])
        return parsed


def key_of(kind: Kind, obj: Object) -> Key | None:
    """The ModelDeployment that an object is, or belongs to; None for a stranger's."""
    metadata = obj["metadata"]
    namespace = metadata["namespace"]
    if kind is MODEL_DEPLOYMENT:
        return Key(namespace, metadata["name"])
    if kind is POD:
        owner = (metadata.get("annotations") or {}).get(OWNER_ANNOTATION)
        return Key(namespace, owner) if owner else None
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller") and owner["kind"] == MODEL_DEPLOYMENT.name:
            return Key(namespace, owner["name"])
    return None


def _without_ballast(kind: Kind, obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    kept = {key: value for key, value in obj.items() if key != "metadata"}
    if kind in (POD, JOB):
        kept.pop("spec", None)
    return {**kept, "metadata": metadata}
