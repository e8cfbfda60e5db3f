"""
Mislabelled digits
==================

A wrong label can be learnt only by heart. So one might look for wrong labels among the most memorized rows. Whether
they are there depends on the classifier: one that is too stiff to memorize them still doubts them.
"""

# %%
# One label in twenty is replaced by another. ``find_label_issues`` cross-fits a logistic regression, 25 fits, and
# ranks rows by the log-odds of another label, with and without the row.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmem.memorization import find_label_issues

X, truth = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
is_wrong = rng.random(len(X)) < 0.05
y = np.where(is_wrong, (truth + rng.integers(1, 10, len(X))) % 10, truth)

classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200))
issues = find_label_issues(classifier, X, y, random_state=0)
print(issues)

# %%
# How many wrong labels are found by looking through the first rows of a ranking? The other rankings are
# memorization alone, and the held-out loss of the label as it is given.

given = issues.probability_out[np.arange(len(y)), y]
rankings = {
    "log-odds, with and without": (issues.log_odds, "-", "#E69F00"),
    "held-out loss": (-np.log(given), "--", "#0072B2"),
    "memorization": (issues.memorization, ":", "#666666"),
}
figure = plt.figure(figsize=(9.5, 3.7), layout="constrained")
left, right = figure.subfigures(1, 2)
ax = left.subplots()
for name, (ranking, style, colour) in rankings.items():
    found = np.cumsum(is_wrong[np.argsort(-ranking)]) / is_wrong.sum()
    ax.plot(np.arange(1, len(y) + 1)[:400], found[:400], style, color=colour, label=name)
ax.axvline(is_wrong.sum(), color="#999999", linewidth=0.8)
ax.set(
    xlabel=f"rows looked at (wrong: {is_wrong.sum()})",
    ylabel="share of wrong labels found",
    ylim=(0, 1.03),
)
ax.legend(frameon=False, fontsize=9, loc="center right")

atypical, _ = issues.top(5, kind="atypical")
mislabelled, _ = issues.top(5)
for i, (name, rows) in enumerate((("mislabelled", mislabelled), ("atypical", atypical))):
    for j, row in enumerate(rows):
        image = right.add_subplot(2, 5, 5 * i + j + 1)
        image.imshow(X[row].reshape(8, 8), cmap="gray_r")
        image.set_title(f"given {y[row]}", fontsize=9)
        image.set(xticks=[], yticks=[], ylabel=name if j == 0 else "")
plt.show()

# %%
# Looking through as many rows as are wrong finds more than nine tenths of them by the log-odds or by the held-out
# loss, which do equally well here, and hardly any by memorization: this classifier does not take the wrong labels
# in. What it memorizes, on the right below, are rare digits with right labels. Memorization tells what the model
# learnt by heart, not what is wrong; the two questions have two rankings.
