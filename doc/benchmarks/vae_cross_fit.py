"""Cross-fit small VAEs: fits trained together as stacked parameters against fits one by one.

Digits, batches of 64, 100 epochs, two workers on each side, the same seeds; workers have been started before. With a
single draw of each row scoring takes next to nothing, and what is compared is training. With 256 draws, the default,
scoring is the same work on both sides, in double precision: the decoder for each draw, and a proposal for each row. It
takes about as long as training fits together does, or longer. Without --large there are 30 fits instead of 100.

What bounds the ratios: a step of one 64-64-4 net is 3 million operations, some 30 microseconds of matrix products on
a core that makes 100 a nanosecond, where a fit by itself takes some 500, nearly all of them calls. One 64-128-64-8 net
takes some 120 microseconds of products and 20 for Adam of some 650, and could hardly be trained 5 times faster. The
whole of a 64-64-4 net could not be 5 times faster, were its training all products: alone it takes 1.2 seconds and 0.25
for scoring, which would become 0.1 and 0.25.

Loss curves and evidence lower bounds must agree to the rounding of single precision after 10 epochs. A rounding can
also tip the proposal of a row's importance samples, and then its scores are two estimates of the same number, which
differ by as much as their standard errors say. It can tip a unit of a layer, and that fit goes another way: mostly
later, in the larger nets maybe before the tenth epoch, which is where the lower bounds differ. The medians of the
differences after all epochs are below the table. In double precision, where the tests train, losses and scores agree
to 1e-8.

On a GPU, where there is one: the fits of the MNIST net of van den Burg and Williams at once, against 3 of them one by
one, extrapolated; 2 epochs.
"""

from functools import partial
from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import RepeatedKFold
from sklearn.pipeline import make_pipeline

from doc.benchmarks._common import NO_MNIST, arguments, mnist, show
from doc.benchmarks._timing import bounded, faster, paired
from skmem import cross_fit
from skmem._random import set_random_state
from skmem.neural import VAE

NETS = [
    (4, (64,), "bernoulli"),
    (4, (64,), "gaussian"),
    (8, (64,), "bernoulli"),
    (8, (128, 64), "bernoulli"),
    (8, (128, 64), "gaussian"),
]
ONE_DRAW = {"n_importance_samples": 1, "proposal": "encoder"}
NO_GPU = "The GPU is left out: torch sees none."


def run(estimator, X, cv, results):
    """Cross-fit, and append the scores."""
    results.append(cross_fit(estimator, X, cv=cv, random_state=0, n_jobs=2).scores)


def speed_line(case, vae, X, cv, repeats):
    """Line on cross-fits, and what both sides scored in the last of them."""
    together, alone = [], []
    # In a pipeline a VAE is fitted by itself.
    calls = partial(run, vae, X, cv, together), partial(run, make_pipeline(vae), X, cv, alone)
    return faster(case, paired(*calls, repeats=repeats), at_least=5), together[-1], alone[-1]


def equality_lines(case, vae, X):
    """Lines on the greatest differences between fits made together and one by one."""
    mask = np.ones((4, len(X)), dtype=bool)
    for k, held_out in enumerate(mask):
        held_out[k::4] = False
    together = vae.cross_fit_estimators(X, mask, range(4))
    found = []
    for seed, (fit, train) in enumerate(zip(together, mask, strict=True)):
        alone = set_random_state(clone(vae), seed).fit(X[train])
        pair = fit, alone
        losses = np.array([f.history_[:, "train_loss"] for f in pair])
        bounds = np.array([f.elbo(X) for f in pair])
        (score, error), (other, its_error) = (f.score_samples(X, return_std=True) for f in pair)
        gaps = [np.ptp(losses, axis=0), np.ptp(bounds, axis=0), np.abs(score - other)]
        found.append([*map(np.max, gaps), np.max(gaps[2] / np.hypot(error, its_error))])
    loss, bound, gap, far = np.max(found, axis=0)
    case = f"{case}: greatest early difference of"
    return [
        bounded(f"{case} loss curves", loss, 1e-3, "nat"),
        bounded(f"{case} lower bounds", bound, 1e-3, "nat"),
        bounded(f"{case} scores", gap, 1e-3, "nat"),
        bounded(f"{case} scores in their standard error", far, 4, "standard errors"),
    ]


def digits_lines(X, net, cv, args):
    """Lines of one net: training, the whole, and their equality; and a note on the scores after all epochs."""
    latent_dim, hidden, likelihood = net
    vae = VAE(latent_dim, hidden, likelihood=likelihood, device="cpu")
    vae.set_params(max_epochs=2 if args.quick else 100)
    case = f"{likelihood}, {'-'.join(map(str, (X.shape[1], *hidden, latent_dim)))}"
    fits, repeats = f"{case}: {cv.get_n_splits()} fits", 1 if args.quick else min(args.repeats, 2)
    one_draw = clone(vae).set_params(**ONE_DRAW)
    training, *_ = speed_line(f"{fits}, trained", one_draw, X, cv, repeats)
    whole, *scores = speed_line(f"{fits}, trained and scored", vae, X, cv, repeats)
    early = clone(vae).set_params(max_epochs=2 if args.quick else 10)
    median = np.median(np.abs(np.subtract(*scores)))
    note = f"{case}: median difference of scores after all epochs {median:.1g} nat."
    return [training, whole, *equality_lines(case, early, X)], note


def train_one_by_one(vae, X, mask):
    for seed, train in enumerate(mask):
        set_random_state(vae, seed).fit(X[train])


def gpu_line(X, n_fits):
    """Line for the paper's net on the card."""
    import torch

    vae = VAE(16, (512, 256), likelihood="bernoulli", device="cuda", max_epochs=2)
    mask = np.ones((n_fits, len(X)), dtype=bool)
    for k, train in enumerate(mask):
        train[k % 10 :: 10] = False
    groups = vae.cross_fit_groups(X, mask)
    seconds = np.zeros((1, 2))
    train_one_by_one(vae, X, mask[:1])  # starts the card
    start = perf_counter()
    for group in groups:
        vae.cross_fit_estimators(X, mask[group], group)
    torch.cuda.synchronize()
    seconds[0, 0], start = perf_counter() - start, perf_counter()
    train_one_by_one(vae, X, mask[:3])
    torch.cuda.synchronize()
    seconds[0, 1] = (perf_counter() - start) * n_fits / 3
    name = torch.cuda.get_device_name()
    case = f"{name}: {len(X)} x {X.shape[1]}, {n_fits} fits in {len(groups)} groups, training"
    return faster(case, seconds, at_least=5)


def main(argv=None):
    import torch

    args = arguments(argv, __doc__)
    X = load_digits().data[: 200 if args.quick else None] / 16
    n_repeats, n_splits = (1, 4) if args.quick else (10 if args.large else 3, 10)
    cv = RepeatedKFold(n_splits=n_splits, n_repeats=n_repeats, random_state=0)
    nets = NETS[:1] if args.quick else NETS
    found, medians = zip(*(digits_lines(X, net, cv, args) for net in nets), strict=True)
    lines, notes = [line for lines in found for line in lines], [*medians]
    notes.append(f"PyTorch {torch.__version__}.")
    if not torch.cuda.is_available():
        notes.append(NO_GPU)
    elif args.mnist:
        images = mnist(args.mnist, 200 if args.quick else 10_000)
        lines.append(gpu_line(images, 4 if args.quick else 100))
    else:
        notes.append(NO_MNIST)
    show(__doc__, lines, args, notes=notes)


if __name__ == "__main__":
    main()
