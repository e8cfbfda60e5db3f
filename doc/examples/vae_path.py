"""Memorization over the epochs of a VAE on digits, as a table.

    python -m doc.examples.vae_path

from the root of the repository, with the extra `torch`; minutes on two cores. For each stage: quantiles of memorization
over rows, and the mean log-density of training rows and of held-out rows, in nats.
"""

import numpy as np
from sklearn.datasets import load_digits

from skmem import MemorizationScorer
from skmem.neural import VAE

EPOCHS = [5, 10, 20, 40, 80, 160]


def main():
    X = (load_digits().data > 7).astype(float)
    vae = VAE(
        latent_dim=8,
        hidden_layer_sizes=(128,),
        likelihood="bernoulli",
        max_epochs=EPOCHS[-1],
        checkpoint_epochs=EPOCHS,
        n_importance_samples=64,
    )
    scorer = MemorizationScorer(vae, cv=5, n_repeats=4, refit=False, n_jobs=-1, random_state=0)
    scorer.fit(X)
    print("| epoch | memorization, 0.5 | 0.95 | 0.999 | training rows | held-out rows |")
    print("|---:|---:|---:|---:|---:|---:|")
    quantiles = np.quantile(scorer.memorization_path_, [0.5, 0.95, 0.999], axis=1)
    curves = scorer.log_density_in_path_.mean(axis=1), scorer.log_density_out_path_.mean(axis=1)
    for epoch, *numbers in zip(scorer.stages_, *quantiles, *curves, strict=True):
        print("| " + " | ".join([f"{epoch}", *(f"{number:.2f}" for number in numbers)]) + " |")
    print(f"\nnoise floor (0.95, last epoch): {scorer.noise_floor_[0.95]:.2f} nats")


if __name__ == "__main__":
    main()
