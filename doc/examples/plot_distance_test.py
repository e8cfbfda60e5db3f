"""
The distance test that misses memorization
==========================================

A usual check of a generative model compares distances: is a generated row nearer to a training row than every held-out
row is? If the model had memorized its training rows, the share of such training rows should be above one half. Here is
a model that has, and the share is not.
"""

# %%
# A mixture of twenty full Gaussians is fitted to 600 digits in eight principal components. As many digits are
# held out, and as many rows are drawn from the mixture. Memorization comes from 50 fits: ten folds, five times.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skmem import MemorizationScorer
from skmem.copying import nearest_neighbor_distance_ratio
from skmem.density import GaussianMixture

X = PCA(8, random_state=0).fit_transform(load_digits().data)
rows = np.random.default_rng(0).permutation(len(X))
X_train, X_holdout = X[rows[:600]], X[rows[600:1200]]

mixture = GaussianMixture(20, reg_covar=0.01, random_state=0)
scorer = MemorizationScorer(mixture, method="cross-fit", n_repeats=5, random_state=0).fit(X_train)
X_generated, _ = scorer.estimator_.sample(600)
test = nearest_neighbor_distance_ratio(X_train, X_holdout, X_generated, random_state=0)
print(test)

# %%
# The noise floor is the score that one row in twenty would exceed if no row had an effect. If the distance test
# saw what the scores see, the points on the right would rise to the right.

floor = scorer.noise_floor_[0.95]
above = np.mean(scorer.memorization_ > floor)
correlation = spearmanr(scorer.memorization_, test.ratios).statistic

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.hist(scorer.memorization_, bins=40, color="#0072B2")
left.axvline(floor, color="#D55E00", linestyle="--", label=f"noise floor, {floor:.1f} nats")
left.set(
    xlabel="memorization (nats)", ylabel="training rows", title=f"{above:.0%} above the floor"
)
left.legend(frameon=False)
right.scatter(scorer.memorization_, test.ratios, s=10, color="#0072B2", alpha=0.6, linewidths=0)
right.axhline(1, color="#666666", linestyle=":")
right.set(
    xlabel="memorization (nats)",
    ylabel="distance to held-out / to generated",
    title=f"{test.share:.0%} above 1; rank correlation {correlation:.2f}",
)
plt.show()

# %%
# A model can hold on to a row without drawing anything near it. The mixture finds rows up to e^27 times as likely
# for having seen them, and the distance test, which looks at samples alone, gives what it gives for real rows: it
# tests copying, and a pass says nothing of memorization.
