"""A model card that fills every part of the report, and the text that must come out escaped."""

from perennial_contracts.wire.modelcard import (
    CandidateTrial,
    CompressionTrial,
    ConversionFacts,
    Curve,
    DataFacts,
    Evaluation,
    ModelCard,
    Score,
    Side,
    Slice,
)
from perennial_contracts.wire.profile import Distribution, Profile

HOSTILE = "<script>alert('x')</script>&\"\x00"


def full_card(said: str = "said", classes: int = 2) -> ModelCard:
    """A card with every part; ``said`` is in each text that comes from outside."""
    names = [f"{said}{index}" for index in range(classes)]
    matrix = [[20 if row == column else 1 for row in range(classes)] for column in range(classes)]
    curve = Curve(x=[0.0, 0.5, 1.0], y=[0.0, 0.9, 1.0], name=said)
    score = Score(metric="accuracy", value=0.9, low=0.85, high=0.95)
    return ModelCard(
        name=said,
        decision="Accepted",
        headline=f"Accepted: {said}",
        kind=said,
        evaluation=Evaluation(
            task="Classification",
            rows=sum(map(sum, matrix)),
            classes=names,
            positive=names[0],
            scores=[score, Score(metric=said, value=12345.6)],
            matrix=matrix,
            roc=[curve],
            precision_recall=[curve],
            calibration=[curve],
            residuals=Curve(x=[1.0, 2.0, 3.0], y=[1.1, 1.9, 3.3]),
            slices=[Slice(feature=said, value=said, rows=12, score=score)],
            dummy=[Score(metric="accuracy", value=0.5)],
        ),
        champion_matrix=matrix,
        comparisons=[
            Side(metric=metric, on=on, rows=9, champion=0.8, challenger=0.9, low=0.05, high=0.15)
            for metric in ("accuracy", "log_loss", said)
            for on in ("Recent", "Reference")
        ],
        metric="accuracy",
        why=said,
        trials=[
            CandidateTrial(
                kind=said, params={said: said}, mean=0.9, deviation=0.01, p95_microseconds=80.0,
                size_bytes=9000, chosen=True,
            ),
            CandidateTrial(kind=said, status="Failed", problem=said),
            CandidateTrial(kind=said, status="Halved", mean=0.7, p95_microseconds=20.0),
        ],
        compression=[
            CompressionTrial(method="Original", status="Original", size_bytes=9000, value=0.9),
            CompressionTrial(method=said, status="Refused", why=said, metric=said, control=0.8),
        ],
        conversion=ConversionFacts(format=said, converter=said, rows=9, max_difference=1e-7),
        data=DataFacts(
            digest=said, rows=900, label=said, labels={said: 9},
            columns=[{"name": said, said: said, "mean": 1.5}],
        ),
        size_bytes=9000,
        p95_microseconds=80.0,
        budget={"p95Microseconds": 100, "sizeBytes": 10_000},
        lineage={said: said},
        environment={said: said},
    )  # fmt: skip


def full_profile(said: str = "said", features: int = 2) -> Profile:
    """Numbers and categories by turns, a score and a label."""
    numbers = Distribution(name=said, edges=[0.1, 0.2, 0.4], counts=[5, 9, 7, 3, 1])
    texts = Distribution(name=said, categories=[said, "b"], counts=[5, 9, 7, 3])
    return Profile(
        rows=25,
        features=[
            (texts if index % 2 else numbers).model_copy(update={"name": f"{said}{index}"})
            for index in range(features)
        ],
        score=numbers,
        label=texts,
    )
