"""
The digits that a density memorizes
===================================

A kernel density holds on to every row that it was fitted to, and most to rows that no other row stands in for. Are
these the rows that a reader would call atypical?
"""

# %%
# The bandwidth is the one of the highest leave-one-out likelihood, so that this is the kernel density that
# generalises best. Leave-one-out memorization is exact here: the log-density of each digit with it minus that
# without it, in nats.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from skmem import MemorizationScorer
from skmem.density import KernelDensity

X, y = load_digits(return_X_y=True)
scorer = MemorizationScorer(KernelDensity(bandwidth="loo")).fit(X)
order = np.argsort(-scorer.memorization_)

# %%
# The ten highest scores, and ten from the middle. :class:`~skmem.inspection.MemorizationDisplay` draws the first
# line in one call.

figure, axes = plt.subplots(2, 10, figsize=(10, 2.9), layout="constrained")
middle = order[len(order) // 2 :][:10]
for ax, row in zip(axes.flat, [*order[:10], *middle], strict=True):
    ax.imshow(X[row].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"a {y[row]}: {scorer.memorization_[row]:.0f}", fontsize=10)
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("highest", fontsize=10)
axes[1, 0].set_ylabel("middle", fontsize=10)
figure.suptitle("memorization in nats", fontsize=10)
plt.show()

# %%
# The density knows no labels. So labels can judge: how often is the digit nearest to a row another digit than the
# row?

nearest = NearestNeighbors(n_neighbors=1).fit(X).kneighbors(return_distance=False)[:, 0]
is_alone = y[nearest] != y
top = order[: len(X) // 20]
rest = order[len(X) // 20 :]
print(f"5 % most memorized: {is_alone[top].mean():.1%}; all others: {is_alone[rest].mean():.1%}")

# %%
# The digits at the top are written in an unusual way, and they lie next to a digit of another class seventeen
# times as often as the others do: what a density memorizes is what is atypical.
