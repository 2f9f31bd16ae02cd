"""Model card with every part of the report, and a text that must be escaped."""

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


def full_card(text: str = "said", classes: int = 2) -> ModelCard:
    """Return a card with every part; ``text`` is in each text from outside."""
    names = [f"{text}{index}" for index in range(classes)]
    matrix = [[20 if row == column else 1 for row in range(classes)] for column in range(classes)]
    curve = Curve(x=[0.0, 0.5, 1.0], y=[0.0, 0.9, 1.0], name=text)
    score = Score(metric="accuracy", value=0.9, low=0.85, high=0.95)
    return ModelCard(
        name=text,
        decision="Accepted",
        headline=text,
        kind=text,
        evaluation=Evaluation(
            task="Classification",
            rows=sum(map(sum, matrix)),
            classes=names,
            positive=names[0],
            scores=[score, Score(metric=text, value=12345.6)],
            matrix=matrix,
            roc=[curve],
            precision_recall=[curve],
            calibration=[curve],
            residuals=Curve(x=[1.0, 2.0, 3.0], y=[1.1, 1.9, 3.3]),
            slices=[Slice(feature=text, value=text, rows=12, score=score)],
            dummy=[Score(metric="accuracy", value=0.5)],
        ),
        champion_matrix=matrix,
        comparisons=[
            Side(metric=metric, on=on, rows=9, champion=0.8, challenger=0.9, low=0.05, high=0.15)
            for metric in ("accuracy", "log_loss", text)
            for on in ("Recent", "Reference")
        ],
        metric="accuracy",
        why=text,
        trials=[
            CandidateTrial(
                kind=text, params={text: text}, mean=0.9, deviation=0.01, p95_microseconds=80.0,
                size_bytes=9000, chosen=True,
            ),
            CandidateTrial(kind=text, status="Failed", problem=text),
            CandidateTrial(kind=text, status="Halved", mean=0.7, p95_microseconds=20.0),
        ],
        compression=[
            CompressionTrial(method="Original", status="Original", size_bytes=9000, value=0.9),
            CompressionTrial(method=text, status="Refused", why=text, metric=text, control=0.8),
        ],
        conversion=ConversionFacts(format=text, converter=text, rows=9, max_difference=1e-7),
        data=DataFacts(
            digest=text, rows=900, label=text, labels={text: 9},
            columns=[{"name": text, text: text, "mean": 1.5}],
        ),
        size_bytes=9000,
        p95_microseconds=80.0,
        budget={"p95Microseconds": 100, "sizeBytes": 10_000},
        lineage={text: text},
        environment={text: text},
    )  # fmt: skip


def full_profile(text: str = "said", features: int = 2) -> Profile:
    """Return a profile: numbers and categories in turn, a score and a label."""
    numbers = Distribution(name=text, edges=[0.1, 0.2, 0.4], counts=[5, 9, 7, 3, 1])
    texts = Distribution(name=text, categories=[text, "b"], counts=[5, 9, 7, 3])
    return Profile(
        rows=25,
        features=[
            (texts if index % 2 else numbers).model_copy(update={"name": f"{text}{index}"})
            for index in range(features)
        ],
        score=numbers,
        label=texts,
    )
