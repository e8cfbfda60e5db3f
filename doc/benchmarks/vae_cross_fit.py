"""Cross-fit small VAEs: fits trained together as stacked parameters against fits one by one.

Digits, batches of 64, 100 epochs, 256 importance samples, two workers on each side, the same seeds. Whole cross-fits
are followed by training alone, on one thread: scoring costs the same on both sides. Without --large there are 20 fits
instead of 100.

Scores must agree to the rounding of single precision after 10 epochs. Later a rounding can tip a unit of a layer, and
that fit goes another way: the medians of the differences after all epochs are below the table.

On a GPU, where there is one: the fits of the MNIST net of van den Burg and Williams at once, against 3 of them one by
one, extrapolated; 2 epochs.
"""

from functools import partial
from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold, RepeatedKFold
from sklearn.pipeline import make_pipeline

from doc.benchmarks._common import NO_MNIST, arguments, mnist, show
from doc.benchmarks._timing import bounded, faster, paired
from skmem import cross_fit
from skmem._random import set_random_state
from skmem.cross_fitting._threads import single_thread
from skmem.neural import VAE

NETS = [
    (4, (64,), "bernoulli"),
    (4, (64,), "gaussian"),
    (8, (128, 64), "bernoulli"),
    (8, (128, 64), "gaussian"),
]
NO_GPU = "The GPU is left out: torch sees none."


def run(estimator, X, cv, results):
    """Cross-fit, and append the scores."""
    results.append(cross_fit(estimator, X, cv=cv, random_state=0, n_jobs=2).scores)


def train_one_by_one(vae, X, mask):
    for seed, train in enumerate(mask):
        set_random_state(vae, seed).fit(X[train])


def differences(vae, X, cv):
    """Absolute differences between the scores of fits made together and one by one."""
    results = []
    # A Pipeline does not pass on the methods that train fits together.
    for estimator in (vae, make_pipeline(vae)):
        run(estimator, X, cv, results)
    return np.abs(np.subtract(*results))


def digits_lines(X, net, cv, args):
    """Lines of one net, the whole, training alone and scores; and a note on the scores after all epochs."""
    latent_dim, hidden, likelihood = net
    vae = VAE(latent_dim, hidden, likelihood=likelihood, device="cpu")
    vae.set_params(max_epochs=2 if args.quick else 100)
    repeats = 1 if args.quick else min(args.repeats, 3)
    together, alone = [], []
    calls = partial(run, vae, X, cv, together), partial(run, make_pipeline(vae), X, cv, alone)
    n_fits = cv.get_n_splits()
    case = f"{likelihood}, {'-'.join(map(str, (X.shape[1], *hidden, latent_dim)))}"
    whole = paired(*calls, repeats=repeats)
    late = np.abs(together[0] - alone[0])
    few = KFold(4, shuffle=True, random_state=0)
    early = differences(clone(vae).set_params(max_epochs=2 if args.quick else 10), X, few).max()
    mask = np.ones((min(n_fits, 12), len(X)), dtype=bool)
    mask[:, ::10] = False
    calls = (
        partial(vae.cross_fit_estimators, X, mask, range(len(mask))),
        partial(train_one_by_one, vae, X, mask),
    )
    with single_thread():
        training = paired(*calls, repeats=1)
    lines = [
        faster(f"{case}: {n_fits} fits, trained and scored", whole, at_least=5),
        faster(f"{case}: {len(mask)} fits, training alone", training, at_least=5),
        bounded(f"{case}: greatest early difference of scores", early, 1e-3, "nat"),
    ]
    return lines, f"{case}: median difference after all epochs {np.median(late):.1g} nat."


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
    n_repeats, n_splits = (1, 4) if args.quick else (10 if args.large else 2, 10)
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
