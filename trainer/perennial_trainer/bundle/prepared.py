"""The bundle of an artifact that prepare has converted."""

from dataclasses import dataclass, field
from functools import cached_property

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME, Bundle, describe_files
from perennial_contracts.wire.modelcard import (
    MODEL_CARD_NAME,
    REPORT_NAME,
    CompressionTrial,
    ConversionFacts,
    ModelCard,
)
from perennial_contracts.wire.prepare_plan import Fetched
from perennial_contracts.wire.profile import PROFILE_NAME, Profile

from ..conversion.converted import Converted
from ..conversion.onnx_signature import describe
from ..report.page import render
from .manifest import read_versions

PACKAGES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx")


@dataclass(frozen=True)
class PreparedModel:
    """A converted model with all facts for its bundle."""

    name: str
    """NAMESPACE/NAME of the ModelDeployment."""
    fetched: Fetched
    original: Bundle | None
    """The bundle that the artifact was; None if it was none."""
    converted: Converted
    facts: ConversionFacts
    model: bytes
    """The ONNX model, compressed if a method was kept."""
    profile: Profile | None = None
    trials: list[CompressionTrial] = field(default_factory=list)

    @property
    def labels(self) -> list[str] | None:
        """The classes, in the order of the probabilities; None if unknown."""
        return find_labels(self.converted, self.original)

    @property
    def positive(self) -> str | None:
        """The positive class of two; None if unknown."""
        positive = self.original.positive if self.original else None
        return positive or (self.profile.positive if self.profile else None)

    def files(self) -> dict[str, bytes]:
        """Return the files of the bundle, with model card and report, by name."""
        contents = {MODEL_NAME: self.model}
        if self.profile is not None:
            contents[PROFILE_NAME] = self.profile.to_bytes()
        # The card contains durations, so it is no part of the bundle: the same artifact gives the
        # same bundle.
        card = self._card()
        return {
            **contents,
            MODEL_CARD_NAME: card.model_dump_json(indent=1, exclude_none=True).encode(),
            REPORT_NAME: render(card, self.profile).encode(),
            MANIFEST_NAME: self._manifest(contents).to_bytes(),
        }

    @cached_property
    def _lineage(self) -> dict[str, str]:
        lineage = {
            "artifact": self.fetched.digest,
            "format": self.facts.format,
            "converter": self.facts.converter,
        }
        kept = self._kept_method()
        return {**lineage, "compression": kept} if kept else lineage

    @cached_property
    def _environment(self) -> dict[str, str]:
        return read_versions(PACKAGES)

    def _manifest(self, contents: dict[str, bytes]) -> Bundle:
        inputs, outputs = describe(self.model)
        task = self.converted.task
        return Bundle(
            files=describe_files(contents),
            inputs=inputs,
            outputs=outputs,
            task=None if task == "Tensors" else task,
            labels=self.labels,
            positive=self.positive,
            lineage={
                **(self.original.lineage if self.original else {}),
                **self._lineage,
                **self._environment,
            },
        )

    def _card(self) -> ModelCard:
        return ModelCard(
            name=self.name,
            headline=self._headline(),
            kind=self.facts.format,
            conversion=self.facts,
            compression=self.trials,
            size_bytes=len(self.model),
            lineage=self._lineage,
            environment=self._environment,
        )

    def _headline(self) -> str:
        facts, text = self.facts, f"Converted from {self.facts.format}"
        if facts.agreement is not None:
            text += f": {facts.agreement:.2%} of {facts.rows:,} labels agree with the original's"
            text += f" and {facts.ties} are ties" if facts.ties else ""
        kept = self._kept_method()
        if kept:
            return f"{text}; {kept} is served"
        return f"{text}; no compression was kept" if self.trials else text

    def _kept_method(self) -> str | None:
        return next((trial.method for trial in self.trials if trial.status == "Kept"), None)


def find_labels(converted: Converted, original: Bundle | None) -> list[str] | None:
    """Return the classes of a converted model, or those of the bundle that it was."""
    return list(converted.labels) or (original.labels if original else None)
