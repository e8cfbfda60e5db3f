"""
An audit of a synthetic table
=============================

A table of patients was made by a generator. Does it copy the patients that the generator was trained on? Two
generators are put to the same audit: one that draws from a fitted density, and one that hands on some of its rows with
a little noise. Held-out patients say what is normal.
"""

# %%
# Of the breast cancer table, ten columns, 284 rows train the generators and 284 are held out. The first generator
# is a mixture of three Gaussians. The second makes the same rows, except that 30 of them are training rows, each
# value with noise of 1 % of a standard deviation.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from skmem.copying import audit_copying
from skmem.density import GaussianMixture

X = StandardScaler().fit_transform(load_breast_cancer().data[:, :10])
rng = np.random.default_rng(0)
rows = rng.permutation(len(X))
X_train, X_holdout = X[rows[:284]], X[rows[284:568]]

honest, _ = GaussianMixture(3, random_state=0).fit(X_train).sample(284)
copier = honest.copy()
copier[:30] = X_train[:30] + 0.01 * rng.normal(size=(30, 10))

audits = {
    name: audit_copying(X_train, X_holdout, generated, random_state=0)
    for name, generated in (("honest", honest), ("copier", copier))
}
for name, audit in audits.items():
    print(f"{name}: {audit.verdict}")

# %%
# How near do generated rows come to a training row? A distance says nothing by itself, since some patients are
# like many others. So it is divided by the distance to the second-closest row, and beside it stand the held-out
# rows, which cannot be copies.

figure, axes = plt.subplots(
    1, 2, figsize=(9.5, 3.8), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, audit) in zip(axes, audits.items(), strict=True):
    records = audit.closest_records
    real = records.holdout_distances, records.holdout_ratios
    made, suspect = np.array([records.distances, records.ratios]), records.suspect
    ax.scatter(*real, s=16, color="#999999", marker="s", alpha=0.6, label="held out")
    ax.scatter(*made[:, ~suspect], s=14, color="#0072B2", alpha=0.8, label="generated")
    ax.scatter(
        *made[:, suspect], s=30, color="#E69F00", marker="D", edgecolors="black", label="suspect"
    )
    ax.set(
        xlabel="distance to the closest record",
        title=f"{name}: {suspect.sum()} suspect rows",
        xscale="log",
    )
axes[0].set_ylabel("closest / second-closest")
axes[1].legend(frameon=False, fontsize=9)
plt.show()

print(f"all 30 copies among the suspects: {set(range(30)) <= set(np.flatnonzero(suspect))}")
print(f"nearer to training than to held-out rows: {records.share:.1%}, p = {records.p_value:.2f}")

# %%
# The thirty rows are found, no other row is accused, and the honest generator passes. A mean over all generated
# rows would not do: the share of rows nearer to training than to held-out rows is hardly raised by one row in
# ten.
