"""
Copies hide each other
======================

A row that is there twice is not missed when one of the two goes: its twin stands in for it. So copies have low
memorization scores, though the model has seen their content twice. Scores of groups that leave together see through
this.
"""

# %%
# The twenty most memorized of 600 digits are planted a second time, with a little noise. ``find_duplicates``
# finds the pairs, and its labels are the groups.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skmem import MemorizationScorer
from skmem.copying import find_duplicates
from skmem.density import KernelDensity

X = load_digits().data[:600]
density = KernelDensity(bandwidth=2.5)
before = MemorizationScorer(density).fit(X)
copied, _ = before.top(20)

noise = np.random.default_rng(0).normal(scale=0.1, size=(20, X.shape[1]))
doubled = np.concatenate([X, X[copied] + noise])
groups = find_duplicates(doubled, threshold=2.0).labels
scorer = MemorizationScorer(density).fit(doubled, groups=groups)

# %%
# ``row_memorization_`` is the score of a row that leaves alone, ``memorization_`` that of a row whose group
# leaves.

figure, axes = plt.subplots(
    1, 2, figsize=(9.5, 3.9), sharex=True, sharey=True, layout="constrained"
)
is_copied = np.isin(np.arange(len(X)), copied)
shown = {"leaving alone": scorer.row_memorization_, "leaving with its copy": scorer.memorization_}
for ax, (name, scores) in zip(axes, shown.items(), strict=True):
    ax.axline((0, 0), slope=1, color="#999999", linewidth=0.8)
    for rows, marker, colour, label in (
        (~is_copied, "o", "#0072B2", "digits that are there once"),
        (is_copied, "D", "#E69F00", "digits that are there twice"),
    ):
        style = {"marker": marker, "color": colour, "edgecolors": "black", "linewidths": 0.3}
        ax.scatter(before.memorization_[rows], scores[: len(X)][rows], s=22, label=label, **style)
    ax.set(xlabel="memorization before there were copies (nats)", title=name)
axes[0].set_ylabel("memorization with the copies (nats)")
axes[0].legend(frameon=False, fontsize=9)
plt.show()

# %%
# The twenty digits that stood out most fall to log 2 nats, the least of all, once each is there twice, and are
# back in their places when each leaves with its copy. Look for duplicates before you trust a low score.
