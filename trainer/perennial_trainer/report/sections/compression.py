"""What compression was tried, what it won and lost, and conversion from other formats."""

from perennial_contracts.wire.modelcard import CompressionTrial, ModelCard

from ..bars import bar
from ..formatting import NOTHING, duration, metric, number, score, share, size
from ..markup import Markup, element, facts, join, note, table

STATUSES = {
    "Original": "original", "Kept": "served", "Passed": "would do", "Refused": "refused",
    "NotApplicable": "not applicable", "Failed": "failed",
}  # fmt: skip


def compression(card: ModelCard) -> Markup:
    """The table of trials."""
    trials = card.compression
    if not trials:
        return Markup("")
    name = next((metric(trial.metric) for trial in trials if trial.metric), "score")
    sizes = max((trial.size_bytes or 0 for trial in trials), default=0)
    slowest = max((trial.p95_microseconds or 0.0 for trial in trials), default=0.0)
    controls = any(trial.control is not None for trial in trials)
    batch = any(trial.batch_p50_microseconds is not None for trial in trials)
    head = ["", "outcome", "size", "p95", "p50", name, "loss"]
    head += (["of a batch"] if batch else []) + (["control"] if controls else []) + ["why"]
    rows = [
        (
            trial.method,
            element("span", STATUSES[trial.status], class_=f"pill {trial.status}"),
            bar(size(trial.size_bytes), trial.size_bytes, sizes),
            bar(duration(trial.p95_microseconds), trial.p95_microseconds, slowest, "c2"),
            duration(trial.p50_microseconds),
            score(trial.value),
            NOTHING if trial.loss is None else number(trial.loss, 2),
            *([_batch(trial)] if batch else []),
            *([score(trial.control)] if controls else []),
            element("small", trial.why, class_="why"),
        )
        for trial in trials
    ]
    said = (
        "Each was measured in ONNX Runtime on the machine of the run, one row at a time: processor "
        "time of one thread. Of a run, the score is that of earlier rows, which were set aside to "
        "choose by; all other scores of this page are of the later ones."
    )
    if controls:
        said += " Control: the same student, taught with the hard labels."
    return join([table("Ways to compress, measured", head, rows, "wide told"), note(said)])


def conversion(card: ModelCard) -> Markup:
    """From which format the model was made, and how well it agrees."""
    made = card.conversion
    if made is None:
        return Markup("")
    agreement = None
    if made.agreement is not None:
        agreement = f"{share(made.agreement, 1)} of {made.rows:,} rows have the same label"
    return facts(
        [
            ("format", made.format),
            ("converter", made.converter),
            ("agreement", agreement),
            ("rows compared", f"{made.rows:,}" if agreement is None else ""),
            ("ties", f"{made.ties:,} rows have another label as likely" if made.ties else ""),
            ("largest difference", number(made.max_difference, 3)),
            ("seconds", f"{made.seconds:.1f}" if made.seconds else ""),
        ]
    )


def _batch(trial: CompressionTrial) -> str:
    if trial.batch_p50_microseconds is None:
        return NOTHING
    return f"{duration(trial.batch_p50_microseconds)} / {trial.batch_rows:,}"
