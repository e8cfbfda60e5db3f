"""
Which scaler suits a kernel density?
====================================

A kernel density has one bandwidth for all columns, so columns are scaled first. Two scalers are compared here on rows
whose true density is known: a scaler for skewed columns, and one that only moves the columns into [0, 1].

In theory no model of the density is likelier on held-out rows than the true one, on average, and a log-normal column
becomes normal by its logarithm, so that :class:`~sklearn.preprocessing.PowerTransformer` should win. A Pipeline says
the opposite, and claims more than the truth allows. :class:`~skmem.density.TransformedDensity` gets both right.
"""

# %%
# Rows of known density
# ---------------------
# Four log-normal columns, skewed and of very different units.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import lognorm
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PowerTransformer

from skmem.density import KernelDensity, TransformedDensity

UNITS = np.array([1e-2, 1.0, 10.0, 1e3])
true_density = lognorm(s=0.9, scale=UNITS)
X = true_density.rvs(size=(500, 4), random_state=0)
log_true = true_density.logpdf(X).sum(axis=1)
print(f"the truth: {log_true.mean():.2f} nats a row")

# %%
# Pipelines are scored in the space of their last step
# ----------------------------------------------------
# The density of a Pipeline is one of the *scaled* rows, per unit of scaled volume. MinMaxScaler divides by the largest
# value, so there is little volume and the density is high, whatever the model is worth.

SCALERS = {"MinMaxScaler": MinMaxScaler(), "PowerTransformer": PowerTransformer()}
FOLDS = KFold(5, shuffle=True, random_state=0)
density = KernelDensity(bandwidth="loo")


def mean_log_density(estimator, X, y=None):
    return np.mean(estimator.score_samples(X))


def held_out(estimator):
    return cross_val_score(estimator, X, scoring=mean_log_density, cv=FOLDS)


piped = {name: held_out(make_pipeline(scaler, density)) for name, scaler in SCALERS.items()}
for name, scores in piped.items():
    print(f"{name:16s} in a Pipeline: {scores.mean():6.2f} nats a row")

# %%
# The change of variables brings them back
# ----------------------------------------
# TransformedDensity adds the logarithm of the determinant of the scaler's Jacobian matrix, so that all scores are
# per unit of volume of the rows as they came: they can be compared with one another, and with the truth.

changed = {name: held_out(TransformedDensity(scaler, density)) for name, scaler in SCALERS.items()}
for name, scores in changed.items():
    print(f"{name:16s} in a TransformedDensity: {scores.mean():6.2f} nats a row")

# %%
# The picture
# -----------
# Bars are means over five folds, with the standard deviation over folds. On the left MinMaxScaler seems to beat even
# the true density. On the right nothing does.

figure, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True, layout="constrained")
for ax, scores, title in zip(
    axes, (piped, changed), ("Pipeline", "TransformedDensity"), strict=True
):
    means, spreads = zip(*((s.mean(), s.std()) for s in scores.values()), strict=True)
    ax.bar(list(scores), means, yerr=spreads, color=["C1", "C0"])
    ax.axhline(log_true.mean(), color="k", linestyle="--", label="the true density")
    ax.set_title(title)
axes[0].set_ylabel("held-out log-density, nats a row")
axes[1].legend()
plt.show()

# %%
# A search chooses by the same numbers
# ------------------------------------
# The scaler is a parameter like any other. Over Pipelines the search takes the wrong one.

for estimator, name in (
    (make_pipeline(MinMaxScaler(), density), "minmaxscaler"),
    (TransformedDensity(MinMaxScaler(), density), "transformer"),
):
    grid = {name: list(SCALERS.values())}
    search = GridSearchCV(estimator, grid, scoring=mean_log_density, cv=FOLDS).fit(X)
    print(f"{type(estimator).__name__} chooses {search.best_params_[name]}")

# %%
# The Pipelines' bars pass the truth, which no density can do on average: their unit is not that of the rows. In one
# unit the order turns round, and the search with it.
