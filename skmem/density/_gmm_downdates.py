"""Leave-one-out scores of a Gaussian mixture by downdates of its sufficient statistics."""

from functools import partial

import numpy as np
from scipy.special import logsumexp

from skmem._blocks import map_blocks, row_blocks

_EPS = np.finfo(np.float64).eps


def leave_one_out_log_density(X, mass, mixture, reg_covar):
    """Log-density (n,) in nats of each row once its `mass` has left every component of `mixture`.

    With N, mu, S the mass, mean and scatter of a component, a the mass of row x in it and d = x - mu:

        N' = N - a      x - mu' = (N / N') d      S' = S - (a N / N') d d^T      Sigma' = S' / N' + reg I

    A component that would keep less than sqrt(eps) of its mass has no statistics left and is dropped.
    What rounding would leave of a determinant that vanishes is bounded below by eps: scores stay finite.
    """
    n_components, n_features = mixture.means.shape
    totals = mass.sum(axis=0, dtype=np.float64)
    means = mixture.means.astype(np.float64)
    downdate = _downdate(mixture, totals, reg_covar)
    row_bytes = 8 * (4 * n_components * n_features + 6 * n_components**2)
    score = partial(_score_block, X=X, mass=mass, totals=totals, means=means, downdate=downdate)
    return np.concatenate(map_blocks(score, row_blocks(len(X), row_bytes)))


def _score_block(block, *, X, mass, totals, means, downdate):
    removed = mass[block].astype(np.float64)
    left = totals - removed
    kept = left > np.sqrt(_EPS) * totals
    left = np.where(kept, left, 1.0)
    grown = np.where(kept, totals / left, 1.0)
    beta = np.where(kept, removed * grown, 0.0)
    remaining = (left * kept).sum(axis=1, keepdims=True)
    d = X[block, np.newaxis].astype(np.float64) - means
    log_determinants, distances = downdate(d, beta, left, remaining)
    constant = X.shape[1] * np.log(2 * np.pi)
    log_gaussians = -0.5 * (constant + log_determinants + grown**2 * distances)
    return logsumexp(log_gaussians, b=left * kept / remaining, axis=1)


def _downdate(mixture, totals, reg_covar):
    """Choose the function (d, beta, left, remaining) -> log det Sigma' and d^T Sigma'^-1 d, per row and component.

    `d` (n_block, n_components, n_features) are the centred rows, ``beta = a N / N'``, ``left = N'`` and
    `remaining` (n_block, 1) its sum over components.
    """
    covariances = mixture.covariances.astype(np.float64)
    if mixture.covariance_type in ("diag", "spherical"):
        variances = covariances.reshape(len(totals), -1)
        return partial(_axis_aligned, variances=variances, totals=totals, reg_covar=reg_covar)
    covariances -= reg_covar * np.eye(covariances.shape[-1])
    if mixture.covariance_type == "tied":
        function, scatter = _tied, totals.sum() * covariances
    else:
        function, scatter = _full, totals[:, np.newaxis, np.newaxis] * covariances
    values, vectors = np.linalg.eigh(scatter)
    return partial(function, values=values, vectors=vectors, reg_covar=reg_covar)


def _full(d, beta, left, _, *, values, vectors, reg_covar):
    # In the eigenbasis of S, A = S + N' reg I is diagonal; N' Sigma' = A - beta d d^T is one rank away:
    # det = det(A) (1 - beta q) and (d^T .^-1 d) = q / (1 - beta q) with q = d^T A^-1 d.
    z = np.einsum("nkd,kde->nke", d, vectors, optimize=True)
    a = np.maximum(values + reg_covar * left[..., np.newaxis], _EPS * values[:, -1:])
    q = (z**2 / a).sum(axis=-1)
    shrunk = np.maximum(1 - beta * q, _EPS)
    n_features = d.shape[-1]
    log_determinants = np.log(a).sum(axis=-1) + np.log(shrunk) - n_features * np.log(left)
    return log_determinants, left * q / shrunk


def _tied(d, beta, _, remaining, *, values, vectors, reg_covar):
    # As above with one S for all components, from which a row takes one rank per component:
    # A - B B^T with B the columns sqrt(beta_k) d_k, so I - B^T A^-1 B takes the place of 1 - beta q.
    z = d @ vectors
    a = np.maximum(values + reg_covar * remaining, _EPS * values[-1])
    gram = np.einsum("nkd,nd,nld->nkl", z, 1 / a, z, optimize=True)
    root = np.sqrt(beta)
    taken, rotations = np.linalg.eigh(root[:, :, np.newaxis] * gram * root[:, np.newaxis])
    shrunk = np.maximum(1 - taken, _EPS)
    carried = np.einsum("nkl,nl,nlm->nkm", gram, root, rotations, optimize=True)
    q = np.einsum("nkk->nk", gram) + (carried**2 / shrunk[:, np.newaxis]).sum(axis=-1)
    log_determinant = np.log(a).sum(axis=1) + np.log(shrunk).sum(axis=1)
    return log_determinant[:, np.newaxis] - d.shape[-1] * np.log(remaining), remaining * q


def _axis_aligned(d, beta, left, _, *, variances, totals, reg_covar):
    # One variance per column, or (spherical) one for all columns: that of the mean squared deviation.
    squares = d**2
    if variances.shape[1] == 1:
        squares = squares.mean(axis=-1, keepdims=True)
    multiplicity = d.shape[-1] / squares.shape[-1]
    scatter = totals[:, np.newaxis] * (variances - reg_covar)
    left, beta = left[..., np.newaxis], beta[..., np.newaxis]
    updated = np.maximum((scatter - beta * squares) / left + reg_covar, _EPS * variances)
    log_determinants = multiplicity * np.log(updated).sum(axis=-1)
    return log_determinants, multiplicity * (squares / updated).sum(axis=-1)
