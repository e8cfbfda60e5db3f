"""
Likelihood and memorization as two objectives of optuna
=======================================================

A search by optuna asks for one number or for several. Here each trial is cross-fitted once, and gives two: the
held-out log-likelihood, which should be high, and the 0.95 quantile of memorization, which should be low. The study
ends with a Pareto front: the trials that no other beats in both.

optuna is not a dependency of skmem: ``pip install optuna``.
"""

# %%
# Two objectives from the same fits
# ---------------------------------
# A trial is a mixture of Gaussians with so many components, covariances of some shape, and something added to these.
# The columns stay the same in all trials: likelihoods of other columns could not be compared.

import warnings

import matplotlib.pyplot as plt
import numpy as np
import optuna
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning

from skmem import MemorizationScorer
from skmem.density import GaussianMixture

X = PCA(8, random_state=0).fit_transform(load_digits().data[:600])


def density(trial):
    return GaussianMixture(
        trial.suggest_int("n_components", 1, 12),
        covariance_type=trial.suggest_categorical("covariance_type", ["full", "tied", "diag"]),
        reg_covar=trial.suggest_float("reg_covar", 1e-2, 30.0, log=True),
        random_state=0,
    )


def objectives(trial):
    """Mean held-out log-density and the 0.95 quantile of memorization, both in nats."""
    scorer = MemorizationScorer(
        density(trial), method="cross-fit", cv=5, n_repeats=1, refit=False, random_state=0
    ).fit(X)
    return scorer.log_density_out_.mean(), np.quantile(scorer.memorization_, 0.95)


# %%
# The study
# ---------
# All trials have the same folds and seeds, so that they differ by their parameters alone.

optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(
    directions=["maximize", "minimize"], sampler=optuna.samplers.TPESampler(seed=0)
)
with warnings.catch_warnings():
    # Some mixtures need more steps than they are given; their scores count as they are.
    warnings.simplefilter("ignore", ConvergenceWarning)
    study.optimize(objectives, n_trials=25)

# %%
# The front
# ---------
# From the least to the most memorizing. Which of them to take is for the user to say: optuna has no rule for it, while
# :func:`skmem.model_selection.pareto_knee` and :func:`skmem.model_selection.memorization_below` are such rules.

front = sorted(study.best_trials, key=lambda trial: trial.values[1])
for trial in front:
    log_density, memorized = trial.values
    print(f"{log_density:7.2f} nats held out, {memorized:5.2f} nats memorized: {trial.params}")

figure, ax = plt.subplots(layout="constrained")
ax.scatter(*zip(*((t.values[1], t.values[0]) for t in study.trials), strict=True), c="0.7")
ax.plot([t.values[1] for t in front], [t.values[0] for t in front], "o-", label="Pareto front")
ax.set_xlabel("memorization, 0.95 quantile (nats)")
ax.set_ylabel("held-out log-density (nats a row)")
ax.legend()
plt.show()

# %%
# Along the front every nat of held-out likelihood is paid for with memorization, little at first and more and more.
# One number per trial would have hidden that there is a price.
