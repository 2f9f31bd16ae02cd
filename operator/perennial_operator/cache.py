"""Cache the objects that watches report, and the operator's own writes at once.

Objects are stored as compact JSON without the parts that no decision reads. A thousand small
objects take a tenth of the memory of dictionaries, and only those of one key are parsed at a time.
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


class ObjectCache:
    """Objects by kind, namespace and name, and by their ModelDeployment.

    A version that is older than the stored one is ignored. So the response to a write and the watch
    event for it may arrive in any order.
    """

    def __init__(self) -> None:
        self._objects: dict[_Address, tuple[str, int, bytes]] = {}
        self._by_label: defaultdict[tuple[str, str], set[_Address]] = defaultdict(set)
        self._deleted: dict[str, None] = {}

    def put(self, kind: Kind, obj: Object) -> None:
        """Store an object, unless a newer version is stored or it was deleted."""
        metadata = obj["metadata"]
        address = (kind.name, metadata["namespace"], metadata["name"])
        version = int(metadata["resourceVersion"])
        stored = self._objects.get(address)
        if metadata["uid"] in self._deleted or (stored and stored[1] > version):
            return
        data = json.dumps(_trimmed(kind, obj), separators=(",", ":")).encode()
        self._objects[address] = (metadata["uid"], version, data)
        if label := _model_label(kind, obj):
            self._by_label[metadata["namespace"], label].add(address)

    def drop(self, kind: Kind, obj: Object) -> None:
        """Remove a deleted object, and ignore late events for it."""
        metadata = obj["metadata"]
        self._deleted[metadata["uid"]] = None
        if len(self._deleted) > 10_000:
            del self._deleted[next(iter(self._deleted))]
        address = (kind.name, metadata["namespace"], metadata["name"])
        stored = self._objects.get(address)
        if stored and stored[0] == metadata["uid"]:
            del self._objects[address]
            if label := _model_label(kind, obj):
                siblings = self._by_label[metadata["namespace"], label]
                siblings.discard(address)
                if not siblings:
                    del self._by_label[metadata["namespace"], label]

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Return an object."""
        stored = self._objects.get((kind.name, namespace, name))
        return self._parse(stored) if stored else None

    def about(self, namespace: str, model: str) -> Iterator[tuple[str, Object]]:
        """Yield children, pods and RetrainJobs of a ModelDeployment, each with its kind.

        Two models with long names may share a label, which is cut. Check the owner, too.
        """
        for address in list(self._by_label.get((namespace, child_name(model)), ())):
            yield address[0], self._parse(self._objects[address])

    def all_of(self, kind: Kind) -> list[Object]:
        """Return all objects of a kind."""
        return [
            self._parse(stored)
            for address, stored in self._objects.items()
            if address[0] == kind.name
        ]

    def affected(self, kind: Kind, obj: Object) -> list[Key]:
        """Return the resources to reconcile after an object has changed."""
        namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
        if kind is RETRAIN_JOB:
            model = obj["spec"]["modelRef"]["name"]
            return [Key(namespace, name, kind.name), Key(namespace, model)]
        if kind is MODEL_DEPLOYMENT:
            # A run may wait for its model.
            runs = [
                Key(namespace, run[2], run[0])
                for run in self._by_label.get((namespace, child_name(name)), ())
                if run[0] == RETRAIN_JOB.name
            ]
            return [Key(namespace, name), *runs]
        owner = _owner_of_pod(obj) if kind is POD else _owner_of_child(obj)
        return [owner] if owner else []

    @staticmethod
    def _parse(stored: tuple[str, int, bytes]) -> Object:
        parsed: Object = json.loads(stored[2])
        return parsed


def _model_label(kind: Kind, obj: Object) -> str | None:
    """Return the label form of the name of the model that an object belongs to."""
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


def _trimmed(kind: Kind, obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    kept = {key: value for key, value in obj.items() if key != "metadata"}
    if kind in (POD, JOB):
        kept.pop("spec", None)
    return {**kept, "metadata": metadata}
