"""
Why your KDE bandwidth search may be wrong
==========================================

The usual search for a bandwidth fits scikit-learn's ``KernelDensity`` within a ``GridSearchCV``. The search compares
log-densities of held-out rows. In many dimensions these are wrong by default.
"""

# %%
# 900 digits, 64 pixels each, five folds. One candidate is scikit-learn's class as it comes. In another its tree
# has one leaf, so that it must sum over all rows. The third is the class of this package, which always does.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KernelDensity as TreeDensity

from skmem.density import KernelDensity

X = load_digits().data[:900]
bandwidths = np.geomspace(0.5, 4, 25)
folds = KFold(5, shuffle=True, random_state=0)


def held_out(density):
    """Mean log-density of held-out rows, nats a row, for each bandwidth."""
    found = (
        cross_val_score(density.set_params(bandwidth=h), X, cv=folds).mean() for h in bandwidths
    )
    return np.array(list(found)) / (len(X) / 5)  # `score` is a sum over the rows of a fold


curves = {
    "scikit-learn, by default": (held_out(TreeDensity()), "s--", "#D55E00"),
    "scikit-learn, one leaf": (held_out(TreeDensity(leaf_size=len(X))), "o", "#E69F00"),
    "skmem": (held_out(KernelDensity()), "-", "#0072B2"),
}

# %%
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, (nats, style, colour) in curves.items():
    best = bandwidths[nats.argmax()]
    ax.plot(bandwidths, nats, style, color=colour, markersize=5, label=f"{name}: best {best:.2f}")
    ax.axvline(best, color=colour, linewidth=0.8, linestyle=":")
ax.set(
    xscale="log", ylim=(-400, -110), xlabel="bandwidth", ylabel="held-out log-density (nats a row)"
)
ax.set_xticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
ax.minorticks_off()
ax.legend(frameon=False)
plt.show()

# %%
# How wrong is a single row?

train, test = next(folds.split(X))
for h in (1.0, 2.0):
    tree = TreeDensity(bandwidth=h).fit(X[train])
    exact = KernelDensity(bandwidth=h).fit(X[train])
    for name, rows in (("training", X[train]), ("held-out", X[test])):
        error = tree.score_samples(rows) - exact.score_samples(rows)
        wrong = np.mean(np.abs(error) > 1e-3)
        print(
            f"h = {h}, {name} rows: {wrong:.0%} wrong, from {error.min():.0f} to {error.max():+.0f} nats"
        )

# %%
# Training rows are right, so nothing looks amiss. Of the held-out rows about half are wrong, and most of these
# too likely, the more so the smaller the bandwidth. So the search settles on a bandwidth that is nearly half of
# the right one: the model that memorizes more. A tree of one leaf mends it, at the price of the tree.
