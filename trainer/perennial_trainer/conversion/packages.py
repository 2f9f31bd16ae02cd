"""Packages that only some variants of the image contain."""

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from perennial_contracts.wire.formats import Variant
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError


def require(module: str, package: str, variant: Variant, format_name: str) -> Any:
    """Import a module that not every image contains.

    Args:
        module: name of the module.
        package: package that installs it.
        variant: variant of the image that contains it.
        format_name: name of the format that needs it, for the message.

    Raises:
        StepError: ConverterNotInstalled.
    """
    try:
        return importlib.import_module(module)
    # A shared library of the package may be missing too.
    except (ImportError, OSError) as error:
        image = "trainer" if variant == "tabular" else f"trainer-{variant}"
        raise StepError(
            TrainingFailure.CONVERTER_NOT_INSTALLED,
            f"{format_name} needs the package {package}, which cannot be imported here ({error})",
            hint=f"Use the image perennial-{image}, or install 'perennial[{image}]'",
        ) from error


def versioned(package: str) -> str:
    """Return the name of a converter with its version."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
