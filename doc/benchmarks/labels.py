"""Rank rows by how likely their label is wrong: find_label_issues against cleanlab, 5 % of labels flipped.

ROC-AUC of finding the flipped labels, over seeds of flips and folds, as a mean difference with its 95 % interval.
cleanlab gets the same out-of-sample probabilities; the best of its three rankings is taken for each data set and
classifier, which favours it. No times are compared.
"""

import numpy as np
from scipy.stats import t
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from doc.benchmarks._common import arguments, show
from doc.benchmarks._timing import Line
from skmem.memorization import find_label_issues

NO_CLEANLAB = (
    "cleanlab is not installed: its formulas for self-confidence and margin stand in for it."
)
N_SEEDS = 10
CLASSIFIERS = {
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    "random forest": RandomForestClassifier(100, random_state=0),
}


def flipped(labels, seed, share=0.05):
    """Labels of which a share is replaced by another, and which those are."""
    rng = np.random.default_rng(seed)
    is_flipped = rng.random(len(labels)) < share
    is_flipped[rng.integers(len(labels))] = True
    shift = rng.integers(1, labels.max() + 1, len(labels))
    return np.where(is_flipped, (labels + shift) % (labels.max() + 1), labels), is_flipped


def others(labels, probabilities):
    """cleanlab's rankings, {name: (n_samples,)}, higher being more suspect."""
    try:
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        own = probabilities[np.arange(len(labels)), labels]
        rest = probabilities.copy()
        rest[np.arange(len(labels)), labels] = -1
        return {"self_confidence": -own, "normalized_margin": rest.max(axis=1) - own}
    methods = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
    return {m: -get_label_quality_scores(labels, probabilities, method=m) for m in methods}


def areas(X, clean, classifier, seed, options):
    """ROC-AUC of ours and of each of theirs."""
    y, is_flipped = flipped(clean, seed)
    issues = find_label_issues(classifier, X, y, random_state=seed, **options)
    rankings = {"skmem": issues.log_odds} | others(y, issues.probability_out)
    # A log-odds of infinity is a rank like any other.
    finite = {name: np.nan_to_num(r, posinf=1e9, neginf=-1e9) for name, r in rankings.items()}
    return {name: roc_auc_score(is_flipped, ranking) for name, ranking in finite.items()}


def compare(case, X, clean, classifier, n_seeds, options):
    found = [areas(X, clean, classifier, seed, options) for seed in range(n_seeds)]
    table = {name: np.array([f[name] for f in found]) for name in found[0]}
    ours = table.pop("skmem")
    best = max(table, key=lambda name: table[name].mean())
    difference = ours - table[best]
    error = t.ppf(0.975, n_seeds - 1) * difference.std(ddof=1) / np.sqrt(n_seeds)
    return Line(
        case,
        f"{ours.mean():.4f}",
        f"{table[best].mean():.4f} ({best})",
        f"{difference.mean():+.4f} +- {error:.4f}",
        ">= 0, within the interval",
        bool(difference.mean() + error >= 0),
    )


def main(argv=None):
    args = arguments(argv, __doc__)
    options = {"cv": 3, "n_repeats": 1} if args.quick else {"n_jobs": -1}
    n_seeds, lines = 2 if args.quick else N_SEEDS, []
    for load in (load_wine, load_breast_cancer, load_digits):
        X, clean = load(return_X_y=True)
        rows = np.random.default_rng(0).permutation(len(X))[: 150 if args.quick else None]
        for name, classifier in CLASSIFIERS.items():
            if args.quick and name == "random forest":
                continue
            case = f"{load.__name__[5:]}, {name}"
            lines.append(compare(case, X[rows], clean[rows], classifier, n_seeds, options))
    show(__doc__, lines, args, notes=[] if _has_cleanlab() else [NO_CLEANLAB])


def _has_cleanlab():
    try:
        import cleanlab  # noqa: F401
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    main()
