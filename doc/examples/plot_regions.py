"""
Regions that need data
======================

A row is memorized where few others stand in for it. So memorization should tell where to collect more rows, and rows
collected there should help more than rows collected anywhere. Held-back rows can test this.
"""

# %%
# Two measurements of 569 tumours, standardised. The density knows 250 of them; the others play what could be
# collected.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from skmem import MemorizationScorer
from skmem.density import KernelDensity
from skmem.memorization import MemorizedRegions

frame = load_breast_cancer(as_frame=True).data[["mean texture", "mean concave points"]]
X = StandardScaler().fit_transform(frame)
rows = np.random.default_rng(1).permutation(len(X))
X_known, X_collectable = X[rows[:250]], X[rows[250:]]

scorer = MemorizationScorer(KernelDensity(bandwidth="loo")).fit(X_known)
regions = MemorizedRegions(quantile=0.85).fit(X_known, scorer)
region = regions.regions_[0]
print(region)

# %%
# Rows are added at the bandwidth that there was: those that fall into the box around the region, and as many from
# anywhere. What counts is the median score of the region's rows.

box = X_known[region.rows]
is_inside = ((X_collectable >= box.min(axis=0)) & (X_collectable <= box.max(axis=0))).all(axis=1)
inside = np.flatnonzero(is_inside)
density = KernelDensity(bandwidth=scorer.estimator_.bandwidth_)


def median_with(new):
    known = np.concatenate([X_known, X_collectable[new]])
    return np.median(MemorizationScorer(density).fit(known).memorization_[region.rows])


n_added = np.arange(len(inside) + 1)
there = [median_with(inside[:n]) for n in n_added]
anywhere = [median_with(np.arange(n)) for n in n_added]

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9), layout="constrained")
left.scatter(*X_known.T, s=14, color="#bbbbbb", label="known")
left.scatter(
    *X_known[regions.is_memorized_].T, s=22, color="#0072B2", marker="s", label="memorized"
)
left.scatter(*box.T, s=34, color="#E69F00", marker="D", edgecolors="black", label="the region")
left.scatter(*X_collectable[inside].T, s=30, color="black", marker="+", label="added there")
left.set(xlabel="mean texture (SD)", ylabel="mean concave points (SD)")
left.legend(frameon=False, fontsize=9)
right.plot(n_added, anywhere, "s--", color="#666666", label="rows from anywhere")
right.plot(n_added, there, "o-", color="#E69F00", label="rows in the region")
right.axhline(regions.threshold_, color="#D55E00", linestyle=":", label="threshold")
right.set(xlabel="rows added", ylabel="median memorization there (nats)", ylim=(0, None))
right.legend(frameon=False, fontsize=9)
plt.show()

# %%
# The region was said to need 19 rows to come down to the threshold. There are 14 to be had, and they do it
# already; as many rows from anywhere leave the scores where they were. The estimate is rough, and the place is
# right.
