"""When does a VAE begin to memorize? Memorization of the digits, epoch by epoch, beside the curves of its training.

    python -m doc.examples.memorization_path

Digits in black and white, and a VAE of one hidden layer, cross-fitted in 10 folds, 5 times. One set of fits is scored
at every stage; each line is a stage, in nats a row. "Of noise" is the same quantile where a fit with the row stands in
for the one without it. Takes a few minutes on one core; --quick takes seconds, at sizes that mean nothing.
"""

import argparse

import numpy as np
from sklearn.datasets import load_digits

from skmem import MemorizationScorer
from skmem.memorization import memorization_score
from skmem.neural import VAE

HEADER = """\
| epoch | seen | held out | gap | 0.95 quantile | of noise | 0.999 quantile | of noise |
|---:|---:|---:|---:|---:|---:|---:|---:|"""


def fitted_scorer(n_rows, n_folds, n_repeats, epochs):
    """The scorer, with stages at `epochs`."""
    X = np.where(load_digits().data > 7, 1.0, 0.0)[:n_rows]
    vae = VAE(8, (128,), likelihood="bernoulli", max_epochs=max(epochs), device="cpu")
    vae.set_params(checkpoint_epochs=list(epochs), n_importance_samples=64, score_dtype="float32")
    return MemorizationScorer(vae, cv=n_folds, n_repeats=n_repeats, random_state=0).fit(X)


def lines(scorer):
    """One line of numbers for each stage, in nats a row."""
    fits = scorer.cross_fit_
    for stage, scores in enumerate(fits.staged_scores):
        found = memorization_score(scores, fits.train_mask, random_state=0)
        seen, held_out = found.log_density_in.mean(), found.log_density_out.mean()
        numbers = [seen, held_out, seen - held_out]
        for level, floor in found.noise_floor.items():
            numbers += [np.quantile(found.memorization, level), floor]
        yield f"| {fits.stages[stage]} | {' | '.join(f'{x:.2f}' for x in numbers)} |"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args(argv).quick
    sizes = (100, 3, 2, (1, 2)) if quick else (None, 10, 5, (2, 5, 10, 15, 20, 30, 50, 100, 200))
    print(HEADER, *lines(fitted_scorer(*sizes)), sep="\n")


if __name__ == "__main__":
    main()
