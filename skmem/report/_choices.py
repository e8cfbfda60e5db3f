"""How one of several candidates is chosen by held-out rows."""

import numpy as np


def fewest_within_error(held_out):
    """Choose 1 + the first position whose mean is within a standard error of the best; 1 if empty.

    `held_out` has an array of log-densities of held-out rows for each candidate. The standard error is that of the
    mean over rows of the difference.
    """
    best = max(held_out, key=np.mean, default=None)
    for position, scores in enumerate(held_out, start=1):
        behind = best - scores
        if behind.mean() <= behind.std() / np.sqrt(len(behind)):
            return position
    return 1
