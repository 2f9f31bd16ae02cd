"""Container images for pods whose spec names none."""

from dataclasses import dataclass

from perennial_contracts.wire.formats import Variant


@dataclass(frozen=True)
class Images:
    """The images that the operator was started with; an empty one does not exist."""

    runtime: str
    """Serves and resolves models."""
    trainer: str
    """Runs the steps of RetrainJobs, and prepares tabular models."""
    tf: str = ""
    """Prepares models that Keras and TensorFlow saved."""
    torch: str = ""
    """Prepares models that PyTorch saved."""

    def converter(self, variant: Variant) -> str:
        """Return the image that prepares models of a variant."""
        return {"tabular": self.trainer, "tf": self.tf, "torch": self.torch}[variant]
