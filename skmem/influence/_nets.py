"""Models of VAEs and skorch nets, for influence functions; torch is loaded when one is made."""

from skmem._random import child_seeds
from skmem.neural._vae import require_torch


def net_model(function, estimator, X, y):
    """The model of a fitted net with training rows, as the parameters of an InfluenceFunction ask for it.

    Raises
    ------
    ValueError
        If rows don't suit the net, or it has layers that the solver does not take.
    """
    require_torch()
    from skmem.neural._curvature import HessianModel, KroneckerModel
    from skmem.neural._row_losses import row_loss
    from skmem.neural._stages import check_stages

    loss = row_loss(estimator, function.n_draws, int(child_seeds(function.random_state, 1)[0]))
    rows = loss.rows(X, y)
    function.n_features_in_ = rows[0].shape[1]
    if function.solver in ("exact", "cg"):
        return HessianModel(loss, rows)
    try:
        check_stages(loss, [loss.module.state_dict()], rows)
    except ValueError as error:
        raise ValueError(f"{error} Or take solver='cg', which knows no layers.") from error
    return KroneckerModel(loss, rows, eigenbases=function.solver == "ekfac")


def net_rows(model, X, y):
    """Points as the net's loss takes them.

    Raises
    ------
    ValueError
        If they don't suit the net, or have other shapes than the training rows.
    """
    points = model.loss.rows(X, y)
    for known, array in zip(model.rows, points, strict=True):
        if known.shape[1:] != array.shape[1:]:
            raise ValueError(
                f"X and y must have the shapes of fit after the first dimension, {known.shape[1:]}, got "
                f"{array.shape[1:]}."
            )
    return points
