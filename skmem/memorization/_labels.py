"""Which labels are likely wrong, which rows are ambiguous, and which are rare but right."""

from numbers import Integral, Real
from os import PathLike

import numpy as np
from sklearn.base import BaseEstimator, clone

from skmem._frames import describe_rows
from skmem._math import mean
from skmem._random import child_seeds
from skmem._sklearn import HasMethods, Interval, validate_params
from skmem.cross_fitting._cross_fit import fill_scores
from skmem.cross_fitting._fits import FitOptions
from skmem.cross_fitting._responses import resolve_response
from skmem.cross_fitting._sides import check_both_sides
from skmem.cross_fitting._splits import repeats_of, train_masks
from skmem.cross_fitting._warn import warn_of_useless_memory
from skmem.memorization._label_issues import judge_labels

_DEFAULT_REPEATS = 5


@validate_params(
    {
        "classifier": [HasMethods(["fit", "predict_proba"])],
        "cv": [Integral, HasMethods(["split"]), "cv_object"],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "margin": [Interval(Real, 0, 1, closed="both")],
        "threshold": [Interval(Real, 0, 1, closed="both")],
        "memory": [None, str, PathLike, HasMethods("cache")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "progress": ["boolean"],
    },
    prefer_skip_nested_validation=False,
)
def find_label_issues(
    classifier,
    X,
    y,
    *,
    cv=5,
    n_repeats=_DEFAULT_REPEATS,
    groups=None,
    margin=0.2,
    threshold=0.25,
    memory=None,
    n_jobs=None,
    random_state=None,
    progress=False,
):
    """Separate rows that are likely mislabelled from ambiguous and from rare but right ones.

    Log-odds in nats, memorization in probability; positive = another label is likelier than the given one, or the
    given one is memorized.

    Parameters
    ----------
    classifier : estimator object
        A classifier with `predict_proba`, or a Pipeline that ends in one. It is cloned.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,)
        Labels as given, some of them wrong.
    cv : int, splitter or iterable of (train, test) indices, default=5
        An int is shuffled K-fold, stratified by `y` and repeated; a splitter is used as it stands.
    n_repeats : int, default=5
        Repeats of the K-fold of an int `cv`. With a splitter it must be 1 or left alone.
    groups : array-like of shape (n_samples,), default=None
        Groups of rows, such as copies of one another, each to be held out as a whole.
    margin : float, default=0.2
        A row is ambiguous, not mislabelled, if its two likeliest labels out of sample differ by less in probability.
    threshold : float, default=0.25
        A row is atypical if its memorization is at least this.
    memory : str, path, joblib.Memory or None, default=None
        Cache of finished fits, from which a run that was stopped resumes; it needs a fixed `random_state`.
    n_jobs : int or None, default=None
        Number of fits at once, as in joblib. Results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds and of every fit.
    progress : bool, default=False
        Whether to count finished fits on stderr.

    Returns
    -------
    issues : LabelIssues
        What each row's label is taken for, and why.

    Raises
    ------
    TypeError
        If the classifier cannot give probabilities, or `y` is missing.
    ValueError
        If an argument is out of range, there is one label only, or a row is in all fits or in none.

    Notes
    -----
    With P_in and P_out the mean probabilities over fits with and without the row i, y its label, the ranking is

        log_odds_i = 1/2 sum over P in {P_in, P_out} of  max_{c != y} log P(c | x_i) - log P(y | x_i).

    Rankings by out-of-sample probabilities alone, as confident learning has them, do not use that a classifier which
    has been told the wrong label still doubts it.

    A row is "mislabelled" if its log-odds are positive and another label has at least half of the probability out of
    sample, and `margin` more than the given one. Else it is "ambiguous" if the two likeliest labels out of sample
    differ by less than `margin`; else "atypical" if the memorization of its label is at least `threshold` (0.25 in
    Feldman & Zhang, "What Neural Networks Memorize and Why", NeurIPS 2020): right with the row, but not to be told
    from other rows. Else "typical".

    A right row that stands alone among rows of another label is a mislabelled one for all that a classifier can know,
    and so is one far from all others where the classifier is as sure there as it is near its rows.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmem.memorization import find_label_issues
    >>> X, y = load_wine(return_X_y=True)
    >>> y[[10, 150]] = 1
    >>> classifier = make_pipeline(StandardScaler(), LogisticRegression())
    >>> print(find_label_issues(classifier, X, y, random_state=0))
    Labels of 178 rows: 3 mislabelled, 5 ambiguous, 0 atypical, 170 typical.
    row 10: 1, rather 0 (log-odds 6.4 nats)
    row 150: 1, rather 2 (log-odds 5.0 nats)
    row 130: 2, rather 1 (log-odds 0.1 nats)
    """
    resolve_response(classifier, y, "predict_proba")
    warn_of_useless_memory(memory, random_state)
    classes, given = np.unique(y, return_inverse=True)
    if classes.size < 2:
        raise ValueError(f"y must have at least 2 labels, got only {classes[0]!r}.")
    n_repeats = repeats_of(cv, n_repeats, _DEFAULT_REPEATS)
    seeds = child_seeds(random_state, 2)
    masks = train_masks(
        cv, X, y, groups, n_repeats=n_repeats, stratify=True, random_state=int(seeds[0])
    )
    check_both_sides(masks)
    options = FitOptions(None, "score_samples", memory, n_jobs, progress)
    model = _ClassProbabilities(classifier, classes)
    fits = fill_scores(model, X, y, masks, child_seeds(int(seeds[1]), len(masks)), options=options)
    p_in, p_out = (mean(fits.staged_scores, axis=1, where=side).T for side in (masks, ~masks))
    return judge_labels(p_in, p_out, given, classes, (margin, threshold), describe_rows(X))


class _ClassProbabilities(BaseEstimator):
    """A classifier whose probability of each class takes the place of a stage, so that all come from the same fits."""

    def __init__(self, classifier, classes):
        self.classifier = classifier
        self.classes = classes

    def fit(self, X, y):
        self.classifier_ = clone(self.classifier).fit(X, y)
        self.stages_ = np.arange(self.classes.size)
        return self

    def score_samples(self, X):
        return self._probabilities(X).max(axis=1)

    def staged_score_samples(self, X):
        yield from self._probabilities(X).T

    def _probabilities(self, X):
        """Of all classes, (n_rows, n_classes); zero for those that this fit has not seen."""
        probabilities = self.classifier_.predict_proba(X)
        out = np.zeros((len(probabilities), self.classes.size))
        out[:, np.searchsorted(self.classes, self.classifier_.classes_)] = probabilities
        return out
