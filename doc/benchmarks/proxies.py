"""How well proxies from one fit rank rows by memorization, against one repeat of ten cross-fits.

Spearman's correlation over rows with the memorization that the other repeats give, which share no fit with the first;
with its 95 % interval, and processor seconds, those of the fit included. The ceiling is the square root of the
reliability of these other repeats: about what a score without noise would reach. Root mean square distances from
their scores are those of the ten fits, and of the same ten fits after the proxy that `method="proxy"` takes has been
calibrated by them.
"""

from dataclasses import replace
from importlib.util import find_spec
from time import process_time

import numpy as np
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import RepeatedKFold

from doc.benchmarks._common import arguments, show
from doc.benchmarks._timing import Line
from skmem import cross_fit
from skmem.cross_fitting._threads import single_thread
from skmem.density import GaussianMixture, KernelDensity
from skmem.influence import InfluenceFunction, TracIn
from skmem.memorization import (
    combine_ranks,
    compare_proxies,
    memorization_proxies,
    memorization_score,
)
from skmem.memorization._calibration import calibrate
from skmem.neural import VAE

NO_TORCH = "The VAE needs torch and skorch, the extra `torch`, and they are not here."


def offered(name):
    """A proxy by its name in `memorization_proxies`."""
    return lambda fitted, X: memorization_proxies(fitted, X)[name]


def self_influence(make):
    return lambda fitted, X: make(fitted).fit(X).self_influence()


def ekfac(fitted):
    return InfluenceFunction(fitted, solver="ekfac")


def undone_step(fitted):
    return InfluenceFunction(fitted, solver="identity")


LOSS = {"-log p": lambda fitted, X: -fitted.score_samples(X)}
KERNEL = LOSS | {"leave-one-out": offered("leave_one_out")}
MIXTURE = KERNEL | {"self-influence, exact": self_influence(InfluenceFunction)}
NET = LOSS | {
    "-ELBO": lambda fitted, X: -fitted.elbo(X),
    "accumulated loss": offered("accumulated_loss"),
    "learning epoch": offered("learning_epoch"),
    "self-influence, one step undone": self_influence(undone_step),
    "self-influence, TracIn": self_influence(TracIn),
    "self-influence, EK-FAC": self_influence(ekfac),
}
SUM = ("accumulated loss", "self-influence, EK-FAC")


def timed(call, *args):
    start = process_time()
    return call(*args), process_time() - start


def first_and_rest(fits, n_folds):
    """Scores by the first repeat, and the CrossFit of the others."""
    first = memorization_score(fits.scores[:n_folds], fits.train_mask[:n_folds], random_state=0)
    rest = replace(fits, scores=fits.scores[n_folds:], train_mask=fits.train_mask[n_folds:])
    return first.memorization, rest


def proxies_and_seconds(estimator, X, functions):
    """Every proxy of one fit with the seconds of both, and the sum of two ranks where there are both."""
    fitted, fit_seconds = timed(estimator.fit, X)
    found = {name: timed(function, fitted, X) for name, function in functions.items()}
    if set(SUM) <= set(found):
        values, seconds = zip(*(found[name] for name in SUM), strict=True)
        found["ranks of accumulated loss + EK-FAC"] = combine_ranks(*values), sum(seconds)
    values = {name: value for name, (value, _) in found.items()}
    return values, {name: fit_seconds + seconds for name, (_, seconds) in found.items()}


def lines_and_note(case, estimator, X, functions, cv, staged=()):
    """A line for each proxy, and a note with the ceiling; `staged` are parameters of the one fit alone."""
    fits, seconds = timed(lambda: cross_fit(estimator, X, cv=cv, random_state=0))
    n_folds = fits.n_fits // cv.n_repeats
    first, rest = first_and_rest(fits, n_folds)
    one_fit = clone(estimator).set_params(random_state=1, **dict(staged)) if staged else estimator
    values, spent = proxies_and_seconds(one_fit, X, functions)
    found = compare_proxies(values, rest, random_state=0)
    score = memorization_score(rest.scores, rest.train_mask, random_state=0).memorization
    other, repeat_seconds = spearmanr(first, score)[0], seconds / cv.n_repeats
    lines = [
        Line(
            f"{case}: {name}",
            f"{r:.3f} [{low:.3f}, {high:.3f}], {spent[name]:.2g} s",
            f"{n_folds} fits: {other:.3f}, {repeat_seconds:.2g} s",
            f"{r - other:+.3f}, {spent[name] / repeat_seconds:.2g} times the time",
            "more than they",
            bool(r > other),
        )
        for name, r, low, high in zip(
            found.names, found.correlation, found.low, found.high, strict=True
        )
    ]
    auto = values.get("leave-one-out", values.get("accumulated loss"))
    distances = (np.sqrt(np.mean((a - score) ** 2)) for a in (first, calibrate(auto, first)))
    return lines, (
        f"{case}: ceiling {found.ceiling:.3f}, of {rest.n_fits} fits, which take "
        f"{seconds * rest.n_fits / fits.n_fits:.2g} s; the {n_folds} fits are {next(distances):.2f} nats off, "
        f"calibrated {next(distances):.2f}."
    )


def cases(quick):
    """Name, estimator, rows, proxies, and what only the one fit keeps."""
    X = load_digits().data[: 150 if quick else None]
    bandwidth = KernelDensity(bandwidth="loo").fit(X).bandwidth_
    yield (
        f"digits {len(X)} x 64, kernel density",
        KernelDensity(bandwidth=bandwidth),
        X,
        KERNEL,
        (),
    )
    Z = PCA(10, random_state=0).fit_transform(X)
    mixture = GaussianMixture(3 if quick else 10, tol=1e-6, max_iter=2000, random_state=0)
    yield f"digits {len(Z)} x 10, mixture", mixture, Z, MIXTURE, ()
    if find_spec("torch") and find_spec("skorch"):
        B = (X[: 60 if quick else 600] > 7).astype(np.float32)
        epochs, every = (4, 2) if quick else (30, 5)
        vae = VAE(8, (256,), likelihood="bernoulli", learning_rate=3e-3, max_epochs=epochs)
        vae.set_params(n_importance_samples=8 if quick else 64, device="cpu")
        kept = {"checkpoint_epochs": every}.items()
        yield f"digits {len(B)} x 64, black and white, 64-256-8 VAE", vae, B, NET, kept


def main(argv=None):
    args = arguments(argv, __doc__)
    n_folds, n_repeats = (3, 3) if args.quick else (10, 11)
    cv = RepeatedKFold(n_splits=n_folds, n_repeats=n_repeats, random_state=0)
    lines, notes = [], []
    with single_thread():
        for case, estimator, X, functions, staged in cases(args.quick):
            more, note = lines_and_note(case, estimator, X, functions, cv, staged)
            lines, notes = lines + more, [*notes, note]
    has_torch = find_spec("torch") and find_spec("skorch")
    show(__doc__, lines, args, notes=notes if has_torch else [*notes, NO_TORCH])


if __name__ == "__main__":
    main()
