"""The result as a termination message, of which the kubelet keeps 4096 bytes."""

from perennial_contracts.wire.run_plan import TrainingResult

MOST_BYTES = 4096


def fit_message(result: TrainingResult) -> TrainingResult:
    """The result, with as many comparisons as there is room for, and then as much of its message.

    The gate's metric comes first among the comparisons, so it is the last to go.
    """
    while _size(result) > MOST_BYTES and len(result.comparisons) > 2:
        result = result.model_copy(update={"comparisons": result.comparisons[:-1]})
    while _size(result) > MOST_BYTES and result.message:
        shorter = result.message[: len(result.message) * 3 // 4]
        result = result.model_copy(update={"message": shorter})
    return result


def _size(result: TrainingResult) -> int:
    return len(result.to_text().encode())
