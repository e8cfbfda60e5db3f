"""Score rows by a VAE: time for the same Monte-Carlo error, on one thread in single precision.

Against the textbook estimator: `MultivariateNormal` with full covariances for encoder and prior, every row repeated
for each of its plain draws from the encoder. The error is the mean square difference from a long run, over rows that
were not trained on. The textbook's error is measured with 256 and 1024 draws; how many it needs for that of another
follows from the nearer of them, as if the error fell like one over the number of draws, which flatters it: part of
the error is a bias that falls more slowly. Its time is in proportion to its draws.
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.distributions import MultivariateNormal
from torch.nn.functional import binary_cross_entropy_with_logits

from doc.benchmarks._common import arguments, mnist, show
from doc.benchmarks._timing import Line, paired
from skmem.neural import VAE

SIDES = {
    "encoder, 256 draws": {"proposal": "encoder", "n_importance_samples": 256},
    "Laplace, 16 draws": {"proposal": "laplace", "n_importance_samples": 16},
    "Laplace, 64 draws": {"proposal": "laplace", "n_importance_samples": 64},
    "Laplace, 256 draws": {"proposal": "laplace", "n_importance_samples": 256},
}
N_TEXTBOOK = (256, 1024)
AT_LEAST = 3
CLAIMED = "Laplace, 256 draws"  # the defaults


@torch.no_grad()
def textbook(module, X, n_draws, seed):
    """Importance-weighted bound of each row, as papers write it; rows in batches of bounded memory."""
    torch.manual_seed(seed)
    return np.concatenate([_bounds(module, x, n_draws) for x in torch.as_tensor(X).split(16)])


def _bounds(module, x, n_draws):
    encoded = module.encode(x.repeat_interleave(n_draws, dim=0)).base_dist
    q = MultivariateNormal(encoded.loc, torch.diag_embed(encoded.scale**2))
    z = q.sample()
    prior = MultivariateNormal(torch.zeros_like(z[0]), torch.eye(z.shape[1]))
    logits = module.decoder.trunk(z)
    repeated = x.repeat_interleave(n_draws, dim=0)
    log_likelihood = -binary_cross_entropy_with_logits(logits, repeated, reduction="none").sum(1)
    weights = (log_likelihood + prior.log_prob(z) - q.log_prob(z)).view(len(x), n_draws)
    return (weights.logsumexp(dim=1) - math.log(n_draws)).numpy()


def score(vae, X, params, seed):
    return vae.set_params(**params, noise_seed=seed).score_samples(X)


@dataclass(frozen=True)
class Data:
    """Binary rows to train on and to score, and the VAE."""

    name: str
    X: np.ndarray
    n_train: int
    vae: VAE
    n_reference: int


def lines(data, repeats):
    """A line for each proposal and number of draws."""
    vae, X = data.vae.fit(data.X[: data.n_train]), data.X[data.n_train :]
    module = vae.net_.module_.eval()
    reference = {"proposal": "laplace", "n_importance_samples": data.n_reference}
    truth = score(vae, X, reference, seed=10**6)
    calls = {name: partial(score, vae, X, params) for name, params in SIDES.items()}
    calls |= {n: partial(textbook, module, X, n) for n in N_TEXTBOOK}
    errors = {name: np.mean((call(seed=0) - truth) ** 2) for name, call in calls.items()}
    seconds = paired(*(partial(call, seed=1) for call in calls.values()), repeats=repeats)
    seconds = dict(zip(calls, seconds.T, strict=True))
    return [_line(data, name, seconds, errors) for name in SIDES]


def _line(data, name, seconds, errors):
    few, many = N_TEXTBOOK
    near = few if errors[name] >= math.sqrt(errors[few] * errors[many]) else many
    ratio = np.median(errors[near] / errors[name] * seconds[near] / seconds[name])
    cells = (
        f"{np.median(seconds[name]):.3g} s, error {errors[name]:.2g}",
        f"{few} draws: {np.median(seconds[few]):.3g} s, error {errors[few]:.2g}; {many}: error {errors[many]:.2g}",
    )
    claimed = name == CLAIMED
    claim = f">= {AT_LEAST} times cheaper" if claimed else "none"
    result = f"{ratio:.3g} times cheaper at equal error"
    return Line(f"{data.name}: {name}", *cells, result, claim, not claimed or ratio >= AT_LEAST)


def digits(quick):
    X = np.random.default_rng(0).permutation((load_digits().data > 7).astype("float32"))
    n_train, n_rows = (200, 8) if quick else (1500, 128)
    return Data(
        "digits 64-64-8", X[: n_train + n_rows], n_train, net(8, (64,), 1 if quick else 60), 2**13
    )


def handwritten(path, quick):
    n_train, n_rows = (30, 4) if quick else (6000, 64)
    X = (mnist(path, n_train + n_rows) > 0.5).astype("float32")
    sizes = (2, (8,)) if quick else (16, (512, 256))
    return Data("MNIST 784-512-256-16", X, n_train, net(*sizes, 1 if quick else 20), 2**13)


def net(latent_dim, hidden, n_epochs):
    vae = VAE(latent_dim, hidden, likelihood="bernoulli", max_epochs=n_epochs, device="cpu")
    return vae.set_params(random_state=0, score_dtype="float32")


def main(argv=None):
    args = arguments(argv, __doc__)
    torch.set_num_threads(1)
    repeats = 1 if args.quick else min(3, args.repeats)
    data = [digits(args.quick)]
    if args.mnist:
        data.append(handwritten(args.mnist, args.quick))
    every = [line for one in data for line in lines(one, repeats)]
    show(__doc__, every, args, notes=["Errors are mean squares, in squared nats."])


if __name__ == "__main__":
    main()
