"""Scores at the stages of fits, which need not all have gone equally far."""

import numpy as np

from skmem._sklearn import num_samples
from skmem.cross_fitting._responses import check_scores


def score_stages(fitted, X, response, source, method="staged_score_samples"):
    """Log-densities of `X` at each stage of a fitted estimator, {stage: (n_points,)}; {} where it has no stages.

    They come from its `method`, or bounds of them if that yields such. Stages go by their names in `stages_`, or by
    their positions. `source` says in errors where scores come from.
    """
    if response != "score_samples" or not hasattr(fitted, method):
        return {}
    rows = list(getattr(fitted, method)(X))
    stages = np.asarray(getattr(fitted, "stages_", range(len(rows)))).tolist()
    if len(stages) != len(rows):
        raise ValueError(
            f"{method} of {source} must yield scores for each of its {len(stages)} stages_, "
            f"got {len(rows)}."
        )
    shape, source = (num_samples(X),), f"{method} of {source}"
    return {
        stage: check_scores(row, shape, f"{source}, stage {stage},")
        for stage, row in zip(stages, rows, strict=True)
    }


def stack_stages(paths, scores):
    """(stages, staged_scores), (n_stages,) and (n_stages, n_fits, n_points), of what `score_stages` gave for each fit.

    A fit that ended before a stage is there with its final `scores`: it would not have changed any more. So its last
    stage may be one of its own. Both None where no fit has more than one stage.
    """
    stages = max((list(path) for path in paths), key=lambda path: (len(path), path[-1:]))
    if len(stages) < 2:
        return None, None
    staged_scores = np.empty((len(stages), *np.shape(scores)))
    for fit, (path, final) in enumerate(zip(paths, scores, strict=True)):
        common = list(path)[:-1]
        if common != stages[: len(common)]:
            raise ValueError(
                f"Fits must go through the same stages until they end, got {list(path)} in fit {fit} "
                f"and {stages} in another."
            )
        staged_scores[:, fit] = [path.get(stage, final) for stage in stages]
    return np.asarray(stages), staged_scores


def unstack_stages(fits):
    """The paths of a CrossFit's fits, {stage: (n_points,)} of each."""
    if fits.stages is None:
        return [{}] * fits.n_fits
    stages = fits.stages.tolist()
    return [
        dict(zip(stages, fits.staged_scores[:, fit], strict=True)) for fit in range(fits.n_fits)
    ]
