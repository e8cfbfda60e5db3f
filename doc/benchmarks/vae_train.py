"""Train a VAE: the estimator against a bare PyTorch loop on one thread.

The loop has the same layers, loss, batches and fused Adam, its rows in memory as a tensor, and nothing else: no
history, no callbacks, no check that the loss is finite. Its loss is written in plain tensors, and read once a batch.
"""

from functools import partial
from itertools import pairwise

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from doc.benchmarks._common import arguments, mnist, show
from doc.benchmarks._timing import paired, within
from skmem.neural import VAE

BATCH_SIZE = 64


def layers(*sizes):
    pairs = pairwise(sizes)
    every = [layer for n_in, n_out in pairs for layer in (nn.Linear(n_in, n_out), nn.ReLU())]
    return nn.Sequential(*every[:-1])


def bare_loop(X, hidden, latent_dim, n_epochs):
    """The mean loss of the last epoch, in nats."""
    encoder = layers(X.shape[1], *hidden, 2 * latent_dim)
    decoder = layers(latent_dim, *reversed(hidden), X.shape[1])
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=True)
    x = torch.as_tensor(X)
    for _ in range(n_epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).tensor_split(-(-len(x) // BATCH_SIZE)):
            batch = x[rows]
            loc, raw_scale = encoder(batch).chunk(2, dim=-1)
            scale = 1e-4 + softplus(raw_scale + 0.5413)
            logits = decoder(loc + scale * torch.randn_like(loc))
            divergence = 0.5 * (scale**2 + loc**2 - 1) - scale.log()
            error = binary_cross_entropy_with_logits(logits, batch, reduction="sum")
            loss = (error + divergence.sum()) / len(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
    return total / len(x)


def line(case, X, hidden, latent_dim, n_epochs, *, at_most, repeats):
    """Line for the time of `n_epochs` on binary rows."""
    vae = VAE(latent_dim, hidden, likelihood="bernoulli", max_epochs=n_epochs, device="cpu")
    vae.set_params(batch_size=BATCH_SIZE, random_state=0)
    calls = partial(vae.fit, X), partial(bare_loop, X, hidden, latent_dim, n_epochs)
    shape = "-".join(map(str, (X.shape[1], *hidden, latent_dim)))
    case = f"{case}, {len(X)} rows, {shape}, {n_epochs} epochs"
    return within(case, paired(*calls, repeats=repeats), at_most=at_most)


def main(argv=None):
    args = arguments(argv, __doc__)
    torch.set_num_threads(1)
    repeats = 1 if args.quick else 2 * args.repeats + 1
    X = (load_digits().data > 7).astype("float32")
    n_epochs = 1 if args.quick else 20
    lines = [line("digits", X, (64,), 8, n_epochs, at_most=1.3, repeats=repeats)]
    if args.mnist:
        X = (mnist(args.mnist, 3200) > 0.5).astype("float32")
        sizes = ((16,), 2) if args.quick else ((512, 256), 16)
        lines.append(line("MNIST", X, *sizes, min(n_epochs, 3), at_most=1.15, repeats=repeats))
    show(__doc__, lines, args, notes=[f"PyTorch {torch.__version__}."])


if __name__ == "__main__":
    main()
