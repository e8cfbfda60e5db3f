"""
Influence in a Gaussian mixture, mapped
=======================================

Which training rows make a point likely under a mixture? Those near it, one would say. For a mixture that is not the
whole answer: a row moves the mean and the variance of its component, and so acts on everything that the component
covers.
"""

# %%
# Two measurements of 150 irises, three components. Influence of row i on a point is the log-density of the point
# with the row minus that without it. It is computed here from 150 refits, and from one fit by an influence
# function.

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from sklearn.datasets import load_iris

from skmem.density import GaussianMixture
from skmem.influence import InfluenceFunction, leave_one_out_influence

X = load_iris().data[:, [0, 2]]
mixture = GaussianMixture(3, random_state=0).fit(X)
points = np.array([[5.0, 1.5], [7.4, 6.3]])
exact = leave_one_out_influence(mixture, X, points)
approximate = InfluenceFunction(mixture).fit(X).influence(points)

# %%
# Upward triangles, in orange, are proponents: they make the star likelier. Downward ones, in blue, are opponents.
# The colours are at their strongest at the ten strongest rows of each star.

COLOURS = LinearSegmentedColormap.from_list("", ["#0072B2", "#eeeeee", "#E69F00"])

figure, axes = plt.subplots(1, 2, figsize=(9.5, 4), sharey=True, layout="constrained")
grid = np.stack(np.meshgrid(np.linspace(4, 8.2, 120), np.linspace(0.5, 7.5, 120)), axis=-1)
log_density = mixture.score_samples(grid.reshape(-1, 2)).reshape(120, 120)
for ax, point, influence in zip(axes, points, exact.T, strict=True):
    ax.contour(
        *np.moveaxis(grid, 2, 0), log_density, np.arange(-8, 0), colors="#bbbbbb", linewidths=0.7
    )
    limit = np.sort(np.abs(influence))[-10]
    for marker, rows in (("^", influence > 0), ("v", influence < 0)):
        style = {"cmap": COLOURS, "vmin": -limit, "vmax": limit, "s": 36, "linewidths": 0.3}
        ax.scatter(*X[rows].T, c=influence[rows], marker=marker, edgecolors="black", **style)
    ax.plot(*point, "*", color="#D55E00", markersize=17, markeredgecolor="black")
    ax.set(
        xlabel="sepal length (cm)",
        title=f"from {influence.min():.2f} to {influence.max():+.2f} nats",
    )
axes[0].set_ylabel("petal length (cm)")
plt.show()

for name, one, other in zip(("centre", "edge"), exact.T, approximate.T, strict=True):
    print(
        f"{name}: the influence function correlates with refits by {np.corrcoef(one, other)[0, 1]:.3f}"
    )

# %%
# Left, rows on the rim of the component are opponents of its centre: they widen it. Right, rows far along the
# long axis are proponents of a point at its end, and the strongest opponent lies off that axis, nearer to the
# star than many of them. In both, the other component is indifferent. What counts is where a row lies in its
# component, not how near it is to the point.
