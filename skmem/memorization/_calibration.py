"""A proxy brought to nats: what cross-fits find, on average, of rows that it ranks alike."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import rankdata
from sklearn.isotonic import IsotonicRegression

from skmem._sklearn import num_samples
from skmem.memorization._estimates import Design, Estimate, cross_fitted, score_by_all
from skmem.memorization._proxies import check_proxy, default_proxy
from skmem.memorization._reductions import NOISE_QUANTILES, MemorizationScores

_GROUP_SIZE = 10  # so that no row's own cross-fitted score makes up more of what it gets


@dataclass(frozen=True)
class ProxyScores:
    """The proxy that scores were calibrated from, (n_samples,); higher = more memorized."""

    proxy: np.ndarray


def calibration_design(scorer, groups, seeds):
    """Design of the fits that a proxy is calibrated by: one repeat of folds, or a splitter as it stands.

    Raises
    ------
    ValueError
        If rows are to leave in groups: a proxy tells what becomes of a fit without the one row.
    """
    design = Design(scorer.cv, scorer.n_repeats, scorer.reduction, None, seeds)
    if not design.is_k_fold:
        return design
    if groups is not None:
        raise ValueError(
            "groups must be None for method='proxy' with an int cv, since a proxy is that of a row that leaves by "
            f"itself, got {len(set(np.asarray(groups).tolist()))} groups; use method='cross-fit'."
        )
    return replace(design, n_repeats=1)


def by_proxy(estimator, fitted, data, proxy, design, options):
    """Estimate from a proxy of the fit on all rows, calibrated by cross-fits; `data` are X, y and groups."""
    X, y, groups = data
    log_density_in = score_by_all(fitted, X, y, options)
    values = _values(proxy, fitted, X, options.response, log_density_in)
    # Stages can cost more than fits, and the curve needs none.
    options = replace(options, staged=False)
    fits = cross_fitted(estimator, X, y, design, options, groups)
    memorization = calibrate(values, fits.scores.memorization)
    unknown = np.full_like(memorization, np.nan)
    scores = MemorizationScores(
        memorization=memorization,
        log_density_in=log_density_in,
        log_density_out=log_density_in - memorization,
        standard_error=unknown,
        p_values=unknown.copy(),
        noise_floor=dict.fromkeys(NOISE_QUANTILES, np.nan),
    )
    n_fits = 1 + fits.n_fits
    return Estimate(scores, None, fits.cross_fit, "proxy", n_fits, 1, ProxyScores(values))


def calibrate(proxy, memorization):
    """Mean memorization of rows that a proxy ranks alike, in the unit of `memorization`: isotonic in the proxy.

    Rows are taken in groups of ten neighbours in rank, the means of groups made to rise, and rows between the middles
    of groups interpolated. Rows of equal proxy count with their mean, so that their order says nothing. Rows of
    infinite memorization take no part; nan where all are infinite.
    """
    position = rankdata(proxy)
    known = np.flatnonzero(np.isfinite(memorization))
    if not known.size:
        return np.full(len(position), np.nan)
    known = known[np.argsort(position[known], kind="stable")]
    columns = position[known], _mean_of_equals(position[known], memorization[known])
    groups = np.array_split(np.arange(known.size), max(1, known.size // _GROUP_SIZE))
    middles, means = (np.array([column[group].mean() for group in groups]) for column in columns)
    curve = IsotonicRegression(out_of_bounds="clip")
    curve.fit(middles, means, sample_weight=[len(group) for group in groups])
    return curve.predict(position)


def _mean_of_equals(position, values):
    """Each of `values` replaced by the mean of those at the same position."""
    place = np.unique(position, return_inverse=True)[1]
    return (np.bincount(place, values) / np.bincount(place))[place]


def _values(proxy, fitted, X, response, scores):
    """The proxy of every row of `X`; where labels or targets are predicted, minus its score unless told otherwise."""
    if callable(proxy):
        return check_proxy(proxy(fitted, X), num_samples(X), "what proxy returns")
    if response == "score_samples":
        return default_proxy(fitted, X)
    return check_proxy(-scores, num_samples(X), response)
