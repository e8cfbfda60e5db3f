"""How well influence on a small VAE predicts what fits to random halves of the rows say of a point, and at what cost.

Linear datamodeling scores over 100 fits to halves, means over points with 95 % intervals; 0 is chance. The loss of
the training rows in the place of influence is the other side. A row is scored by log p(x), while gradients are those
of the ELBO. They are taken of one fit to all rows, or averaged over as many fits, with seeds of their own, as
empirical influence is computed from at the least. Seconds are those of the processor, fits included. Conjugate
gradients take too long to be averaged.
"""

from importlib.util import find_spec
from time import process_time

import numpy as np
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.datasets import load_digits

from doc.benchmarks._common import NO_MNIST, arguments, mnist, show
from doc.benchmarks._timing import Line
from skmem import SubsetSplit, cross_fit
from skmem.cross_fitting._threads import single_thread
from skmem.influence import (
    InfluenceFunction,
    TracIn,
    empirical_influence,
    linear_datamodeling_score,
)
from skmem.neural import VAE

N_FITS = 20
METHODS = {
    "identity": lambda vae: InfluenceFunction(vae, solver="identity"),
    "TracIn, 5 checkpoints": TracIn,
    "EK-FAC": lambda vae: InfluenceFunction(vae, solver="ekfac"),
}
NO_TORCH = "It needs torch and skorch, the extra `torch`, and they are not here."


def images(args):
    """Training rows and points, zeros and ones."""
    n_train, n_points = (40, 5) if args.quick else (500, 60)
    if args.mnist:
        n_train = min(n_train, 30) if args.quick else n_train
        X = mnist(args.mnist, n_train + n_points) > 0.5
    else:
        X = load_digits().data[: n_train + n_points] > 7
    return X[:n_train].astype(np.float32), X[n_train:].astype(np.float32)


def halves(vae, train, points, n_fits, seed, fit_seed):
    cv = SubsetSplit(0.5, n_fits, random_state=seed)
    return cross_fit(vae, train, cv=cv, X_eval=points, random_state=fit_seed)


def timed(call, *args, **kwargs):
    start = process_time()
    return call(*args, **kwargs), process_time() - start


class Judge:
    """Makes a line of each influence, beside the loss of the same fits."""

    def __init__(self, truth, losses):
        self.truth, self.losses = truth, losses

    def line(self, name, influence, n_fits, seconds):
        loss = self.losses[:n_fits].mean(axis=0)  # of more fits than there are, of all
        found = linear_datamodeling_score(influence, self.truth, loss, random_state=0)
        cost = f"{n_fits} fit{'s' * (n_fits > 1)}, {seconds:.0f} s"
        held = found.low > found.baseline.high
        cells = (
            f"{score.score:.3f} [{score.low:.3f}, {score.high:.3f}]"
            for score in (found, found.baseline)
        )
        return Line(
            f"{name}; {cost}",
            *cells,
            f"{found.score - found.baseline.score:+.3f}",
            "intervals apart",
            held,
        )


def gradient_lines(fitted, fit_seconds, train, points, judge):
    for name, make in METHODS.items():
        each, seconds = zip(
            *(timed(_influence, make(vae), train, points) for vae in fitted), strict=True
        )
        yield judge.line(name, each[0], 1, fit_seconds[0] + seconds[0])
        yield judge.line(name, np.mean(each, axis=0), len(each), sum(fit_seconds) + sum(seconds))


def _influence(method, train, points):
    return method.fit(train).influence(points)


def conjugate_gradients_line(vae, fit_seconds, train, points, judge):
    method = InfluenceFunction(vae, solver="cg", tol=1e-2)
    influence, seconds = timed(_influence, method, train, points)
    return judge.line("conjugate gradients, residual 1e-2", influence, 1, fit_seconds + seconds)


def empirical_line(vae, train, points, n_fits, judge):
    def call():
        # Not the halves that are to be predicted.
        fits = halves(vae, train, points, n_fits, seed=1, fit_seed=2)
        return empirical_influence(fits, random_state=0)

    influence, seconds = timed(call)
    return judge.line("empirical influence", influence, n_fits, seconds)


def ceiling(truth, again):
    """Mean correlation of the scores of two fits to the same halves."""
    pairs = zip(truth.scores.T, again.scores.T, strict=True)
    return np.mean([spearmanr(a, b)[0] for a, b in pairs])


def lines_and_notes(args):
    train, points = images(args)
    n_truth = 25 if args.quick else 100
    vae = VAE(4, (32,), likelihood="bernoulli", n_importance_samples=64, device="cpu")
    vae.set_params(max_epochs=5 if args.quick else 40)
    truth, again = (halves(vae, train, points, n_truth, 0, seed) for seed in (0, 1))
    vae.set_params(checkpoint_epochs=1 if args.quick else 8)
    seeds = range(N_FITS)
    fitted, fit_seconds = zip(
        *(timed(clone(vae).set_params(random_state=seed).fit, train) for seed in seeds),
        strict=True,
    )
    judge = Judge(truth, np.stack([-each.score_samples(train) for each in fitted]))
    lines = list(gradient_lines(fitted, fit_seconds, train, points, judge))
    lines.append(conjugate_gradients_line(fitted[0], fit_seconds[0], train, points, judge))
    vae.set_params(checkpoint_epochs=None)
    for n_fits in (N_FITS, n_truth):
        lines.append(empirical_line(vae, train, points, n_fits, judge))
    reliability = ceiling(truth, again)
    source = "MNIST" if args.mnist else "digits"
    return lines, [
        f"{len(train)} rows of {source}, {train.shape[1]}-32-4 VAE, {len(points)} points not among them.",
        f"Scores by two fits to each half have a mean correlation of {reliability:.2f} over halves; influences "
        f"without error would score {np.sqrt(max(reliability, 0)):.2f}.",
    ]


def main(argv=None):
    args = arguments(argv, __doc__)
    if not (find_spec("torch") and find_spec("skorch")):
        print(f"{__doc__.strip()}\n\n{NO_TORCH}")
        return
    with single_thread():
        lines, notes = lines_and_notes(args)
    show(__doc__, lines, args, notes=[*notes, *([] if args.mnist else [NO_MNIST])])


if __name__ == "__main__":
    main()
