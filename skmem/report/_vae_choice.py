"""A VAE for a table: likelihoods by what columns hold, sizes by how many there are, epochs by held-out rows."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold

from skmem._random import child_seeds, set_random_state
from skmem.cross_fitting._threads import single_thread
from skmem.neural import VAE
from skmem.neural._one_hot import one_hot_group_size
from skmem.report._choices import fewest_within_error

_N_FOLDS = 5
# Candidates for the number of epochs are even steps up to about so many updates of the weights, at no fewer epochs
# than two a step. With Adam at this rate held-out rows of small tables gain nothing any more well before.
_N_STEPS, _N_UPDATES = 10, 700
_LEARNING_RATE = 3e-3
_MANY_ROWS = 5000
_MOST_LEVELS = 256
# Numbers that a decoder computes for a column, of its likelihood.
_N_OUTPUTS = {
    "categorical": 1,
    "bernoulli": 1,
    "discretized_logistic": 15,
    "gaussian_diagonal": 2,
}
# For a scoring of all rows: most numbers computed, as far as that leaves draws enough.
_MOST_OUTPUTS = 2**22


def choose_vae(X, n_train, random_state):
    """Choose the fewest epochs within a standard error of the highest held-out likelihood.

    Likelihoods and sizes follow from the columns and the number of rows. Candidates are stages of the same fits.
    """
    likelihood, n_levels = column_likelihoods(X)
    n_batches, sizes = _sizes(X, n_train, likelihood)
    # Monte-Carlo errors are a hundred times those of single precision, in which scoring takes half the time.
    single = {"device": "cpu", "score_dtype": "float32"}
    vae = VAE(likelihood=likelihood, n_levels=n_levels, **single, **sizes)
    step = max(2, round(_N_UPDATES / (_N_STEPS * n_batches)))
    seed, folds_seed = child_seeds(random_state, 2)
    folds = KFold(min(_N_FOLDS, len(X)), shuffle=True, random_state=int(folds_seed))
    staged = clone(vae).set_params(max_epochs=_N_STEPS * step, checkpoint_epochs=step)
    held_out = _held_out_stages(staged, X, folds, seed)
    vae.set_params(max_epochs=fewest_within_error(held_out) * step)
    return vae, (
        f"likelihood by the columns: {_named(likelihood, n_levels)}; {_said(sizes)}; fewest epochs within a standard "
        f"error of the highest likelihood of held-out rows ({folds.n_splits} folds), among {step}, {2 * step}, ... "
        f"{_N_STEPS * step}"
    )


def _held_out_stages(staged, X, folds, seed):
    """Log-density of each row at each stage of the fit that did not see it, (n_stages, n_rows).

    `cross_fit` would score the other rows too, which are most, and scoring takes most of the time.
    """
    held_out = np.empty((_N_STEPS, len(X)))
    seeds = child_seeds(int(seed), folds.n_splits)
    for (train, out), fit_seed in zip(folds.split(X), seeds, strict=True):
        with single_thread():
            fitted = set_random_state(clone(staged), fit_seed).fit(X[train])
            held_out[:, out] = list(fitted.staged_score_samples(X[out]))
    return held_out


def column_likelihoods(X):
    """([(likelihood, columns)], n_levels) for a table without constant columns.

    Each one-hot group of adjacent columns is "categorical", other columns of zeros and ones are "bernoulli", those of
    whole numbers from 0 to 255 "discretized_logistic", so that rows have a probability, with levels up to the largest
    number in the column, and all others "gaussian_diagonal". Decided once on all rows, since those of a fold may lack
    a category or the largest number.
    """
    groups, single = [], {"bernoulli": [], "discretized_logistic": [], "gaussian_diagonal": []}
    j = 0
    while j < X.shape[1]:
        size = one_hot_group_size(X[:, j:])
        if size > 1:
            groups.append(("categorical", list(range(j, j + size))))
        else:
            single[_likelihood_of(X[:, j])].append(j)
        j += max(size, 1)
    named = groups + [(name, columns) for name, columns in single.items() if columns]
    n_levels = np.full(X.shape[1], 2)
    levels = single["discretized_logistic"]
    n_levels[levels] = X[:, levels].max(axis=0) + 1
    return named, n_levels.tolist()


def _likelihood_of(x):
    if np.isin(x, (0, 1)).all():
        return "bernoulli"
    is_level = (x >= 0) & (x < _MOST_LEVELS) & (np.rint(x) == x)
    return "discretized_logistic" if is_level.all() else "gaussian_diagonal"


def _sizes(X, n_train, likelihood):
    """Number of batches in an epoch, and the parameters that follow from the numbers of rows and columns."""
    n_rows, n_columns = X.shape
    width = _power_of_two(8 * n_columns, 32, 256)
    batch_size = _power_of_two(n_train / 10, 16, 256)
    n_outputs = n_rows * sum(_N_OUTPUTS[name] * len(columns) for name, columns in likelihood)
    return -(-n_train // batch_size), {
        "latent_dim": min(16, int(np.ceil(np.sqrt(n_columns)))),
        "hidden_layer_sizes": (width,) if n_rows < _MANY_ROWS else (width, width // 2),
        "batch_size": batch_size,
        "learning_rate": _LEARNING_RATE,
        "n_importance_samples": _power_of_two(_MOST_OUTPUTS / n_outputs, 32, 128),
    }


def _power_of_two(value, least, most):
    """The nearest power of two not above `value`, within bounds that are such."""
    return int(np.clip(2 ** np.floor(np.log2(value)), least, most))


def _named(likelihood, n_levels):
    """Which likelihood has how many columns."""
    counts, levels = {}, {"discretized_logistic": f" of up to {max(n_levels)} levels"}
    for name, columns in likelihood:
        counts[name] = counts.get(name, 0) + len(columns)
    return ", ".join(
        f"{name}{levels.get(name, '')} ({n} column{'s' * (n > 1)})" for name, n in counts.items()
    )


def _said(sizes):
    """Sizes in words."""
    widths = ", ".join(map(str, sizes["hidden_layer_sizes"]))
    return (
        f"sizes by rows and columns: {sizes['latent_dim']} latent, {widths} hidden, batches of "
        f"{sizes['batch_size']}, {sizes['n_importance_samples']} draws a row"
    )
