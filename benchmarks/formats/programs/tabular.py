"""Models of a table (breast cancer), as their frameworks save them."""

import sys
from pathlib import Path

import lightgbm
import skops.io
import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

from perennial_trainer import conversion as formats

folder = Path(sys.argv[1])
x, y = load_breast_cancer(return_X_y=True)
x = x.astype("float32")
forest = RandomForestClassifier(50, random_state=0).fit(x, y)
skops.io.dump(forest, folder / "forest.skops")
xgboost.XGBClassifier(n_estimators=50).fit(x, y).save_model(folder / "xgboost.json")
data = lightgbm.Dataset(x, y)
lightgbm.train({"objective": "binary", "verbose": -1}, data, 50).save_model(folder / "lightgbm.txt")
converted = formats.convert(folder / "forest.skops", None, formats.ConvertOptions())
(folder / "forest.onnx").write_bytes(converted.model)
