"""Influence from a cross-fit's two arrays, without any further fit."""

from skmem._sklearn import StrOptions, validate_params
from skmem.cross_fitting import CrossFit
from skmem.cross_fitting._influence import influence_from_fits


@validate_params(
    {
        "cross_fit": [CrossFit],
        "reduction": [StrOptions({"matched", "pooled", "mean"})],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def empirical_influence(cross_fit, *, reduction="matched", random_state=None):
    """Influence of each sample on each point, from the fits with and without the sample.

    In nats (for probabilities: in probability); positive = proponent, negative = opponent, 0 = no effect.

    Parameters
    ----------
    cross_fit : CrossFit
        What :func:`skmem.cross_fit` returned. Its points are the samples, or those given as `X_eval`.
    reduction : {"matched", "pooled", "mean"}, default="matched"
        How fits are averaged, as in :func:`skmem.memorization.memorization_score`.
    random_state : int, RandomState instance or None, default=None
        Seed of the random subsets of fits that "matched" averages over for masks without folds.

    Returns
    -------
    influence : ndarray of shape (n_samples, n_points)
        Where the points are the samples its diagonal is their memorization, by the same reduction and seed.

    Raises
    ------
    ValueError
        If rows that are no copies of one another are in the same fits throughout, as all rows of a fold are after one
        repeat (it says how many repeats are needed), or a row is in all fits or in none.

    Notes
    -----
    With lme the log-mean-exp over fits,

        influence[i, j] = lme_k(scores[k, j] : i in fit k) - lme_k(scores[k, j] : i not in fit k),

    the estimator of Feldman & Zhang, "What Neural Networks Memorize and Why", NeurIPS 2020, for densities.
    Its noise is that of memorization scores, and most influences of a row on other points are smaller than it.
    Copies that are in the same fits get the influence of all of them together.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmem import cross_fit
    >>> from skmem.cross_fitting import SubsetSplit
    >>> from skmem.density import KernelDensity
    >>> from skmem.influence import empirical_influence
    >>> X = load_iris().data
    >>> fits = cross_fit(KernelDensity(bandwidth=0.3), X, cv=SubsetSplit(0.7, 200, random_state=0))
    >>> influence = empirical_influence(fits, random_state=0)
    >>> print(influence.shape, influence[41].argmax())
    (150, 150) 41
    """
    return influence_from_fits(cross_fit, reduction, random_state)
