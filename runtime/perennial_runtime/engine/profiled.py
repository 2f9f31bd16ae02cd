"""Read the drift profile of a bundle, and check that it fits the model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.profile import PROFILE_NAME, Distribution, Profile

from ..classes import Classes
from ..errors import LoadError
from ..signature import TensorSpec


@dataclass(frozen=True)
class Profiled:
    """A profile that fits its model."""

    profile: Profile
    data: bytes
    """Content of the file."""


def read_profile(
    path: Path,
    inputs: Sequence[TensorSpec],
    classes: Classes | None,
    is_regression: bool = False,
) -> Profiled:
    """Read ``profile.json``. The score of a regression model is its prediction.

    Raises:
        LoadError: ModelCorrupt, with the first key that is invalid or does not fit the model.
    """
    data = path.read_bytes()
    try:
        profile = Profile.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the document"
        raise _corrupt(key, first["msg"]) from error
    tensors = {tensor.name: tensor for tensor in inputs}
    for feature in profile.features:
        _check_feature(feature, tensors.get(feature.name))
    if profile.score is not None and not profile.score.is_number:
        raise _corrupt("score", "expected edges, got categories")
    if classes is None:
        for key in ("label", "positive") if is_regression else ("score", "label", "positive"):
            if getattr(profile, key) is not None:
                raise _corrupt(
                    key,
                    "expected none: the model has no outputs 'label' and 'probabilities'",
                )
    else:
        _check_answers(profile, classes)
    return Profiled(profile, data)


def with_positive(classes: Classes | None, profiled: Profiled | None) -> Classes | None:
    """Return the classes with the profile's positive one, if the profile names one."""
    named = profiled.profile.positive if profiled else None
    if classes is None or named is None:
        return classes
    return replace(classes, positive=classes.index(named))


def _check_feature(feature: Distribution, tensor: TensorSpec | None) -> None:
    name = repr(feature.name)
    if tensor is None:
        raise _corrupt("features", f"{name} is not an input of the model")
    if not tensor.is_column:
        raise _corrupt(
            "features",
            f"{name} has one value for each row, but the model's input {name} has the shape "
            f"{list(tensor.shape)}",
        )
    if feature.is_number and tensor.datatype == "BYTES":
        raise _corrupt("features", f"{name} is a number, but the model's input {name} is BYTES")
    if not feature.is_number and tensor.datatype.startswith("FP"):
        raise _corrupt(
            "features", f"{name} is a category, but the model's input {name} is {tensor.datatype}"
        )


def _check_answers(profile: Profile, classes: Classes) -> None:
    names = ", ".join(classes.names)
    if profile.label is not None:
        if profile.label.categories is None:
            raise _corrupt("label", f"expected the categories {names}, got edges")
        unknown = [name for name in profile.label.categories if name not in classes.names]
        if unknown:
            raise _corrupt("label", f"expected the categories {names}, got {unknown[0]!r}")
    if profile.positive is not None:
        if profile.positive not in classes.names:
            raise _corrupt("positive", f"expected one of {names}, got {profile.positive!r}")
        if classes.positive is not None and classes.names[classes.positive] != profile.positive:
            raise _corrupt(
                "positive",
                f"expected {classes.names[classes.positive]!r} as in bundle.json, "
                f"got {profile.positive!r}",
            )


def _corrupt(key: str, problem: str) -> LoadError:
    return LoadError(
        LoadFailure.MODEL_CORRUPT, f"{PROFILE_NAME}: {key}: {problem}. Fix: build the bundle again"
    )
