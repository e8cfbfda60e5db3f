"""A short rule for a set of rows: the best leaf of a shallow tree, in the features' own names and units."""

from dataclasses import dataclass

import numpy as np
from sklearn.tree import DecisionTreeClassifier


@dataclass(frozen=True)
class Rule:
    """Conditions on features, and how well they tell the rows from all others."""

    text: str
    recall: float
    precision: float


def find_rule(X, is_member, names, max_depth):
    """Rule of at most `max_depth` splits that tells the members from the other rows: the leaf of highest F1."""
    tree = DecisionTreeClassifier(max_depth=max_depth, class_weight="balanced", random_state=0)
    tree.fit(X, is_member)
    leaf = tree.apply(X)
    n_matched, n_found = np.bincount(leaf), np.bincount(leaf, is_member)
    # F1 = 2 found / (matched + members), zero for inner nodes, which no row ends in.
    best = int(np.argmax(n_found / (n_matched + is_member.sum())))
    text = " and ".join(_conditions(tree.tree_, best, names, X)) or "any row"
    return Rule(text, n_found[best] / is_member.sum(), n_found[best] / n_matched[best])


def _conditions(tree, leaf, names, X):
    """The splits on the way to a leaf, those of one feature as one condition."""
    bounds, node = {}, leaf
    while node:
        left = np.flatnonzero(tree.children_left == node)
        parent = int(left[0] if left.size else np.flatnonzero(tree.children_right == node)[0])
        # From the leaf up: the first bound met on a side is the tightest.
        side = "at most" if left.size else "above"
        feature = tree.feature[parent]
        bound = _readable(tree.threshold[parent], X[:, feature])
        bounds.setdefault(feature, {}).setdefault(side, bound)
        node = parent
    return [_condition(names[feature], **sides) for feature, sides in sorted(bounds.items())]


def _condition(name, **bounds):
    above, at_most = map(bounds.get, ("above", "at most"))
    if above is None:
        return f"{name} <= {at_most}"
    return f"{name} > {above}" if at_most is None else f"{above} < {name} <= {at_most}"


def _readable(threshold, values):
    """The threshold in as few digits, from four, as split the `values` where it does."""
    # A tree compares rows of 32 bits.
    is_above = values.astype(np.float32) > threshold
    low, high = values[~is_above].max(), values[is_above].min()
    texts = [f"{threshold:.{n_digits}g}" for n_digits in range(4, 18)]
    return next((text for text in texts if low <= float(text) < high), repr(float(low)))
