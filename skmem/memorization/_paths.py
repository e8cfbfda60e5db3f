"""Memorization at every stage of the fits: each stage reduced as the end of the fits is."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from skmem._math import difference
from skmem.cross_fitting._stages import score_stages, stack_stages, unstack_stages
from skmem.memorization._reductions import average_in_and_out


@dataclass(frozen=True)
class MemorizationPath:
    """Memorization of every row at every stage, (n_stages, n_samples), in nats, and what it is made of."""

    stages: np.ndarray
    memorization_path: np.ndarray
    log_density_in_path: np.ndarray
    log_density_out_path: np.ndarray


PATH_ATTRIBUTES = tuple(f"{name}_" for name in MemorizationPath.__annotations__)


def cross_fitted_path(fits, reduction, seed):
    """Path of a CrossFit, `seed` being the one its final scores are reduced with; None without stages."""
    if fits.stages is None:
        return None
    sides = [
        average_in_and_out(
            scores, fits.train_mask, reduction, fits.response, check_random_state(seed)
        )
        for scores in fits.staged_scores
    ]
    return _path(fits.stages, *np.stack(sides, axis=1))


def left_out(scores, train_mask):
    """Score of each row by the one fit without it, (..., n_rows), from (..., n_fits, n_rows)."""
    return scores[..., np.argmin(train_mask, axis=0), np.arange(train_mask.shape[1])]


def left_out_path(fitted, fits, X, scores):
    """Path of a fit on all rows `X`, with their final `scores`, and of the fits without each; None without stages."""
    on_all = score_stages(fitted, X, fits.response, type(fitted).__name__)
    paths = [on_all, *unstack_stages(fits)]
    stages, staged = stack_stages(paths, [scores, *fits.scores])
    if stages is None:
        return None
    return _path(stages, staged[:, 0], left_out(staged[:, 1:], fits.train_mask))


def _path(stages, log_density_in, log_density_out):
    memorization = difference(log_density_in, log_density_out)
    return MemorizationPath(stages, memorization, log_density_in, log_density_out)
