"""Models of a table, as MLflow saves scikit-learn, XGBoost and LightGBM."""

import sys
from pathlib import Path

import lightgbm
import mlflow
import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = Path(sys.argv[1])
x, y = load_breast_cancer(return_X_y=True, as_frame=True)
x = x.astype("float32")
mlflow.sklearn.save_model(
    make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y),
    folder / "mlflow-sklearn",
    serialization_format="skops",
    input_example=x.head(20),
)
mlflow.xgboost.save_model(
    xgboost.XGBClassifier(n_estimators=50).fit(x, y), folder / "mlflow-xgboost"
)
data = lightgbm.Dataset(x, y)
mlflow.lightgbm.save_model(
    lightgbm.train({"objective": "binary", "verbose": -1}, data, 50), folder / "mlflow-lightgbm"
)
