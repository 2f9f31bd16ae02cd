"""Packages that only some variants of the image have."""

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from perennial_contracts.wire.formats import Variant
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError


def require(module: str, package: str, variant: Variant, what: str) -> Any:
    """Imports a module.

    Args:
        module: its name.
        package: what installs it.
        variant: of the image, that has it.
        what: which format needs it, for the message.

    Raises:
        StepError: ConverterNotInstalled.
    """
    try:
        return importlib.import_module(module)
    # A shared library that a package needs may be missing too.
    except (ImportError, OSError) as error:
        image = "trainer" if variant == "tabular" else f"trainer-{variant}"
        raise StepError(
            TrainingFailure.CONVERTER_NOT_INSTALLED,
            f"{what} needs the package {package}, which cannot be imported here ({error}): use the "
            f"image perennial-{image}, or install 'perennial[{image}]'",
        ) from error


def versioned(package: str) -> str:
    """A converter's name with its version."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
