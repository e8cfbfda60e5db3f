"""Influence of rows by products of gradients: all pairs of training rows and points, all parameters.

The model is a VAE, 784-512-256-16 and back, with Bernoulli pixels. One draw of the code of each row, one checkpoint
and one thread, for skmem and the others alike. The others make the gradient of every row. They run on a part of the
rows and on a single point; the difference tells what making gradients takes from what products take. Their time is
extrapolated as if the gradients of all rows fitted into memory, each made once, which is in their favour.
"""

from functools import partial
from importlib.util import find_spec

import numpy as np
from sklearn.datasets import load_digits

from doc.benchmarks._common import arguments, mnist, show
from doc.benchmarks._timing import bounded, faster, paired, seconds_and_memory
from skmem.influence import TracIn
from skmem.neural import VAE

NO_TORCH = "It needs torch and skorch, the extra `torch`, and they are not here."


def images(args, n_rows):
    """Rows of 28 x 28 zeros and ones: MNIST if it is given, else digits, enlarged and shifted."""
    if args.mnist:
        X = np.resize(mnist(args.mnist, n_rows), (n_rows, 784))
        return (X > 0.5).astype(np.float32)
    rng = np.random.default_rng(0)
    X = rng.choice(load_digits().images, n_rows).repeat(3, axis=1).repeat(3, axis=2)
    X = np.pad(X, ((0, 0), (2, 2), (2, 2)))
    shifted = [
        np.roll(x, shift, axis=(0, 1))
        for x, shift in zip(X, rng.integers(-2, 3, (n_rows, 2)), strict=True)
    ]
    return (np.array(shifted) > 8).reshape(n_rows, -1).astype(np.float32)


def influence_of(tracin, X):
    one_thread()
    return tracin.influence(X)


def self_influence_of(tracin, X):
    one_thread()
    return tracin.fit(X).self_influence()


def one_thread():
    import torch

    torch.set_num_threads(1)


def explicit_call(loss, train, points):
    """Gradients of all rows by torch.func, and one product of matrices."""
    import torch
    from torch.func import functional_call, grad, vmap

    def row_loss(values, *row):
        return functional_call(loss, values, tuple(t[None] for t in row)).sum()

    def gradients(batch):
        values = {name: p.detach() for name, p in loss.named_parameters()}
        rows = vmap(grad(row_loss), in_dims=(None, 0, 0))(values, *batch)
        return torch.cat([g.flatten(1) for g in rows.values()], dim=1)

    return lambda: gradients(train) @ gradients(points).T


def captum_call(loss, train, points):
    """TracInCP with its faster way to make gradients of rows."""
    from captum.influence import TracInCP
    from torch.utils.data import TensorDataset

    def total(losses, _):
        return losses.sum()

    total.reduction = "sum"
    targets = [rows[0][:, 0] for rows in (train, points)]  # not used
    tracin = TracInCP(
        loss,
        TensorDataset(*train, targets[0]),
        ["final"],
        lambda *_: 1.0,
        loss_fn=total,
        batch_size=len(targets[0]),
        sample_wise_grads_per_batch=True,
    )
    return lambda: tracin.influence((*points, targets[1])).detach().T


def dattri_call(loss, train, points):
    """TracInAttributor without random projection."""
    from dattri.algorithm.tracin import TracInAttributor
    from dattri.task import AttributionTask
    from torch.func import functional_call
    from torch.utils.data import DataLoader, TensorDataset

    def row_loss(values, row):
        return functional_call(loss, values, tuple(t[None] for t in row)).sum()

    task = AttributionTask(row_loss, loss, loss.state_dict())
    attributor = TracInAttributor(task, weight_list=[1.0], normalized_grad=False)
    attributor.projector_kwargs = None
    loaders = [
        DataLoader(TensorDataset(*batch), batch_size=len(batch[0])) for batch in (train, points)
    ]
    return lambda: attributor.attribute(*loaders)


OTHERS = {
    "explicit gradients": ("torch", explicit_call, 100),
    "captum": ("captum", captum_call, 20),
    "dattri": ("dattri", dattri_call, 20),
}


def against_others(tracin, train, points, n_part, repeats):
    """Yield a line for each of the others that is installed."""
    loss = tracin._loss()
    batches = [loss.batch(loss.rows(X), slice(None)) for X in (train[:n_part], points[:n_part])]
    single = [t[:1] for t in batches[1]]
    expected = tracin.influence(points[:n_part])[:n_part] / tracin.weights_[0]
    for name, (package, make_call, at_least) in OTHERS.items():
        if not find_spec(package):
            continue
        part, column = make_call(loss, *batches), make_call(loss, batches[0], single)
        gap = np.abs(part().detach().numpy() - expected).max() / np.abs(expected).max()
        assert gap < 1e-4, f"{name} computes something else: {gap:.2g}"
        seconds = paired(partial(tracin.influence, points), part, column, repeats=repeats)
        factor, making = len(train) / n_part, seconds[:, 2]
        products = np.maximum(seconds[:, 1] - 2 * making, 0)
        total = np.stack([seconds[:, 0], 2 * factor * making + factor**2 * products], axis=1)
        case = f"{len(train)} x {len(points)} rows, {name} on {n_part} x {n_part}, extrapolated"
        yield faster(case, total, at_least)


def main(argv=None):
    args = arguments(argv, __doc__)
    if not (find_spec("torch") and find_spec("skorch")):
        print(f"{__doc__.strip()}\n\n{NO_TORCH}")
        return
    import torch

    one_thread()
    n, n_part, n_many = (60, 10, 100) if args.quick else (2000, 200, 60_000)
    X = images(args, max(2 * n, n_many))
    train, points = X[:n], X[n : 2 * n]
    vae = VAE(16, (512, 256), likelihood="bernoulli", max_epochs=1, random_state=0).fit(train)
    one, many = (TracIn(vae, n_draws=m).fit(train) for m in (1, 16))
    lines = [*against_others(one, train, points, n_part, 1 if args.quick else args.repeats)]
    _, memory = seconds_and_memory(partial(influence_of, one), points)
    lines.append(bounded(f"{n} x {n} rows: memory at the peak", memory * 2**30 / 1e6, 500, "MB"))
    for tracin in (one, many):
        seconds, memory = seconds_and_memory(partial(self_influence_of, tracin), X[:n_many])
        case = f"self-influence of {n_many} rows, {tracin.n_draws} draws"
        lines.append(bounded(case, seconds, 120, "s"))
    seconds, memory = seconds_and_memory(partial(influence_of, many), points)
    missing = [name for name, (package, *_) in OTHERS.items() if not find_spec(package)]
    notes = [
        f"torch {torch.__version__}.",
        f"{n} x {n} rows with 16 draws: {seconds:.3g} s, {memory * 2**30 / 1e6:.3g} MB.",
        *(f"{name} is not installed: its line is left out." for name in missing),
    ]
    show(__doc__, lines, args, notes)


if __name__ == "__main__":
    main()
