"""The operator's picture of the cluster: what the watches brought, and its own writes at once.

An object is kept as compact JSON without what no decision reads: a thousand small objects are
ten times smaller so than as dictionaries, and only those of one key are parsed at a time.
"""

import json
from collections import defaultdict
from collections.abc import Iterator

from .names import MODEL_LABEL, OWNER_ANNOTATION, RUN_ANNOTATION, child_name
from .objects import (
    JOB,
    MODEL_DEPLOYMENT,
    POD,
    RESOURCE_KINDS,
    RETRAIN_JOB,
    Key,
    Kind,
    Object,
    annotations_of,
    labels_of,
)

_Address = tuple[str, str, str]
"""Kind, namespace, name."""


class Cache:
    """Objects by kind, namespace and name, and by the ModelDeployment that they are about.

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
        if label := _group(kind, obj):
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
            if label := _group(kind, obj):
                siblings = self._by_label[metadata["namespace"], label]
                siblings.discard(address)
                if not siblings:
                    del self._by_label[metadata["namespace"], label]

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        held = self._objects.get((kind.name, namespace, name))
        return self._parse(held) if held else None

    def about(self, namespace: str, model: str) -> Iterator[tuple[str, Object]]:
        """Children, pods and RetrainJobs of a ModelDeployment, each with its kind.

        Two models may share a label (it is cut where a name is long): look at the owner, too.
        """
        for address in list(self._by_label.get((namespace, child_name(model)), ())):
            yield address[0], self._parse(self._objects[address])

    def all_of(self, kind: Kind) -> list[Object]:
        return [
            self._parse(held) for address, held in self._objects.items() if address[0] == kind.name
        ]

    def affected(self, kind: Kind, obj: Object) -> list[Key]:
        """The resources to look at when an object has changed; none for a stranger's."""
        namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
        if kind is RETRAIN_JOB:
            model = obj["spec"]["modelRef"]["name"]
            return [Key(namespace, name, kind.name), Key(namespace, model)]
        if kind is MODEL_DEPLOYMENT:
            # A run may wait for its model to come.
            runs = [
                Key(namespace, run[2], run[0])
                for run in self._by_label.get((namespace, child_name(name)), ())
                if run[0] == RETRAIN_JOB.name
            ]
            return [Key(namespace, name), *runs]
        owner = _owner_of_pod(obj) if kind is POD else _owner_of_child(obj)
        return [owner] if owner else []

    @staticmethod
    def _parse(held: tuple[str, int, bytes]) -> Object:
        parsed: Object = json.loads(held[2])
        return parsed


def _group(kind: Kind, obj: Object) -> str | None:
    """The label form of the model's name that an object is about."""
    if kind is RETRAIN_JOB:
        return child_name(obj["spec"]["modelRef"]["name"])
    return labels_of(obj).get(MODEL_LABEL)


def _owner_of_pod(pod: Object) -> Key | None:
    namespace, annotations = pod["metadata"]["namespace"], annotations_of(pod)
    if run := annotations.get(RUN_ANNOTATION):
        return Key(namespace, run, RETRAIN_JOB.name)
    model = annotations.get(OWNER_ANNOTATION)
    return Key(namespace, model) if model else None


def _owner_of_child(child: Object) -> Key | None:
    kinds = {kind.name for kind in RESOURCE_KINDS}
    for owner in child["metadata"].get("ownerReferences") or ():
        if owner.get("controller") and owner["kind"] in kinds:
            return Key(child["metadata"]["namespace"], owner["name"], owner["kind"])
    return None


def _without_ballast(kind: Kind, obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    kept = {key: value for key, value in obj.items() if key != "metadata"}
    if kind in (POD, JOB):
        kept.pop("spec", None)
    return {**kept, "metadata": metadata}
