"""Tree ensembles as arrays, and methods to cut them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

LEAF = "LEAF"


@dataclass(frozen=True)
class TreeEnsemble:
    """All nodes of all trees in their order. Children are indices of nodes."""

    tree: np.ndarray
    """Index of the tree of each node, in order of appearance. Shape (nodes,)."""
    left: np.ndarray
    """Child if the test is true; -1 for leaves."""
    right: np.ndarray
    """Child if the test is false; -1 for leaves."""
    feature: np.ndarray
    limit: np.ndarray
    """Threshold of the test, float32."""
    mode: np.ndarray
    """Kind of the test, such as BRANCH_LEQ, or LEAF."""
    missing: np.ndarray
    """The test is true for NaN."""
    weight: np.ndarray
    """Value that a leaf adds to each class or target of ``ids``.

    Shape (nodes, ids), float64.
    """
    ids: np.ndarray
    """Classes or targets, ascending."""

    @property
    def count(self) -> int:
        """Number of trees."""
        return int(self.tree.max(initial=-1)) + 1

    @property
    def is_leaf(self) -> np.ndarray:
        return np.asarray(self.left < 0)

    @property
    def roots(self) -> np.ndarray:
        """Indices of the nodes without a parent, one for each tree."""
        below = np.zeros(len(self.tree), bool)
        inner = ~self.is_leaf
        below[self.left[inner]] = below[self.right[inner]] = True
        return np.flatnonzero(~below)

    def levels(self) -> list[np.ndarray]:
        """Return the indices of the nodes of each depth, from the roots down."""
        found = [self.roots]
        while True:
            inner = found[-1][~self.is_leaf[found[-1]]]
            if not inner.size:
                return found
            found.append(np.sort(np.concatenate([self.left[inner], self.right[inner]])))

    def tidied(self) -> "TreeEnsemble":
        """Merge leaves that are equal and have the same parent, which changes no output."""
        leaf, weight = self.is_leaf, self.weight.copy()
        left, right = self.left.copy(), self.right.copy()
        for level in reversed(self.levels()):
            inner = level[~leaf[level]]
            both = inner[leaf[left[inner]] & leaf[right[inner]]]
            equal = both[(weight[left[both]] == weight[right[both]]).all(axis=1)]
            weight[equal] = weight[left[equal]]
            leaf[equal], left[equal], right[equal] = True, -1, -1
        return replace(self, left=left, right=right, weight=weight)._from(self.roots)

    def fewer(self, share: float) -> "TreeEnsemble":
        """Return the first trees; if each adds to one class, the first of every class."""
        adds_to = np.zeros((self.count, len(self.ids)), bool)
        np.logical_or.at(adds_to, self.tree, self.weight != 0)
        single = np.where(adds_to.sum(axis=1) == 1, adds_to.argmax(axis=1), -1)
        kept: list[int] = []
        for group in np.unique(single):
            members = np.flatnonzero(single == group)
            kept += members[: max(1, round(share * len(members)))].tolist()
        return self._select(np.isin(self.tree, kept))

    def scaled(self, factor: float) -> "TreeEnsemble":
        """Multiply the values of all leaves."""
        return replace(self, weight=self.weight * factor)

    def shallower(self, depth: int, counts: np.ndarray) -> "TreeEnsemble":
        """Replace the nodes at this depth by the means of their leaves.

        Args:
            depth: depth of the deepest leaf; a root has 0.
            counts: rows at each node, the weights of the mean; shape (nodes,).
        """
        mean, levels = self.weight.copy(), self.levels()
        for level in reversed(levels):
            inner = level[~self.is_leaf[level]]
            left, right = self.left[inner], self.right[inner]
            whole = np.maximum(counts[left] + counts[right], 1)
            share = np.where(counts[left] + counts[right] > 0, counts[left] / whole, 0.5)[:, None]
            mean[inner] = mean[left] * share + mean[right] * (1 - share)
        if len(levels) <= depth + 1:
            return self
        cut = levels[depth][~self.is_leaf[levels[depth]]]
        left, right, weight = self.left.copy(), self.right.copy(), self.weight.copy()
        left[cut], right[cut], weight[cut] = -1, -1, mean[cut]
        return replace(self, left=left, right=right, weight=weight)._from(self.roots)

    def passed(self, rows: np.ndarray) -> np.ndarray:
        """Count the rows at each node, shape (nodes,), for rows of (rows, features)."""
        return np.asarray(sum(np.bincount(at, minlength=len(self.tree)) for at in self._walk(rows)))

    def sums(self, rows: np.ndarray) -> np.ndarray:
        """Return the sums of all trees for rows, shape (rows, ids)."""
        at = np.broadcast_to(self.roots, (len(rows), self.count)).copy()
        while not self.is_leaf[at].all():
            at = self._step(rows, at)
        return np.asarray(sum(self.weight[at[:, tree]] for tree in range(self.count)))

    def _walk(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the nodes of the rows step by step, each leaf once."""
        at = np.broadcast_to(self.roots, (len(rows), self.count)).copy()
        moving = np.ones_like(at, bool)
        while moving.any():
            yield at[moving]
            moving &= ~self.is_leaf[at]
            at = self._step(rows, at)

    def _step(self, rows: np.ndarray, at: np.ndarray) -> np.ndarray:
        value = rows[np.arange(len(rows))[:, None], self.feature[at]]
        holds = _holds(value, self.limit[at], self.mode[at], self.missing[at])
        return np.where(self.is_leaf[at], at, np.where(holds, self.left[at], self.right[at]))

    def _from(self, roots: np.ndarray) -> "TreeEnsemble":
        """Return the trees without nodes that cannot be reached from these roots."""
        kept, level = np.zeros(len(self.tree), bool), roots
        while level.size:
            kept[level] = True
            inner = level[~self.is_leaf[level]]
            level = np.concatenate([self.left[inner], self.right[inner]])
        return self._select(kept)

    def _select(self, kept: np.ndarray) -> "TreeEnsemble":
        position = np.cumsum(kept) - 1
        left, right = self.left[kept], self.right[kept]
        return TreeEnsemble(
            tree=np.unique(self.tree[kept], return_inverse=True)[1],
            left=np.where(left < 0, -1, position[left]),
            right=np.where(right < 0, -1, position[right]),
            feature=self.feature[kept],
            limit=self.limit[kept],
            mode=self.mode[kept],
            missing=self.missing[kept],
            weight=self.weight[kept],
            ids=self.ids,
        )


def _holds(
    value: np.ndarray, limit: np.ndarray, mode: np.ndarray, missing: np.ndarray
) -> np.ndarray:
    tests = {
        "BRANCH_LEQ": np.less_equal, "BRANCH_LT": np.less, "BRANCH_GTE": np.greater_equal,
        "BRANCH_GT": np.greater, "BRANCH_EQ": np.equal, "BRANCH_NEQ": np.not_equal,
    }  # fmt: skip
    holds = np.zeros(value.shape, bool)
    for name in np.unique(mode):
        if name in tests:
            holds = np.where(mode == name, tests[str(name)](value, limit), holds)
    return np.asarray(holds | (missing & np.isnan(value)))
