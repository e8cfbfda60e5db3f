"""The influence of every row by leaving it out: refits in parallel, for estimators without a closed form."""

import numpy as np
from sklearn import get_config
from sklearn.utils import gen_batches

from skmem._math import difference
from skmem._sklearn import num_samples
from skmem.cross_fitting._defects import warn_of_defects
from skmem.cross_fitting._fits import run_fits


def refitted_influence(job, seed, *, memory=None, n_jobs=None, progress=False):
    """Score of each point of a FitJob minus its score by a refit without each row, (n_train, n_points).

    In the unit of the response; all fits share one seed, so that they differ by the row alone.
    """
    n_train = num_samples(job.X)
    options = {"memory": memory, "n_jobs": n_jobs, "progress": progress}
    whole = run_fits(job, np.ones((1, n_train), dtype=bool), [seed], **options)[0]
    out = np.empty((n_train, job.n_points))
    row_bytes = n_train + 16 * job.n_points
    n_rows = max(1, int(get_config()["working_memory"] * 2**20 // row_bytes))
    for rows in gen_batches(n_train, n_rows):
        masks = np.ones((len(out[rows]), n_train), dtype=bool)
        masks[np.arange(len(masks)), np.arange(n_train)[rows]] = False
        seeds = np.full(len(masks), seed)
        if rows.start == 0:
            warn_of_defects(job, masks, seeds)
        out[rows] = difference(whole, run_fits(job, masks, seeds, **options)[0])
    return out
