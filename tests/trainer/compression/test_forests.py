import functools

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier
from support import small_models

from perennial_trainer.compression import forests, tree_nodes
from perennial_trainer.compression.graph import TREES, parse
from perennial_trainer.compression.method import NotApplicableError
from perennial_trainer.compression.running import Session

ROWS, TRUTH = small_models.rings()
KINDS = {
    "forest": RandomForestClassifier(20, random_state=0),
    "boosted": HistGradientBoostingClassifier(max_iter=16, random_state=0),
    "slow": GradientBoostingClassifier(n_estimators=8, random_state=0),
    "tree": DecisionTreeClassifier(random_state=0),
    "numbers": RandomForestRegressor(20, random_state=0),
    "boosted numbers": HistGradientBoostingRegressor(max_iter=30, random_state=0),
}


@pytest.fixture(scope="module")
def models() -> dict[str, bytes]:
    return {name: small_models.trees(kind, ROWS, TRUTH) for name, kind in KINDS.items()}


def scores(model: bytes) -> np.ndarray:
    outputs = Session(model).run({"X": ROWS})
    return next(values for values in outputs.values() if values.dtype == np.float32)


def node(model: bytes) -> onnx.NodeProto:
    return next(node for node in parse(model).graph.node if node.op_type in TREES)


@functools.cache
def variants(model: bytes) -> dict[str, bytes]:
    samples = small_models.samples(ROWS, TRUTH)
    return {each.description: each.model for each in forests.make(parse(model), samples)}


@pytest.mark.parametrize("kind", KINDS)
def test_all_trees_without_redundant_nodes_have_the_same_outputs(models, kind):
    whole = next(model for text, model in variants(models[kind]).items() if "all" in text)
    before, after = Session(models[kind]), Session(whole)
    assert after.signature == before.signature
    wanted, same = before.run({"X": ROWS}), after.run({"X": ROWS})
    for name, values in wanted.items():
        np.testing.assert_allclose(same[name], values, rtol=1e-5, atol=1e-6)


def test_zeros_and_tests_without_effect_are_removed(models):
    whole = next(model for text, model in variants(models["forest"]).items() if "all" in text)
    assert len(whole) < 0.75 * len(models["forest"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_sums_of_trees_equal_those_of_onnx_runtime(models, kind):
    trees = tree_nodes.read(node(models[kind]))
    sums = trees.sums(ROWS)
    changed = {"boosted": "SOFTMAX", "slow": "SOFTMAX"}.get(kind)
    expected = scores(models[kind])
    base = np.array(
        next((list(a.floats) for a in node(models[kind]).attribute if a.name == "base_values"), 0.0)
    )
    sums = sums + base
    if changed:
        sums = np.exp(sums) / np.exp(sums).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(sums, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["forest", "numbers"])
def test_fewer_trees_of_a_forest_are_scaled_up_to_the_whole(models, kind):
    few = next(model for text, model in variants(models[kind]).items() if text == "10 of 20 trees")
    near, far = scores(few), scores(models[kind])
    assert np.abs(near - far).mean() < 0.25 * np.abs(far - far.mean(axis=0)).mean()
    if kind == "forest":
        np.testing.assert_allclose(near.sum(axis=1), 1, rtol=1e-5)


def test_fewer_boosted_trees_are_the_first_rounds_of_every_class(models):
    fewer = tree_nodes.read(node(models["boosted"])).fewer(0.5)
    shorter = HistGradientBoostingClassifier(max_iter=8, random_state=0)
    same = tree_nodes.read(node(small_models.trees(shorter, ROWS, TRUTH)))
    assert fewer.count == same.count == 24
    np.testing.assert_allclose(fewer.sums(ROWS), same.sums(ROWS), rtol=1e-6)


def test_a_shallower_tree_has_the_means_of_the_rows_at_its_leaves(models):
    trees = tree_nodes.read(node(models["tree"]))
    cut = trees.shallower(2, trees.passed(ROWS))
    assert len(cut.levels()) == 3
    shallow = DecisionTreeClassifier(random_state=0, max_depth=2).fit(ROWS, TRUTH)
    np.testing.assert_allclose(cut.sums(ROWS), shallow.predict_proba(ROWS), atol=1e-6)


def test_every_row_passes_the_root_and_ends_in_one_leaf(models):
    trees = tree_nodes.read(node(models["forest"]))
    passed = trees.passed(ROWS)
    assert (passed[trees.roots] == len(ROWS)).all()
    assert passed[trees.is_leaf].sum() == len(ROWS) * trees.count


def test_missing_values_follow_the_direction_of_the_model():
    rows = ROWS.copy()
    rows[::3, 0] = np.nan
    model = small_models.trees(HistGradientBoostingRegressor(max_iter=5), rows, TRUTH)
    trees = tree_nodes.read(node(model))
    base = next(list(a.floats) for a in node(model).attribute if a.name == "base_values")
    expected = Session(model).run({"X": rows})["variable"]
    np.testing.assert_allclose(trees.sums(rows) + base, expected, rtol=1e-4)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 12))
def test_reading_and_writing_changes_no_output(seed, depth, count):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(80, 3)).astype(np.float32)
    truth = random.integers(0, 3, 80)
    forest = RandomForestClassifier(count, max_depth=depth, random_state=seed)
    data = small_models.trees(forest, rows, truth)
    model = parse(data)
    tree_nodes.write(model.graph.node[0], tree_nodes.read(model.graph.node[0]).tidied())
    before, after = Session(data), Session(model.SerializeToString())
    for name, values in before.run({"X": rows}).items():
        np.testing.assert_allclose(after.run({"X": rows})[name], values, atol=1e-6)


def test_the_smallest_variant_comes_first(models):
    sizes = [len(model) for model in variants(models["forest"]).values()]
    assert sizes == sorted(sizes)
    assert len(sizes) > 4


def test_newer_operators_of_trees_are_not_applicable():
    made = onnx.helper.make_node("TreeEnsemble", ["X"], ["Y"], domain="ai.onnx.ml")
    with pytest.raises(NotApplicableError, match=r"ai\.onnx\.ml 3"):
        tree_nodes.read(made)
