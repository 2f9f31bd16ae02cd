"""What was tried: score against cost, and every candidate with what became of it."""

from perennial_contracts.wire.modelcard import CandidateTrial, ModelCard

from ..formatting import NOTHING, duration, metric, number, score, size
from ..markup import Markup, element, join, note, table
from ..scatter import candidates as chart

OUTCOMES = {
    "Done": "", "Halved": "left out early", "OverBudget": "over budget",
    "Failed": "failed", "Skipped": "skipped",
}  # fmt: skip


def candidates(card: ModelCard) -> Markup:
    """The chart and the table."""
    if not card.trials:
        return Markup("")
    title = metric(card.metric) if card.metric else "score"
    drawn = chart(card.trials, title, card.budget.get("p95Microseconds"))
    costs = any(t.p95_microseconds is not None or t.size_bytes is not None for t in card.trials)
    head = ["", title, "±", *(["p95", "size"] if costs else []), "rows", "seconds", "outcome"]
    rows = [_row(trial, costs) for trial in card.trials]
    said = [f"{title} by cross-validation; ± is the deviation over the folds."]
    if drawn:
        said.append("A marker's area goes with the size of the model; faint ones were left out.")
    if card.why:
        said.append(f"Taken: {card.why.rstrip('.')}.")
    return join(
        [
            element("div", drawn, class_="charts") if drawn else "",
            table("Candidates in the order in which they were tried", head, rows, "wide told"),
            note(" ".join(said)),
        ]
    )


def _row(trial: CandidateTrial, costs: bool) -> tuple[object, ...]:
    told = [f"{key}={value}" for key, value in trial.params.items()]
    settings = ", ".join([*told, "from the champion's trees on"] if trial.goes_on else told)
    name = element("strong" if trial.chosen else "span", trial.kind)
    measured = (duration(trial.p95_microseconds), size(trial.size_bytes)) if costs else ()
    return (
        join([name, " ", element("code", settings)]) if settings else name,
        score(trial.mean),
        NOTHING if trial.deviation is None else number(trial.deviation, 2),
        *measured,
        f"{trial.rows:,}" if trial.rows else NOTHING,
        f"{trial.seconds:.1f}",
        _outcome(trial),
    )


def _outcome(trial: CandidateTrial) -> Markup:
    if trial.chosen:
        return element("span", "taken", class_="pill Kept")
    said = OUTCOMES[trial.status]
    pill = element("span", said, class_=f"pill {trial.status}") if said else Markup("")
    return join([pill, element("small", trial.problem, class_="why") if trial.problem else ""])
