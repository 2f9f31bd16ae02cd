"""Objects that no watch brings: they are asked for by name, when a decision needs them."""

from dataclasses import replace

from .api import Api, ApiError
from .objects import Kind, Object, is_owned_by
from .world import TrainingWorld

_NOT_FOUND = "NotFound"
"""Reason of the answer where the kind is served, but there is no such object."""


async def look(api: Api, world: TrainingWorld, wanted: list[tuple[Kind, str]]) -> TrainingWorld:
    """The world with those of the wanted objects that are its own children.

    They stand before its other children, and so are deleted first where all go.
    """
    if not wanted:
        return world
    found: dict[tuple[str, str], Object] = {}
    unserved = set()
    for kind, name in wanted:
        try:
            obj = await api.get(kind, world.namespace, name)
        except ApiError as error:
            if error.code != 404:
                raise
            if error.reason != _NOT_FOUND:
                unserved.add(kind.name)
            continue
        if is_owned_by(obj, world.uid):
            found[kind.name, name] = obj
    children = {**found, **world.children}
    return replace(world, children=children, unserved=frozenset(unserved))
