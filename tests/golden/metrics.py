"""Names, types and labels in /metrics."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

FREE = ("le", "quantile")


def families(text: str) -> dict[str, Any]:
    """Return type, label names and sample names of each family of an exposition."""
    found = {}
    for family in text_string_to_metric_families(text):
        labels = {name for sample in family.samples for name in sample.labels}
        found[family.name] = {
            "type": family.type,
            "labels": sorted(labels),
            "samples": sorted({sample.name for sample in family.samples}),
            "buckets": sorted(
                {s.labels["le"] for s in family.samples if "le" in s.labels}, key=float
            ),
        }
    return found
